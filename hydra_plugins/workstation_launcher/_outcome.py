"""How a job ended: what the record that its process left says, and what the end of the process itself says."""

import signal
from pathlib import Path

from hydra_plugins.workstation_launcher._disk import EXIT_STATUS
from hydra_plugins.workstation_launcher._records import RecordFormatError, State, Status, read_status


def final_status(directory: Path, begun: Status, stopped: str | None, death: str) -> tuple[Status, bool]:
    """The record of a job whose process has ended, and whether it says more than the one on disk.

    Args:
        directory: the job's.
        begun: the record with which it started.
        stopped: why the launcher ended it, if it did.
        death: what :func:`death` says of the process.
    """
    try:
        status = read_status(directory)
    except RecordFormatError:  # whatever the application has put there
        status = None
    if status is None or status.attempt_id != begun.attempt_id:
        status = begun
    status.begun = begun.begun
    interrupted = stopped == State.interrupted
    # An app may turn an interruption into an exception or an exit status of its own.
    amended = not status.is_final or (status.state == State.failed and interrupted)
    if amended:
        error = f"{death}; then {status.error}" if status.state == State.failed else death
        status.finish(State.interrupted if interrupted else State.failed, error)
    return status, amended


def death(stopped: str | None, exit_status: int | None, error: str | None = None) -> str:
    """Why a process ended that has not said so itself.

    Args:
        stopped: the launcher's reason, if it ended it.
        exit_status: as ``subprocess`` has it; None if the process that starts the jobs ended with all of them.
        error: why the process could not be started, if that is so.
    """
    if stopped is not None or error is not None:
        return stopped or str(error)
    if exit_status is None:
        return "killed together with the process that starts the jobs"
    if exit_status == EXIT_STATUS:
        return "its process could not write what it must, and gave up"
    if exit_status >= 0:
        return f"its process ended with exit status {exit_status} before the job was done"
    known = -exit_status in list(signal.Signals)  # those between SIGRTMIN and SIGRTMAX have no name
    name = signal.Signals(-exit_status).name if known else f"signal {-exit_status}"
    hint = " (the system does that when memory runs out)" if name == "SIGKILL" else ""
    return f"killed by {name}{hint}"
