"""Removing what is no longer wanted of a sweep: failed runs, and the weights of completed ones."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock, Timeout

from hydra_plugins.workstation_launcher import State, write_json
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.files import read_json
from rnn_mnist.runs.record import RunRecord, read_run
from rnn_mnist.runs.run import Run, RunInUseError
from rnn_mnist.runs.sweep import update_results

_DOOMED = ".removed-"


class SweepInUseError(ExpectedError):
    """A command is at work on the sweep."""


def remove_failed(records: Iterable[RunRecord]) -> list[Path]:
    """Remove the directories of those runs that have failed, and their rows.

    What is completed, running or to be carried on stays, whatever a record said when it was read. A link is not
    followed.

    Returns:
        The directories that are gone, as absolute paths.

    Raises:
        SweepInUseError: if a command is at work on a sweep that one of them belongs to; nothing of it is removed.
        OSError: if a folder cannot be written.
    """
    sweeps: dict[Path, list[Path]] = {}
    for record in records:
        if not record.directory.is_symlink():
            run = record.directory.resolve()  # the parent of "." is "."
            sweeps.setdefault(run.parent, []).append(run)
    return [run for sweep, runs in sweeps.items() for run in _remove_from(sweep, runs)]


def remove_weights(records: Iterable[RunRecord]) -> tuple[int, int]:
    """Remove ``model.pt`` and ``checkpoint.pt`` of completed runs, which stay completed; a link is not followed.

    Returns:
        How many runs had any, and the bytes that they took.

    Raises:
        RunInUseError: if a process is at work on one of them.
        ExpectedError: if the files of one are not whole.
    """
    freed = [
        Run(record.directory).remove_weights()
        for record in records
        if record.state == State.completed and not record.directory.is_symlink()
    ]
    return sum(size > 0 for size in freed), sum(freed)


def _remove_from(sweep: Path, runs: Iterable[Path]) -> list[Path]:
    try:
        with FileLock(sweep / ".lock", timeout=0):
            for leftover in sweep.glob(f"{_DOOMED}*"):  # of a clean that was killed
                shutil.rmtree(leftover)
            removed = [run for run in runs if _remove(run)]
            content = read_json(sweep / "sweep.json")
            gone = {run.name for run in removed}
            if content.get("jobs"):
                kept = {key: job for key, job in content["jobs"].items() if job.get("directory") not in gone}
                write_json(sweep / "sweep.json", {**content, "jobs": kept})
            update_results(sweep)
    except Timeout:
        raise SweepInUseError(f"{sweep}: a command is at work on this sweep; nothing is removed") from None
    return removed


def _remove(directory: Path) -> bool:
    run = Run(directory)
    try:
        run.lock()
    except RunInUseError:
        return False
    try:
        if read_run(directory).state != State.failed:
            return False
        # Under a hidden name it is no run any more: a kill in the middle leaves none that looks whole.
        doomed = directory.with_name(f"{_DOOMED}{directory.name}"[:255])
        directory.rename(doomed)
    finally:
        run.unlock()
    shutil.rmtree(doomed)
    return True
