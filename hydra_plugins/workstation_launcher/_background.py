"""A sweep that goes on when the terminal is closed, and a look at it from another command."""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra_plugins.workstation_launcher._devices import Plan, Slot
from hydra_plugins.workstation_launcher._display import Display, finish
from hydra_plugins.workstation_launcher._forecast import Forecast
from hydra_plugins.workstation_launcher._leaving import flush_streams
from hydra_plugins.workstation_launcher._lock import SweepInUseError, SweepLock
from hydra_plugins.workstation_launcher._records import RecordFormatError, State, SweepRecord, read_status
from hydra_plugins.workstation_launcher._server_start import descriptors_of
from hydra_plugins.workstation_launcher._sweep import Job

log = logging.getLogger("hydra_plugins.workstation_launcher")

OUTPUT_OF_SWEEP = "sweep.log"
_LOOK_SECONDS = 0.5
_MOST_LOOKED_AT = 500
"""Records that are read in one turn."""


def go_on_in_background(directory: Path, lock: Path | None) -> int:
    """Fork: the process that was called gets the other's number, and the other, which has no terminal, gets 0.

    Args:
        directory: the sweep's, where the other's output goes.
        lock: the file by which this process keeps others out of it, and the other from now on.

    Raises:
        OSError: if the system allows of no more processes, or the output's file cannot be opened.
    """
    output = os.open(directory / OUTPUT_OF_SWEEP, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    # A lock is an open file's. Of those that a library knows of, it may close its own in a fork.
    for descriptor in descriptors_of(lock):
        os.dup(descriptor)
    flush_streams()
    process = os.fork()
    if process == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        for descriptor, standard in ((null, 0), (output, 1), (output, 2)):
            os.dup2(descriptor, standard)
        os.close(null)
    os.close(output)
    return process


def leave_at_once() -> None:
    """End this process as it stands: all that it would do at its end is the other's to do."""
    flush_streams()
    os._exit(0)


def enter_or_watch(
    lock: SweepLock, directory: Path, plan: Plan, look: Callable[[], tuple[SweepRecord, list[Job]]]
) -> bool:
    """Keep others out of a sweep; one that runs in the background is watched until it has ended.

    Returns:
        Whether there was one to watch.

    Raises:
        SweepInUseError: if another command is at work on it before the user's eyes.
        SystemExit: with status 130, when the user has seen enough.
    """

    def take() -> None:
        lock.take(lambda: SweepRecord.load(directory).content)

    def is_free() -> bool:
        with contextlib.suppress(SweepInUseError):
            take()
            return True
        return False

    if is_free():
        return False
    record, jobs = look()
    if not is_in_background(record.content):
        take()  # which says who has it
    process = record.content.get("pid")
    log.info("sweep %s: in the background (process %s); Ctrl-C leaves it there", directory, process)
    try:
        with Display(jobs, Forecast(jobs, plan, None)) as view:
            Watch(jobs, view).until(is_free)
    except KeyboardInterrupt:
        log.info("it goes on in the background; kill -INT %s stops it", process)
        finish()
        sys.exit(130)
    return True


def is_in_background(owner: Mapping[str, Any]) -> bool:
    """Whether the command that wrote a sweep's record runs it in the background."""
    return owner.get("background") is True


class Watch:
    """Follows a sweep by its records."""

    def __init__(self, jobs: Sequence[Job], display: Display) -> None:
        """``jobs`` are those of this command that were not done when it looked first."""
        self._display = display
        self._open = {job.number: job for job in jobs if job.is_to_run}
        self._seen: dict[int, tuple[str, float]] = {}
        """Attempt of the jobs that run, and when that was seen first."""
        self._turn = 0

    def until(self, is_over: Callable[[], bool]) -> None:
        """Show what becomes of the jobs until something holds that is asked for now and then."""
        while not is_over():
            self._look()
            self._display.refresh(self._running, self._waiting)
            time.sleep(_LOOK_SECONDS)
        self._turn = 0
        for _ in range(0, len(self._open), _MOST_LOOKED_AT):
            self._look()

    def _look(self) -> None:
        numbers = list(self._open)
        turn = numbers[self._turn : self._turn + _MOST_LOOKED_AT]
        self._turn = self._turn + _MOST_LOOKED_AT if self._turn + _MOST_LOOKED_AT < len(numbers) else 0
        for number in {*turn, *self._seen}:
            self._look_at(self._open[number])

    def _look_at(self, job: Job) -> None:
        with contextlib.suppress(RecordFormatError):
            status = read_status(job.directory)
            if status is None or (job.earlier is not None and status == job.earlier and status.is_final):
                return
            if not status.is_final:
                if status.state == State.running and self._seen.get(job.number, ("", 0.0))[0] != status.attempt_id:
                    self._seen[job.number] = status.attempt_id, time.monotonic()
                    self._display.started(job, Slot(status.device or "", {}), 1)
                return
            job.status = status
            del self._open[job.number]
            self._seen.pop(job.number, None)
            self._display.ended(job)

    def _running(self) -> list[tuple[Job, Slot, float]]:
        return [
            (self._open[number], Slot("", {}), time.monotonic() - since) for number, (_, since) in self._seen.items()
        ]

    def _waiting(self) -> list[Job]:
        return [job for number, job in self._open.items() if number not in self._seen]
