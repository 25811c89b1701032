"""``results.csv``: the table of the runs of a sweep, one row a run."""

import atexit
import contextlib
import logging
import os
import time
from collections.abc import Collection
from pathlib import Path

from filelock import FileLock

from hydra_plugins.workstation_launcher import is_inside, remove_leftovers, set_aside
from rnn_mnist.runs.files import RunFormatError, read_json, write_csv
from rnn_mnist.runs.record import RunRecord, find_runs, read_run, without_duplicates

log = logging.getLogger(__name__)

_RESULTS = "results.csv"

Found = dict[Path, RunRecord | str]
"""Directory of a run to its record, or to a line that says why it cannot be read."""

_known: dict[Path, Found] = {}
"""What :func:`update_results` has read in this process, by sweep."""
_late: dict[Path, set[Path]] = {}
"""The runs of a sweep that have changed since its table was written."""
_rests_until: dict[Path, float] = {}
"""When, of ``time.monotonic``, a sweep's table may be written again for one run that has changed."""

_LONG_SECONDS = 0.1
_SHARE = 20
"""A table of thousands of runs, which takes long to write, is written for at most one of so many parts of the time."""


def update_results(sweep_directory: Path, changed: Path | None = None) -> None:
    """Bring ``results.csv`` up to date with the directories of a sweep.

    Each row comes from a run's own files, so that it is right whoever wrote them and whatever was killed. Runs whose
    files cannot be read are left out, with a warning. Where that takes long because there are thousands, it is not done
    for each run that has changed, but for several at once; at the end of the process at the latest.

    Args:
        sweep_directory: the folder of the runs.
        changed: the one run that has changed since this was last called in this process; None reads them all anew.

    Raises:
        OSError: if the folder cannot be written.
    """
    if changed is not None:
        _late.setdefault(sweep_directory, set()).add(changed)
        if time.monotonic() < _rests_until.get(sweep_directory, 0.0):
            atexit.unregister(_catch_up)
            atexit.register(_catch_up)
            return
    _bring_up_to_date(sweep_directory, None if changed is None else _late[sweep_directory])


def _catch_up() -> None:
    for sweep_directory, changed in list(_late.items()):
        with contextlib.suppress(OSError):  # whoever reads the runs writes it
            _bring_up_to_date(sweep_directory, changed)


def _bring_up_to_date(sweep_directory: Path, changed: Collection[Path] | None) -> None:
    begun = time.monotonic()
    before = {} if changed is None else _known.get(sweep_directory, {})
    with _lock(sweep_directory):
        found = read_runs(sweep_directory, {run: known for run, known in before.items() if run not in (changed or ())})
        _write(sweep_directory, found)
    _known[sweep_directory] = found
    _late.pop(sweep_directory, None)
    ended = time.monotonic()
    if ended - begun >= _LONG_SECONDS:
        _rests_until[sweep_directory] = ended + _SHARE * (ended - begun)
    for run, problem in found.items():
        if isinstance(problem, str) and before.get(run) != problem:
            log.warning("warning: left out of results.csv: %s", problem)


def read_sweep(sweep_directory: Path) -> Found:
    """Read the runs of a sweep, and bring its ``results.csv`` up to date on the way if the folder can be written."""
    try:
        with _lock(sweep_directory):
            found = read_runs(sweep_directory)
            _write(sweep_directory, found)
            _late.pop(sweep_directory, None)
            return found
    except OSError:
        return read_runs(sweep_directory)


def read_runs(directory: Path, known: Found | None = None) -> Found:
    """Read the runs in a directory (see :func:`rnn_mnist.runs.record.find_runs`), but those that are ``known``."""
    known = known or {}
    return {run: known[run] if run in known else _read(run) for run in find_runs(directory)}


def planned_runs(sweep_directory: Path) -> list[Path]:
    """The directories of the runs that a sweep has planned, but those that would lie elsewhere.

    Raises:
        RunFormatError: if its ``sweep.json`` cannot be read.
    """
    places = [job["directory"] for job in read_json(sweep_directory / "sweep.json").get("jobs", {}).values()]
    return [sweep_directory / place for place in places if is_inside(sweep_directory, place)]


def is_sweep(directory: Path) -> bool:
    """Whether a folder is that of a sweep, with or without its table."""
    return any(os.path.lexists(directory / name) for name in (_RESULTS, "sweep.json"))


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
    if path.is_dir() and not path.is_symlink():
        log.warning("warning: %s was a folder; it is kept as %s", path, set_aside(path).name)
    records, _ = without_duplicates(record for record in found.values() if isinstance(record, RunRecord))
    write_csv(path, [record.row() for record in records])
