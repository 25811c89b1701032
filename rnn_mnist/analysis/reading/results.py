"""The runs of one or several sweeps as one table, read from the runs' own files.

A stale ``results.csv`` never matters, an unfinished sweep is read as far as it has come, and a broken run is reported
and left out.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnn_mnist.analysis.reading.columns import LEADING_COLUMNS, TRAILING_COLUMNS, config_keys
from rnn_mnist.analysis.reading.factors import find_aliases, find_factors
from rnn_mnist.analysis.reading.run_directories import ResultsError, died_before_its_manifest, run_directories
from rnn_mnist.catalogues.metrics import METRICS, Metric, run_metrics
from rnn_mnist.configuration.identity import flatten
from rnn_mnist.runs.run import RunFormatError, read_json
from rnn_mnist.runs.sweep import RESULT_COLUMNS

__all__ = [
    "STATUSES",
    "ResultsError",
    "accuracy_by_step",
    "check_metric",
    "completed",
    "config_keys",
    "find_aliases",
    "find_factors",
    "learning_curves",
    "load_predictions",
    "load_runs",
]

STATUSES = ("completed", "failed", "interrupted", "running")

# Top-level keys of a configuration that have a column of their own, or say nothing of the run.
_NOT_CONFIG_COLUMNS = ("seed", "sweep", "resume", "question")


def load_runs(*directories: Path | str) -> pd.DataFrame:
    """One row a run, in the order of the directories and of the runs' names.

    Args:
        directories: each the directory of a sweep, of several sweeps, or of a single run.

    Returns:
        The leading columns of :mod:`rnn_mnist.analysis.reading.columns`, every configuration key under its dotted
        name (None where a run does not have the key), and the trailing columns. Accuracies are fractions; figures of
        runs that are not completed are NaN. ``overrides`` is a tuple of those on the command line.

        ``attrs["problems"]`` has a line for each run that was left out because its files cannot be read,
        ``attrs["duplicates"]`` one for each run that another directory holds as well: counted twice, it would pass for
        a replicate.

    Raises:
        ResultsError: if a directory does not exist or there is no run in it.
    """
    problems: list[str] = []
    rows: dict[Path, dict[str, Any]] = {}
    for directory in directories:
        for run in run_directories(Path(directory), problems):
            identity = run.resolve()
            if identity in rows:
                continue
            try:
                rows[identity] = _row(run)
            except RunFormatError as error:
                problems.append(str(error))
            except (OSError, KeyError, TypeError, AttributeError) as error:
                problems.append(f"{run}: not the files of a run ({type(error).__name__}: {error}); left out")
    if not rows:
        names = ", ".join(str(directory) for directory in directories)
        reason = f": {problems[0]}" if problems else ""
        raise ResultsError(f"{names}: no run can be read here{reason}")
    kept, duplicates = _without_duplicates(list(rows.values()))
    frame = _frame(kept)
    frame.attrs["problems"] = problems
    frame.attrs["duplicates"] = duplicates
    return frame


def completed(runs: pd.DataFrame) -> pd.DataFrame:
    """The completed runs.

    Raises:
        ResultsError: if there is none, saying how the runs stand.
    """
    finished = runs[runs["status"] == "completed"]
    if finished.empty:
        counts = runs["status"].value_counts()
        states = ", ".join(f"{counts[state]} {state}" for state in STATUSES if state in counts)
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


def load_predictions(directory: Path | str) -> np.ndarray:
    """``predictions.npy`` of a run: uint8 ``[image]``, the predicted class of each test image.

    Raises:
        ResultsError: if it is missing or broken.
    """
    path = Path(directory) / "predictions.npy"
    try:
        predictions: np.ndarray = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise ResultsError(f"{path}: no such file; has the run completed?") from None
    except (OSError, ValueError, EOFError) as error:
        raise ResultsError(f"{path}: unreadable: {error}") from error
    if predictions.ndim != 1 or predictions.dtype != np.uint8:
        raise ResultsError(f"{path}: {predictions.dtype} of shape {predictions.shape}, not a vector of uint8")
    return predictions


def _row(run: Path) -> dict[str, Any]:
    manifest, status = read_json(run / "manifest.json"), read_json(run / "status.json")
    if not manifest:
        raise RunFormatError(died_before_its_manifest(run))
    # A kill between the removal of an old state and the writing of the next leaves none.
    state = status.get("state", "interrupted")
    if state not in STATUSES:
        raise RunFormatError(f"{run / 'status.json'}: unknown state {state!r}")
    result: dict[str, Any] = {}
    if state == "completed":
        result = read_json(run / "result.json")
        if result.get("run_id") != manifest["run_id"]:
            raise RunFormatError(f"{run}: completed, but its result.json is {'another run' if result else 'missing'}")
    config = flatten(manifest["config"])
    return {
        "sweep": run.absolute().parent.name,
        "directory": str(run),
        "run": run.absolute().name,
        "run_id": manifest["run_id"],
        "setting_id": manifest["setting_id"],
        "status": state,
        "seed": config["seed"],
        **{column: result.get(column) for column in RESULT_COLUMNS},
        "commit": manifest["code"]["commit"],
        "error": status.get("error"),
        "question": config.get("question"),
        "overrides": tuple(manifest.get("overrides") or ()),
        "config": {key: _hashable(value) for key, value in config.items() if key not in _NOT_CONFIG_COLUMNS},
    }


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, list) else value


def _without_duplicates(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Each run once: of several copies the first completed one, else the first."""
    chosen: dict[str, dict[str, Any]] = {}
    for row in rows:
        earlier = chosen.get(row["run_id"])
        if earlier is None or (row["status"] == "completed" and earlier["status"] != "completed"):
            chosen[row["run_id"]] = row
    duplicates = [
        f"{row['directory']}: the same run as {chosen[row['run_id']]['directory']}; counted once"
        for row in rows
        if chosen[row["run_id"]] is not row
    ]
    return [row for row in rows if chosen[row["run_id"]] is row], duplicates


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    keys = _merged_order(row["config"] for row in rows)
    columns: dict[str, pd.Series] = {}
    for column in LEADING_COLUMNS:
        columns[column] = pd.Series([row[column] for row in rows], dtype=object)
    for key in keys:
        columns[key] = _config_column([row["config"].get(key) for row in rows])
    for column in TRAILING_COLUMNS:
        values = [row[column] for row in rows]
        numeric = column in run_metrics()
        columns[column] = pd.to_numeric(pd.Series(values, dtype=float)) if numeric else pd.Series(values, dtype=object)
    columns["seed"] = columns["seed"].astype(int)
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


