"""List the runs of one or several sweeps: state, accuracies, path, and for those that failed the cause.

rnn-mnist runs outputs/depth
rnn-mnist runs outputs/depth --failed      only those, with their causes
rnn-mnist runs outputs/depth --best 3      the three with the highest validation accuracy
rnn-mnist runs outputs/depth --clean       remove those that failed, after asking
rnn-mnist runs outputs/depth --drop-weights    keep figures and predictions alone, after asking

Accuracies are in per cent. The best run is chosen on validation accuracy, or on test accuracy where no images were held
out for validation.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.results import completed, load_runs
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.cleaning import remove_failed, remove_weights
from rnn_mnist.runs.record import RunRecord, State
from rnn_mnist.tables import Cell, Column, Content, Output, Table


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="rnn-mnist runs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweeps", nargs="+", metavar="SWEEP", help="directory of a sweep, or of a single run")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--failed", action="store_true", help="only the runs that failed")
    chosen.add_argument("--best", type=int, metavar="N", help="only the N best completed runs, best first")
    chosen.add_argument("--clean", action="store_true", help="remove the failed runs: their directories and rows")
    chosen.add_argument(
        "--drop-weights",
        action="store_true",
        help="remove weights and checkpoints of the completed runs, which stay so",
    )
    parser.add_argument("--yes", action="store_true", help="with --clean and --drop-weights: do not ask")
    options = parser.parse_args(arguments)
    if options.yes and not (options.clean or options.drop_weights):
        parser.error("--yes: only with --clean and --drop-weights")
    if options.best is not None and options.best < 1:
        parser.error(f"--best {options.best}: must be at least 1")
    loaded = load_runs(*options.sweeps)
    if options.drop_weights:
        _drop_weights([record for record in loaded.records if record.state == State.completed], sure=options.yes)
        return
    runs = loaded.frame
    if options.failed or options.clean:
        runs = runs[runs["status"] == State.failed]
    elif options.best:
        runs = best(runs, options.best)
    if runs.empty:
        print("no run has failed")
    else:
        output = Output()
        output.print(_table(runs).terminal(output.width))
    for problem in [*loaded.problems, *loaded.duplicates]:
        print(f"warning: {problem}", file=sys.stderr)
    if options.clean and not runs.empty:
        _clean([record for record in loaded.records if record.state == State.failed], sure=options.yes)


def best(runs: pd.DataFrame, count: int) -> pd.DataFrame:
    """The rows of the ``count`` completed runs whose return value is highest, highest first.

    Raises:
        ResultsError: if no run is completed.
    """
    finished = completed(runs)
    value = finished["val_accuracy"].fillna(finished["test_accuracy"])
    return finished.loc[value.sort_values(ascending=False, kind="stable").index[:count]]


def _clean(failed: Sequence[RunRecord], *, sure: bool) -> None:
    """Remove runs, if that is meant.

    Raises:
        ExpectedError: if nobody can be asked, or a command is at work on their sweep.
    """
    what = f"{len(failed)} failed {'run' if len(failed) == 1 else 'runs'}"
    if sure or _is_meant("--clean", what, "directories and rows"):
        removed = remove_failed(failed)
        print(f"removed {len(removed)} of {what}")


def _drop_weights(completed_runs: Sequence[RunRecord], *, sure: bool) -> None:
    """Remove the weights of runs, if that is meant.

    Raises:
        ExpectedError: if nobody can be asked, or a run is in use.
    """
    count = len(completed_runs)
    what = f"weights and checkpoints of {count} {'run' if count == 1 else 'runs'}"
    if sure or _is_meant("--drop-weights", what, "which nothing brings back but training"):
        runs, size = remove_weights(completed_runs)
        print(f"removed the weights of {runs} {'run' if runs == 1 else 'runs'}: {size / 2**20:.1f} MiB")


def _is_meant(option: str, what: str, more: str) -> bool:
    if not sys.stdin.isatty():
        raise ExpectedError(f"{option}: nobody is there to be asked; --yes removes {what}")
    if input(f"remove {what}, {more}? [y/N] ").strip().lower() in ("y", "yes"):
        return True
    print("nothing is removed")
    return False


def _table(runs: pd.DataFrame) -> Table:
    failures = bool(runs["error"].notna().any())
    columns = [
        Column("state"),
        Column("validation %", Content.number),
        Column("test %", Content.number),
        Column("run", Content.code),
        *([Column("cause", Content.sentence)] if failures else []),
    ]
    return Table(tuple(columns), tuple(_row(row, failures=failures) for row in rows_of(runs)))


def _row(row: Mapping[str, Any], *, failures: bool) -> tuple[Cell, ...]:
    cells = [Cell(row["status"], row["status"])]
    cells += [Cell(_per_cent(row[column]), row[column]) for column in ("val_accuracy", "test_accuracy")]
    cells += [Cell(text, text) for text in (row["directory"], *([row["error"] or ""] if failures else []))]
    return tuple(cells)


def _per_cent(accuracy: float) -> str:
    return f"{100 * accuracy:.2f}" if accuracy == accuracy else "-"
