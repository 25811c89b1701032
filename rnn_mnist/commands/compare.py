"""Does a factor matter? The effect of each level against a reference, with interval, p-value and power.

  rnn-mnist compare outputs/depth                                    every factor, against its first level
  rnn-mnist compare outputs/depth --reference model.num_layers=2     against another
  rnn-mnist compare outputs/depth --power                            how many seeds would do
  rnn-mnist compare outputs/lr --factor num_layers --nuisance optimizer.lr
                                              each depth at its own best learning rate, chosen on validation
  rnn-mnist compare --mcnemar outputs/depth/RUN outputs/depth/RUN    two single runs, image by image

Reads the runs' own files, also of a sweep that is unfinished, and needs no torch. Seeds are the replicates. The
p-values are corrected by Holm's method over the whole table, intervals are each for their own comparison. "detectable"
is the true difference that so many seeds find four times in five: a smaller one may be there, unseen.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import FactorError, find_aliases, find_factors, resolve_factor
from rnn_mnist.analysis.reading.levels import format_levels, parse_level
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.report import tables
from rnn_mnist.analysis.statistics.effects import effects
from rnn_mnist.analysis.statistics.importance import importance
from rnn_mnist.analysis.statistics.mcnemar import compare_two_runs
from rnn_mnist.analysis.statistics.nuisance import choose_nuisance
from rnn_mnist.analysis.statistics.power import power_table
from rnn_mnist.catalogues.metrics import METRICS, run_metrics
from rnn_mnist.errors import ExpectedError
from rnn_mnist.tables import Output


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
        help="the level that a factor's others are compared with (repeatable; default: its first)",
    )  # fmt: skip
    parser.add_argument(
        "--metric", default="test_accuracy", metavar="NAME", help=f"{', '.join(run_metrics())} (default test_accuracy)"
    )
    parser.add_argument(
        "--nuisance", action="append", default=[], metavar="KEY",
        help="take this factor's best level, by validation accuracy, for each combination of the others (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--method", choices=("auto", "welch", "paired"), default="auto",
        help="auto (default): paired by seed where sharing a seed shares noise (equal shapes and data), else Welch",
    )  # fmt: skip
    parser.add_argument(
        "--pool", action="store_true",
        help="compare over all levels of the other factors at once, which then count as noise (designs without a grid)",
    )  # fmt: skip
    parser.add_argument("--confidence", type=float, default=0.95, metavar="C", help="of the intervals (default 0.95)")
    parser.add_argument("--power", action="store_true", help="also: how many seeds would show how large a difference")
    parser.add_argument(
        "--differences", type=float, nargs="+", default=[0.05, 0.1, 0.2, 0.5, 1.0], metavar="D",
        help="with --power: differences to be shown, in percentage points for accuracies (default 0.05 0.1 0.2 0.5 1)",
    )  # fmt: skip
    parser.add_argument("--importance", action="store_true", help="also: the share of the variance of each factor")
    parser.add_argument("--seed", type=int, default=0, help="of the forest that --importance fits to what is no grid")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all columns; accuracies are fractions")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table as Markdown")
    parser.add_argument("--latex", type=Path, metavar="FILE", help="write the table as LaTeX (booktabs)")
    parser.add_argument(
        "--mcnemar", nargs=2, metavar="RUN",
        help="McNemar's exact test of two single runs, from their stored predictions; needs no SWEEP",
    )  # fmt: skip
    return parser


def _check_numbers(options: argparse.Namespace) -> None:
    if not 0 < options.confidence < 1:
        raise ExpectedError(f"--confidence {options.confidence}: must lie between 0 and 1")
    if min(options.differences) <= 0:
        raise ExpectedError(f"--differences {min(options.differences)}: must be greater than 0")


def _compare(options: argparse.Namespace, console: Console) -> None:
    loaded = load_runs(*options.sweeps)
    runs = loaded.frame
    factors, nuisance = ([resolve_factor(runs, name) for name in names] for names in (options.factor, options.nuisance))
    for factor in set(factors).intersection(nuisance):
        raise FactorError(
            f"{factor}: is to be compared (--factor) and to be chosen (--nuisance); it can be one of them"
        )
    references = dict(_reference(runs, text) for text in options.reference)
    notes = [f"{key} follows from {' and '.join(sources)}" for key, sources in find_aliases(runs).items()]
    notes += [f"left out: {problem}" for problem in loaded.problems]
    notes += loaded.duplicates
    if nuisance:
        choice = choose_nuisance(runs, nuisance)
        runs = choice.runs
        notes += [f"warning: {line}" for line in choice.warnings]
        _print_choice(choice.chosen, console)
    if not find_factors(runs):
        but = " and ".join(["the seed", *nuisance])
        raise FactorError(f"{', '.join(options.sweeps)}: nothing varies among {len(runs)} runs but {but}")
    table = effects(
        runs,
        factors or None,
        references,
        options.metric,
        options.method,
        confidence=options.confidence,
        pool=options.pool,
    )
    shown = tables.effects_table(table)
    console.print(shown.terminal(console.width, f"{options.metric} of {len(runs)} runs"))
    if options.power:
        _print_power(table, options.differences, console)
    if options.importance:
        shares = importance(runs, metric=options.metric, seed=options.seed)
        title = f"importance: {shares['method'].iloc[0]}"
        console.print(tables.importance_table(shares).terminal(console.width, title))
        notes += shares.attrs["notes"]
    for note in [*_about(table), *notes]:
        print(note)
    texts = {
        options.csv: tables.effects_as_text(table).to_csv(index=False),
        options.markdown: shown.markdown(),
        options.latex: shown.latex(),
    }
    for path, text in texts.items():
        if path:
            path.write_text(text, encoding="utf-8")
            print(path)


def _reference(runs: pd.DataFrame, text: str) -> tuple[str, object]:
    key, equals, level = text.partition("=")
    if not equals:
        raise FactorError(f"--reference {text}: give a factor and its level, such as model.num_layers=1")
    return resolve_factor(runs, key), parse_level(level)


def _print_choice(chosen: pd.DataFrame, console: Console) -> None:
    console.print("best by validation accuracy:")
    for row in rows_of(chosen):
        levels = format_levels((key, value) for key, value in row.items() if key not in ("val_accuracy", "n"))
        reached = METRICS["val_accuracy"].text(row["val_accuracy"])
        console.print(f"  {levels}: {reached} ({row['n']} runs)", highlight=False)


def _print_power(table: pd.DataFrame, differences: Sequence[float], console: Console) -> None:
    metric = table.attrs["metric"]
    power = power_table(table, [difference / METRICS[metric].scale for difference in differences])
    title = "seeds of each setting to show a difference (power 0.8, level 0.05, before any correction)"
    console.print(tables.seeds_table(power, metric).terminal(console.width, title))


def _about(table: pd.DataFrame) -> list[str]:
    """What a reader of the table has to know of it."""
    lines = [f"{table.attrs['family']} comparisons in the family of the p-values"]
    if METRICS[table.attrs["metric"]].unit == "%":
        lines[0] += "; differences and what is detectable in percentage points"
    widest = ((table["wilson_high"] - table["wilson_low"]) / 2).max()
    if widest == widest:
        lines.append(
            f"the finite test set leaves ±{100 * widest:.2f} points open about any one run (Wilson), whatever the seeds"
        )
    return lines


def _mcnemar(first: str, second: str) -> None:
    test = compare_two_runs(first, second)
    print(f"first   {first}\nsecond  {second}")
    print(
        f"right in both {test.both_right}, in the first only {test.only_first}, in the second only {test.only_second}, "
    )
    print(f"in neither {test.both_wrong}; McNemar's exact test: p = {tables.p_value_text(test.p_value)}")
    print("This speaks of these two trained networks. Another seed is another network: compare settings over seeds.")