def _merged_order(configs: Iterable[dict[str, Any]]) -> list[str]:
    """The keys of all configurations; one that only some have stands where it stands in those."""
    merged: list[str] = []
    seen: set[tuple[str, ...]] = set()
    for config in configs:
        keys = tuple(config)
        if keys in seen:
            continue
        seen.add(keys)
        place = 0
        for key in keys:
            if key in merged:
                place = merged.index(key) + 1
            else:
                merged.insert(place, key)
                place += 1
    return merged


def _long_table(runs: pd.DataFrame, file_name: str, counter: str) -> pd.DataFrame:
    tables, problems = [], []
    for position, directory in enumerate(runs["directory"]):
        path = Path(directory) / file_name
        try:
            table = pd.read_csv(path)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            problems.append(f"{path}: unreadable: {str(error).splitlines()[0]}")
            continue
        if counter not in table.columns:
            problems.append(f"{path}: no column {counter}")
            continue
        tables.append(table.assign(_position=position))
    if not tables:
        long = runs.iloc[:0].assign(**{counter: pd.Series(dtype=int)})
    else:
        rows = pd.concat(tables, ignore_index=True)
        of_runs = runs.drop(columns=[column for column in rows.columns if column in runs.columns])
        repeated = of_runs.iloc[rows["_position"].to_numpy()].reset_index(drop=True)
        long = pd.concat([repeated, rows.drop(columns="_position")], axis=1)
    long.attrs = {**runs.attrs, "problems": problems}
    return long
