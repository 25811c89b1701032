"""The runs of one or several sweeps as one table, read from the runs' own files.

A stale ``results.csv`` never matters, an unfinished sweep is read as far as it has come, and a broken run is reported
and left out.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.run_directories import ResultsError, sweeps_in
from rnn_mnist.analysis.reading.run_tables import read_together
from rnn_mnist.catalogues.metrics import METRICS, Metric, run_metrics
from rnn_mnist.runs.files import merged_columns
from rnn_mnist.runs.record import (
    LEADING_COLUMNS,
    NUMERIC_COLUMNS,
    TRAILING_COLUMNS,
    RunRecord,
    State,
    without_duplicates,
)
from rnn_mnist.runs.sweep import is_sweep, read_runs, read_sweep


@dataclass(frozen=True)
class Runs:
    """The runs of one or several sweeps.

    Attributes:
        frame: one row a run (:meth:`rnn_mnist.runs.record.RunRecord.row`), in the order of the directories and of the
            runs' names; figures of runs that are not completed are NaN.
        records: the runs themselves, in the same order.
        problems: a line for each run that was left out because its files cannot be read.
        duplicates: a line for each run that another directory holds as well; it is counted once.
    """

    frame: pd.DataFrame
    records: tuple[RunRecord, ...]
    problems: tuple[str, ...]
    duplicates: tuple[str, ...]


def load_runs(*directories: Path | str) -> Runs:
    """The runs of these directories, each that of a sweep, of several sweeps, or of a single run.

    The ``results.csv`` of the sweeps that are read is brought up to date, where it can be written.

    Raises:
        ResultsError: if a directory does not exist or there is no run in it.
    """
    found: dict[Path, RunRecord | str] = {}
    for directory in map(Path, directories):
        real = directory.resolve()
        for folder in sweeps_in(directory):
            read = read_sweep(folder) if is_sweep(folder) else read_runs(folder)
            for run, record in read.items():
                found.setdefault(real / run.relative_to(directory), record)
    problems = tuple(problem for problem in found.values() if isinstance(problem, str))
    records, duplicates = without_duplicates(record for record in found.values() if isinstance(record, RunRecord))
    if not records:
        names = ", ".join(str(directory) for directory in directories)
        raise ResultsError(": ".join([f"{names}: no run can be read here", *problems[:1]]))
    return Runs(_frame(records), tuple(records), problems, tuple(duplicates))


def completed(runs: pd.DataFrame) -> pd.DataFrame:
    """The completed runs.

    Raises:
        ResultsError: if there is none, saying how the runs stand.
    """
    finished = runs[runs["status"] == State.completed]
    if finished.empty:
        counts = runs["status"].value_counts()
        states = ", ".join(f"{counts[state]} {state}" for state in State if state in counts)
        sweeps = ", ".join(dict.fromkeys(runs["sweep"]))
        raise ResultsError(f"{sweeps}: no completed run yet ({states or 'no runs'})")
    return finished


def check_metric(runs: pd.DataFrame, metric: str) -> Metric:
    """The metric of that name; one that the runs do not have is refused.

    Raises:
        ResultsError: if there is no such metric, naming those there are; if no run is completed, or none has it.
    """
    if metric not in run_metrics():
        raise ResultsError(f"{metric}: no such metric; there are {', '.join(run_metrics())}")
    finished = completed(runs)
    if finished[metric].isna().all():
        raise ResultsError(f"{metric}: empty in all {len(finished)} completed runs")
    return METRICS[metric]


def learning_curves(runs: pd.DataFrame) -> pd.DataFrame:
    """The epochs of all runs: all columns of ``runs``, then those of ``metrics.csv`` (``epoch`` from 1).

    Where both have a column (``val_accuracy``, ``images_per_second``) the epoch's stands, as it is what a curve shows.
    Runs without a readable ``metrics.csv`` have no rows; ``attrs["problems"]`` names those whose file is broken.
    """
    return _long_table(runs, "metrics.csv", "epoch")


def accuracy_by_step(runs: pd.DataFrame) -> pd.DataFrame:
    """The time steps of all runs: all columns of ``runs``, then those of ``accuracy_by_step.csv``.

    ``step`` counts from 1; ``test_accuracy`` is that of the classifier applied after the step.
    """
    return _long_table(runs, "accuracy_by_step.csv", "step")


def _frame(records: list[RunRecord]) -> pd.DataFrame:
    rows = [record.row() for record in records]
    texts = {*LEADING_COLUMNS, *TRAILING_COLUMNS} - {*NUMERIC_COLUMNS, "seed", "diverged"}
    columns: dict[str, pd.Series] = {}
    for column in merged_columns(rows):
        values = [row.get(column) for row in rows]
        if column in NUMERIC_COLUMNS or (column == "seed" and None in values):
            columns[column] = pd.Series(values, dtype=float)
        elif column in texts:
            columns[column] = pd.Series(values, dtype=object)
        else:
            columns[column] = _config_column(values)
    return pd.DataFrame(columns)


def _config_column(values: list[Any]) -> pd.Series:
    """Numbers as numbers; whatever else, and None among it, as the Python objects that they are."""
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return pd.Series(values, dtype=bool)
    if kinds == {int}:
        return pd.Series(values, dtype=int)
    if kinds and kinds <= {int, float}:
        return pd.Series(values, dtype=float)
    return pd.Series(values, dtype=object)


def _long_table(runs: pd.DataFrame, file_name: str, counter: str) -> pd.DataFrame:
    rows, positions, problems = read_together([Path(each) / file_name for each in runs["directory"]], counter)
    of_runs = runs.drop(columns=[column for column in rows.columns if column in runs.columns])
    long = pd.concat([of_runs.iloc[positions].reset_index(drop=True), rows], axis=1)
    long.attrs = {"problems": problems}
    return long
