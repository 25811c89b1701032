"""What does each parameter do, and can you trust it? Main effects with intervals and verdicts, and the answer in words.

  rnn-mnist compare outputs/depth                                    every factor, against the configuration's default
  rnn-mnist compare outputs/depth --reference model.num_layers=1     against another level
  rnn-mnist compare outputs/depth --all-pairs                        every level against every other
  rnn-mnist compare outputs/depth --margin 0.2                       differences up to 0.2 points do not matter
  rnn-mnist compare outputs/readout --factor readout --by bidirectional
                                              the effect of one factor at each level of another
  rnn-mnist compare outputs/lr --factor num_layers --nuisance optimizer.lr
                                              each depth at its own best learning rate, chosen on validation
  rnn-mnist compare outputs/depth --power                            how many seeds would do
  rnn-mnist compare --mcnemar outputs/depth/RUN outputs/depth/RUN    two single runs, image by image

Reads the runs' own files, also of a sweep that is unfinished, and needs no torch. Seeds are the replicates: within
each seed a difference is averaged over the other factors, and the seeds are tested. Intervals hold for all levels of a
factor together. Each look at a growing sweep is kept beside it (looks.json): from the second on, intervals are wider,
so that they hold however often one looks. docs/statistics.md says what is computed and why.
"""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from hydra_plugins.workstation_launcher import override_key
from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import FactorError, find_factors, resolve_factor
from rnn_mnist.analysis.reading.levels import format_levels, parse_level
from rnn_mnist.analysis.reading.results import Runs, check_metric, load_runs
from rnn_mnist.analysis.report import tables
from rnn_mnist.analysis.report.answer_text import missing_runs, print_answer
from rnn_mnist.analysis.report.sampled_table import sampled_table
from rnn_mnist.analysis.statistics.additive_regression import AdditiveFit
from rnn_mnist.analysis.statistics.answer import answer, regress_if_sampled
from rnn_mnist.analysis.statistics.effects import effects
from rnn_mnist.analysis.statistics.importance import importance
from rnn_mnist.analysis.statistics.mcnemar import compare_two_runs
from rnn_mnist.analysis.statistics.nuisance import NuisanceChoice, choose_nuisance
from rnn_mnist.analysis.statistics.power import power_table
from rnn_mnist.analysis.statistics.summary import wilson_interval
from rnn_mnist.catalogues.data_sets import find_data_set
from rnn_mnist.catalogues.metrics import METRICS, run_metrics
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.looks import look_at, plan_of
from rnn_mnist.runs.record import RunRecord
from rnn_mnist.tables import Output

_MOST_DUPLICATES = 5


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.sweeps and not options.mcnemar:
        parser.error("give the directory of a sweep, or two runs with --mcnemar")
    if options.mcnemar:
        _mcnemar(*options.mcnemar)
    if options.sweeps:
        _check_numbers(options)
        _compare(options, Output())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rnn-mnist compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweeps", nargs="*", metavar="SWEEP", help="the directory of a sweep, of several, or of a run")
    parser.add_argument(
        "--factor", action="append", default=[], metavar="KEY", help="only this factor (repeatable; default: all)"
    )
    parser.add_argument(
        "--reference", action="append", default=[], metavar="KEY=LEVEL",
        help="the level that a factor's others are compared with (repeatable; default: the configuration's default)",
    )  # fmt: skip
    parser.add_argument(
        "--metric", default="test_accuracy", metavar="NAME", help=f"{', '.join(run_metrics())} (default test_accuracy)"
    )
    parser.add_argument(
        "--nuisance", action="append", default=[], metavar="KEY",
        help="take this factor's best level, by validation accuracy, for each combination of the others (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--margin", type=float, metavar="M",
        help="differences up to this do not matter; percentage points for accuracies (default 0.1 for those)",
    )  # fmt: skip
    parser.add_argument("--by", metavar="KEY", help="compare the other factors at each level of this one")
    parser.add_argument("--all-pairs", action="store_true", help="every level against every other")
    parser.add_argument(
        "--planned", action="store_true",
        help="the number of seeds was fixed before anybody looked: plain intervals at whatever look this is",
    )  # fmt: skip
    parser.add_argument("--confidence", type=float, default=0.95, metavar="C", help="of the intervals (default 0.95)")
    parser.add_argument("--power", action="store_true", help="also: how many seeds would show how large a difference")
    parser.add_argument(
        "--differences", type=float, nargs="+", default=[0.05, 0.1, 0.2, 0.5, 1.0], metavar="D",
        help="with --power: differences to be shown, in percentage points for accuracies (default 0.05 0.1 0.2 0.5 1)",
    )  # fmt: skip
    parser.add_argument("--importance", action="store_true", help="also: the share of the variance of each factor")
    parser.add_argument("--seed", type=int, default=0, help="of the division into folds with --importance")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all columns; accuracies are fractions")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write both tables as Markdown")
    parser.add_argument("--latex", type=Path, metavar="FILE", help="write both tables as LaTeX (booktabs)")
    parser.add_argument(
        "--mcnemar", nargs=2, metavar="RUN",
        help="McNemar's exact test of two single runs, from their stored predictions; needs no SWEEP",
    )  # fmt: skip
    return parser


