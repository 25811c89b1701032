"""List the runs of one or several sweeps: state, accuracies, path, and for those that failed the cause.

rnn-mnist runs outputs/depth
rnn-mnist runs outputs/depth --failed      only those, with their causes
rnn-mnist runs outputs/depth --best 3      the three with the highest validation accuracy

Accuracies are in per cent. The best run is chosen on validation accuracy, or on test accuracy where no images were held
out for validation.
"""

import argparse
import sys
from collections.abc import Sequence

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.results import completed, load_runs
from rnn_mnist.runs.record import State
from rnn_mnist.tables import Output


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="rnn-mnist runs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweeps", nargs="+", metavar="SWEEP", help="directory of a sweep, or of a single run")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--failed", action="store_true", help="only the runs that failed")
    chosen.add_argument("--best", type=int, metavar="N", help="only the N best completed runs, best first")
    options = parser.parse_args(arguments)
    if options.best is not None and options.best < 1:
        parser.error(f"--best {options.best}: must be at least 1")
    loaded = load_runs(*options.sweeps)
    runs = loaded.frame
    if options.failed:
        runs = runs[runs["status"] == State.failed]
    elif options.best:
        runs = best(runs, options.best)
    if runs.empty:
        print("no run has failed")
    else:
        Output().print(_table(runs))
    for problem in [*loaded.problems, *loaded.duplicates]:
        print(f"warning: {problem}", file=sys.stderr)


def best(runs: pd.DataFrame, count: int) -> pd.DataFrame:
    """The rows of the ``count`` completed runs whose return value is highest, highest first.

    Raises:
        ResultsError: if no run is completed.
    """
    finished = completed(runs)
    value = finished["val_accuracy"].fillna(finished["test_accuracy"])
    return finished.loc[value.sort_values(ascending=False, kind="stable").index[:count]]


def _table(runs: pd.DataFrame) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("state")
    for heading in ("validation %", "test %"):
        table.add_column(heading, justify="right")
    failures = runs["error"].notna().any()
    for heading in ("run", *(["cause"] if failures else [])):
        table.add_column(heading, overflow="fold")
    for row in rows_of(runs):
        accuracies = [_per_cent(row[column]) for column in ("val_accuracy", "test_accuracy")]
        cells = [row["status"], *accuracies, row["directory"], *([row["error"] or ""] if failures else [])]
        # Text, as a bracket in a path is a bracket.
        table.add_row(*map(Text, cells))
    return table


def _per_cent(accuracy: float) -> str:
    return f"{100 * accuracy:.2f}" if accuracy == accuracy else ""
