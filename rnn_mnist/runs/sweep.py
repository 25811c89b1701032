"""``results.csv``: the table of the runs of a sweep, one row a run."""

import logging
from pathlib import Path

from filelock import FileLock

from hydra_plugins.workstation_launcher import remove_leftovers
from rnn_mnist.runs.files import RunFormatError, write_csv
from rnn_mnist.runs.record import RunRecord, find_runs, read_run, without_duplicates

log = logging.getLogger(__name__)

_RESULTS = "results.csv"

Found = dict[Path, RunRecord | str]
"""Directory of a run to its record, or to a line that says why it cannot be read."""

_known: dict[Path, Found] = {}
"""What :func:`update_results` has read in this process, by sweep."""


def update_results(sweep_directory: Path, changed: Path | None = None) -> None:
    """Bring ``results.csv`` up to date with the directories of a sweep.

    Each row comes from a run's own files, so that it is right whoever wrote them and whatever was killed. Runs whose
    files cannot be read are left out, with a warning.

    Args:
        sweep_directory: the folder of the runs.
        changed: the one run that has changed since this process last did this; None reads them all anew.

    Raises:
        OSError: if the folder cannot be written.
    """
    before = _known.get(sweep_directory, {}) if changed is not None else {}
    with _lock(sweep_directory):
        found = read_runs(sweep_directory, {run: known for run, known in before.items() if run != changed})
        _write(sweep_directory, found)
    _known[sweep_directory] = found
    for run, problem in found.items():
        if isinstance(problem, str) and before.get(run) != problem:
            log.warning("warning: left out of results.csv: %s", problem)


def read_sweep(sweep_directory: Path) -> Found:
    """Read the runs of a sweep, and bring its ``results.csv`` up to date on the way if the folder can be written."""
    try:
        with _lock(sweep_directory):
            found = read_runs(sweep_directory)
            _write(sweep_directory, found)
            return found
    except OSError:
        return read_runs(sweep_directory)


def read_runs(directory: Path, known: Found | None = None) -> Found:
    """Read the runs in a directory (see :func:`rnn_mnist.runs.record.find_runs`), but those that are ``known``."""
    known = known or {}
    return {run: known[run] if run in known else _read(run) for run in find_runs(directory)}


def is_sweep(directory: Path) -> bool:
    """Whether a folder is that of a sweep, with or without its table."""
    return (directory / _RESULTS).exists() or (directory / "sweep.json").exists()


def _read(run: Path) -> RunRecord | str:
    try:
        return read_run(run)
    except RunFormatError as error:
        return str(error)


def _lock(sweep_directory: Path) -> FileLock:
    return FileLock(sweep_directory / ".results.lock", timeout=60)


def _write(sweep_directory: Path, found: Found) -> None:
    path = sweep_directory / _RESULTS
    remove_leftovers(path)
    records, _ = without_duplicates(record for record in found.values() if isinstance(record, RunRecord))
    write_csv(path, [record.row() for record in records])
