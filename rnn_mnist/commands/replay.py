"""Does a run come out the same again? It is trained once more, from its manifest alone, and compared bit for bit.

  rnn-mnist replay outputs/depth/RUN
  rnn-mnist replay outputs/depth/RUN --epochs 1          only the first epoch
  rnn-mnist replay --sweep outputs/depth --sample 5      five of its runs, drawn at random
  rnn-mnist replay outputs/depth/RUN --code              with the code of the commit that it was made with

identical: metrics, predictions and weights, bit for bit. equal within rounding: the losses of the first steps agree to
within 2e-6, so that it is the same run in another order of additions (other hardware, threads, versions), which
training then makes larger; with a warning. different: from which epoch on; exit code 1. In both cases it says what was
different when it was made. It trains on as many threads as the run did, and writes nothing.
docs/reproducibility.md: what can be expected where.
"""

import argparse
import logging
import math
import random
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.files import RunFormatError
from rnn_mnist.runs.former_code import former_code, make_again
from rnn_mnist.runs.likeness import STEPS, TOLERANCE, Kind, Likeness, Outcome, compare_outcomes
from rnn_mnist.runs.manifest_config import configuration_of
from rnn_mnist.runs.provenance import Attempt, Difference
from rnn_mnist.runs.record import State, find_runs, read_run
from rnn_mnist.runs.run import Run

if TYPE_CHECKING:
    from rnn_mnist.configuration.resolution import Resolved

log = logging.getLogger("rnn_mnist")


def main(arguments: Sequence[str]) -> int:
    """Run the command line; 1 if a run came out different, or could not be made again."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if bool(options.runs) == (options.sweep is not None):
        parser.error("give the directories of runs, or --sweep DIR")
    for name, least in (("epochs", 1), ("sample", 1), ("seed", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            parser.error(f"--{name} {value}: must be at least {least}")
    if not (math.isfinite(options.tolerance) and options.tolerance >= 0):
        parser.error(f"--tolerance {options.tolerance:g}: must be at least 0")
    _log_to_terminal()
    runs = options.runs if options.sweep is None else drawn_runs(options.sweep, options.sample, options.seed)
    kinds = [_replay(directory, options, last=number == len(runs)) for number, directory in enumerate(runs, 1)]
    if len(runs) > 1:
        counts = [f"{kinds.count(kind)} {kind}" for kind in Kind if kind in kinds]
        failed = [f"{kinds.count(None)} could not be made again"] if None in kinds else []
        print(f"{len(runs)} runs: {', '.join([*counts, *failed])}")
    return int(not {Kind.identical, Kind.rounding}.issuperset(kinds))


def drawn_runs(sweep: Path, count: int | None, seed: int) -> list[Path]:
    """The completed runs of a sweep, or so many of them, drawn without replacement; in order.

    Raises:
        ExpectedError: if there are not so many.
    """
    if not sweep.is_dir():
        raise ExpectedError(f"--sweep {sweep}: no such folder")
    done = [path for path in find_runs(sweep) if read_run(path).state == State.completed]
    wanted = len(done) if count is None else count
    if not done or wanted > len(done):
        raise ExpectedError(f"--sample {wanted}: {sweep} has {len(done)} completed runs")
    return sorted(random.Random(seed).sample(done, wanted))


def _replay(directory: Path, options: argparse.Namespace, *, last: bool) -> Kind | None:
    """Make one run again and say how it compares; None if it cannot be made."""
    try:
        kind = _compare_again(directory, options)
    except ExpectedError as error:
        line = str(error)
        print(f"error: {line if str(directory) in line else f'{directory}: {line}'}", file=sys.stderr)
        kind = None
    if not last:
        print()
    return kind


def _compare_again(directory: Path, options: argparse.Namespace) -> Kind:
    manifest = Run(directory).manifest()
    if not manifest:
        raise RunFormatError(f"{directory}: no manifest.json; give the directory of one run")
    resolved = configuration_of(directory, manifest)
    before = Outcome.read(directory)
    if not before.metrics:
        raise RunFormatError(f"{directory}: no epoch in metrics.csv; there is nothing to compare with")
    print(directory)
    differences: tuple[Difference, ...] = ()
    if options.code:
        now = _with_its_code(directory, manifest, options.epochs)
    else:
        now, differences = _with_this_code(resolved, manifest, options)
    from rnn_mnist.training.replaying import weights_of

    if now.weights is not None:
        before = replace(before, weights=weights_of(directory))
    likeness = compare_outcomes(before, now, options.tolerance)
    _say(likeness, differences)
    return likeness.kind


def _with_this_code(
    resolved: "Resolved", manifest: dict[str, Any], options: argparse.Namespace
) -> tuple[Outcome, tuple[Difference, ...]]:
    from rnn_mnist.training.replaying import replay

    replayed = replay(resolved, manifest, options.epochs, options.device)
    if replayed.diverged is not None:
        print(f"it diverged: {replayed.diverged}")
    return replayed.outcome, replayed.differences


def _with_its_code(directory: Path, manifest: dict[str, Any], epochs: int | None) -> Outcome:
    from rnn_mnist.training.replaying import weights_of

    with former_code(Attempt.from_manifest(manifest).code) as code, tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "run"
        make_again(code, manifest, scratch, epochs)
        made = Run(scratch).manifest().get("run_id")
        if made != manifest["run_id"]:
            raise RunFormatError(f"{directory}: its code calls this configuration {made}, not {manifest['run_id']}")
        return Outcome.read(scratch, weights_of(scratch))


def _say(likeness: Likeness, differences: Iterable[Difference]) -> None:
    compared = _listed(likeness.compared)
    if likeness.kind == Kind.identical:
        print(f"identical: {compared}")
    elif math.isnan(likeness.largest):
        print(f"different: the metrics are the same to the last digit, and the {likeness.what} are not")
    else:
        since = f"from epoch {likeness.epoch} on, " if likeness.epoch is not None else ""
        print(f"{likeness.kind}: {since}at most {likeness.largest:.2g} apart ({likeness.what}); compared: {compared}")
        if likeness.first_losses is not None:
            print(f"the losses of the first {STEPS} steps: at most {likeness.first_losses:.2g} apart")
    if likeness.not_kept:
        print(f"not kept with the run, so not compared: {_listed(likeness.not_kept)}")
    found = [str(difference) for difference in differences]
    if likeness.kind == Kind.identical:
        for line in found:
            print(f"although it was made with {line}")
    elif found:
        for line in found:
            print(f"warning: it was made with {line}", file=sys.stderr)
    else:
        print(
            "warning: code, versions, host, device, threads and data are those that its manifest names", file=sys.stderr
        )


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _log_to_terminal() -> None:
    from rnn_mnist.training.display import ConsoleHandler

    if not log.handlers:
        log.addHandler(ConsoleHandler())
        log.setLevel(logging.INFO)
        log.propagate = False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rnn-mnist replay", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="directory of a run")
    parser.add_argument("--sweep", type=Path, metavar="DIR", help="all completed runs of a sweep, or --sample of them")
    parser.add_argument("--sample", type=int, metavar="N", help="with --sweep: so many of its runs, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="of that draw (default 0)")
    parser.add_argument("--epochs", type=int, metavar="N", help="stop after so many epochs, without the test")
    parser.add_argument("--code", action="store_true", help="with the commit that the manifest names, as it was then")
    parser.add_argument("--device", help="as training.device (default: the kind that it was made on, if it is here)")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE,
        metavar="X",
        help=f"how far apart the first losses may be for rounding, relatively (default {TOLERANCE:g})",
    )
    return parser