def _check_numbers(options: argparse.Namespace) -> None:
    if not 0 < options.confidence < 1:
        raise ExpectedError(f"--confidence {options.confidence}: must lie between 0 and 1")
    if options.margin is not None and not options.margin > 0:
        raise ExpectedError(f"--margin {options.margin}: must be greater than 0")
    if min(options.differences) <= 0:
        raise ExpectedError(f"--differences {min(options.differences)}: must be greater than 0")


def _compare(options: argparse.Namespace, console: Console) -> None:
    loaded = load_runs(*options.sweeps)
    runs, notes = loaded.frame, _about_loading(loaded)
    metric = check_metric(runs, options.metric)
    factors, nuisance = ([resolve_factor(runs, name) for name in names] for names in (options.factor, options.nuisance))
    by = resolve_factor(runs, options.by) if options.by else None
    for factor in set(factors).intersection(nuisance):
        raise FactorError(
            f"{factor}: is to be compared (--factor) and to be chosen (--nuisance); it can be one of them"
        )
    references = dict(_reference(runs, text) for text in options.reference)
    if nuisance:
        choice = choose_nuisance(runs, nuisance)
        notes += _about_choice(choice)
        _print_choice(choice.chosen, console)
        runs = choice.runs
    _check_comparable(runs, factors, nuisance, options.sweeps)
    # Who was refused an answer has not looked.
    looked = [] if options.planned else _about_looks(loaded.records)
    table = effects(
        runs,
        factors or None,
        references,
        options.metric,
        confidence=options.confidence,
        margin=None if options.margin is None else options.margin / metric.scale,
        by=by,
        all_pairs=options.all_pairs,
        anytime=bool(looked),
    )
    fit = regress_if_sampled(runs, options.metric, options.confidence)
    shown = tables.effects_table(table)
    if len(table):
        console.print(shown.terminal(console.width, _title(table)))
    if isinstance(fit, AdditiveFit):
        console.print(sampled_table(fit).terminal(console.width, f"{metric.label}: {fit.method}"))
        notes += fit.notes
    notes += _print_more(options, runs, table, console)
    for note in dict.fromkeys([*missing_runs(runs), *notes, *looked, *_about_images(runs, table)]):
        # What is there to be typed is not broken.
        console.print(note, markup=False, highlight=False, soft_wrap=note.startswith("  "))
    settings = tables.settings_paper_table(runs, find_factors(runs), options.metric)
    texts = {
        options.csv: tables.effects_as_text(table).to_csv(index=False),
        options.markdown: f"{shown.markdown()}\n{settings.markdown()}",
        options.latex: f"{shown.latex()}\n{settings.latex()}",
    }
    for path, text in texts.items():
        if path:
            path.write_text(text, encoding="utf-8")
            console.print(str(path), markup=False, highlight=False, soft_wrap=True)
    print_answer(answer(runs, table, fit), console)


def _about_looks(records: Sequence[RunRecord]) -> list[str]:
    """A line where plain intervals would say too much, because this is no first look; the look is noted."""
    if (plan := plan_of(records)) is not None:
        return [f"{plan} decided how many seeds there are: quote its verdicts; the intervals here hold regardless"]
    looks = look_at(records)
    return [f"look {looks} at these growing runs: the intervals hold however often one looks"] if looks > 1 else []


def _print_more(
    options: argparse.Namespace, runs: pd.DataFrame, table: pd.DataFrame, console: Console
) -> Sequence[str]:
    """The tables that are asked for beside the main one, and notes on them."""
    if options.power and len(table):
        _print_power(table, options.differences, console)
    if not options.importance:
        return []
    shares = importance(runs, metric=options.metric, seed=options.seed)
    title = f"importance: {shares['method'].iloc[0]}"
    console.print(tables.importance_table(shares).terminal(console.width, title))
    notes: Sequence[str] = shares.attrs["notes"]
    return notes


