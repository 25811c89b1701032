"""Make the studies of outputs/reference again, and compare.

  python scripts/reproduce.py depth bias        from nothing, in outputs/reproduced
  python scripts/reproduce.py                   all of them: hours
  python scripts/reproduce.py --sample 3        three of all their runs, drawn at random, by rnn-mnist replay

A study that was made again is compared run by run: the same test accuracy to the last image, as on the same type of
machine with the same versions, or, setting by setting, by the interval of the difference. Exit code 1 where that
interval (95 % for all settings of a study together, Welch's t) leaves out zero.
"""

import argparse
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from scipy.stats import ttest_ind

from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.reading.levels import format_levels
from rnn_mnist.analysis.reading.results import completed, load_runs
from rnn_mnist.analysis.statistics.summary import group_by_levels
from rnn_mnist.commands.replay import drawn_runs
from rnn_mnist.commands.replay import main as replay
from rnn_mnist.errors import ExpectedError

ROOT = Path(__file__).resolve().parent.parent
KEPT = Path("outputs/reference")  # as seen from the root: so its tables name their runs, wherever the checkout lies
AGAIN = Path("outputs/reproduced")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    os.chdir(ROOT)
    kept = sorted(path.name for path in KEPT.iterdir() if (path / "sweep.json").is_file())
    parser.add_argument("study", nargs="*", help=f"{', '.join(kept)} (default: all)")
    parser.add_argument("--sample", type=int, metavar="N", help="so many runs instead, each trained once more")
    parser.add_argument("--seed", type=int, default=0, help="that draws them (default 0)")
    options = parser.parse_args()
    if unknown := set(options.study) - set(kept):
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(kept)}")
    if options.sample is not None and options.sample < 1:
        parser.error(f"--sample {options.sample}: must be at least 1")
    studies = options.study or kept
    try:
        if options.sample is not None:
            return _replay(studies, options.sample, options.seed)
        return max(map(_again, studies))
    except ExpectedError as error:
        parser.error(str(error))


def _replay(studies: Sequence[str], count: int, seed: int) -> int:
    """Draw runs of all studies, and hand them to ``rnn-mnist replay``."""
    done = [run for study in studies for run in drawn_runs(KEPT / study, None, seed)]
    if count > len(done):
        raise ExpectedError(f"--sample {count}: there are {len(done)} completed runs")
    drawn = random.Random(seed).sample(done, count)
    return replay([str(run) for run in sorted(drawn)])


def _again(study: str) -> int:
    """Make a study again; 1 if it came out different."""
    folder = AGAIN / study
    command = [sys.executable, "-m", "rnn_mnist.train", "-m", f"experiment={study}", f"hydra.sweep.dir={folder}"]
    # Neither a run that is kept nor one of another study is taken over: what is asked is whether they come out again.
    if (code := subprocess.run([*command, "reuse=false"], check=False).returncode) != 0:
        return code
    return compare(load_runs(KEPT / study).frame, load_runs(folder).frame, study)


def compare(kept: pd.DataFrame, again: pd.DataFrame, study: str) -> int:
    """Print how runs that were made again compare with those that are kept; 1 if a setting came out different."""
    both = completed(kept).merge(completed(again), on="run_id", suffixes=("", "_again"))
    figures = ("test_accuracy", "val_accuracy", "test_loss")
    same = [all(_equal(row[name], row[f"{name}_again"]) for name in figures) for row in both.to_dict("records")]
    print(f"{study}: {sum(same)} of {len(both)} runs came out the same to the last digit; {len(kept)} are kept")
    if both.empty:
        return 1
    if all(same):
        return 0
    factors = find_factors(kept)
    settings = list(group_by_levels(both, factors))
    differ = 0
    for levels, group in settings:
        now, then = group["test_accuracy_again"], group["test_accuracy"]
        if len(group) < 2 or (now - then).abs().max() == 0:
            continue
        test = ttest_ind(now, then, equal_var=False)
        low, high = (100 * end for end in test.confidence_interval(1 - 0.05 / len(settings)))
        outside = low > 0 or high < 0
        differ += outside
        difference = 100 * (now.mean() - then.mean())
        verdict = "different" if outside else "within chance"
        label = format_levels(levels.items(), factors) or "this setting"
        print(f"  {label}: {difference:+.2f} points ({low:+.2f} to {high:+.2f}), {verdict}")
    return int(differ > 0)


def _equal(one: float, other: float) -> bool:
    return one == other or (pd.isna(one) and pd.isna(other))


if __name__ == "__main__":
    sys.exit(main())