def _about_loading(loaded: Runs) -> list[str]:
    notes = [f"left out: {problem}" for problem in loaded.problems]
    notes += loaded.duplicates[:_MOST_DUPLICATES]
    if (more := len(loaded.duplicates) - _MOST_DUPLICATES) > 0:
        notes.append(f"and {more} more runs that are in two places and counted once")
    return notes


def _check_comparable(
    runs: pd.DataFrame, factors: Sequence[str], nuisance: Sequence[str], sweeps: Sequence[str]
) -> None:
    if nuisance and runs.empty:
        raise FactorError(
            f"{', '.join(sweeps)}: all seeds were needed to choose, and none is left to compare; run more"
        )
    if not find_factors(runs, factors):
        but = " and ".join(["the seed", *nuisance])
        among = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
        raise FactorError(f"{', '.join(sweeps)}: nothing varies among {among} but {but}")


def _reference(runs: pd.DataFrame, text: str) -> tuple[str, object]:
    key, equals, level = text.partition("=")
    if not equals:
        raise FactorError(f"--reference {text}: give a factor and its level, such as model.num_layers=1")
    return resolve_factor(runs, key), parse_level(level)


def _print_choice(chosen: pd.DataFrame, console: Console) -> None:
    console.print("best by validation accuracy:")
    for row in rows_of(chosen):
        known = ("val_accuracy", "seeds", "overrides")
        levels = format_levels((key, value) for key, value in row.items() if key not in known)
        reached = METRICS["val_accuracy"].text(row["val_accuracy"])
        seeds = "1 seed" if row["seeds"] == 1 else f"{row['seeds']} seeds"
        console.print(f"  {levels}: {reached} ({seeds})", markup=False, highlight=False)


def _about_choice(choice: NuisanceChoice) -> list[str]:
    """What chose and what is compared, and how to have it confirmed on seeds that nothing has been chosen by."""
    notes = [f"warning: {line}" for line in choice.warnings]
    chosen, tested = (", ".join(map(str, seeds)) or "none" for seeds in (choice.choosing, choice.testing))
    if choice.fresh:
        return [*notes, f"chosen on seeds {chosen}, compared on the fresh seeds {tested}"]
    first = max([*choice.choosing, *choice.testing], default=-1) + 1
    notes.append(f"seeds {chosen} chose, and {tested} are compared; fresh seeds at the chosen settings would use all:")
    for row in rows_of(choice.chosen):
        given = [word for word in row["overrides"] if override_key(word) != "seed"]
        words = shlex.join([*given, f"seed=range({first},{first + 5})"])
        notes.append(f"  python -m rnn_mnist.train -m {words}")
    return notes


def _print_power(table: pd.DataFrame, differences: Sequence[float], console: Console) -> None:
    metric = table.attrs["metric"]
    power = power_table(table, [difference / METRICS[metric].scale for difference in differences])
    if power.empty:
        console.print("how many seeds would do is not known: no contrast has seeds enough to know its noise")
        return
    title = "seeds of each level to show a difference (power 0.8, at the level of each contrast)"
    console.print(tables.seeds_table(power, metric).terminal(console.width, title))


def _title(table: pd.DataFrame) -> str:
    metric, margin = METRICS[table.attrs["metric"]], table.attrs["margin"]
    unit = " in percentage points" if metric.unit == "%" else f" in {metric.unit}" if metric.unit else ""
    about = f"; ±{metric.shown(margin):g} does not matter" if margin else ""
    return f"{metric.label} of {table.attrs['runs']} runs, differences{unit}{about}"


def _about_images(runs: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """What the finite number of test images leaves open about one network."""
    counts = [find_data_set(name).counts for name in runs["data.name"].dropna().unique()]
    if table.attrs["metric"] != "test_accuracy" or table["mean"].isna().all() or len(counts) != 1 or not counts[0]:
        return []
    images = counts[0][1]
    low, high = wilson_interval(float(table["mean"].max()), images)
    return [
        f"{images:,} test images leave ±{50 * (high - low):.2f} points open about any one network, whatever the seeds"
    ]


def _mcnemar(first: str, second: str) -> None:
    test = compare_two_runs(first, second)
    print(f"first   {first}\nsecond  {second}")
    print(
        f"right in both {test.both_right}, in the first only {test.only_first}, in the second only {test.only_second}, "
    )
    print(f"in neither {test.both_wrong}; McNemar's exact test: p = {tables.p_value_text(test.p_value)}")
    print("This speaks of these two trained networks. Another seed is another network: compare settings over seeds.")
