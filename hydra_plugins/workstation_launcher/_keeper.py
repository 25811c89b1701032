"""What watches a job on a machine that is not the launching one: it keeps the job's record, and tells it when to stop.

The launching process may be gone, and comes to know all that it must from the record. The job is an interpreter of its
own below this one, and is gone when this one is.
"""

import contextlib
import dataclasses
import itertools
import json
import os
import select
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from types import FrameType

from hydra_plugins.workstation_launcher._atomic_files import write_atomically
from hydra_plugins.workstation_launcher._disk import EXIT_STATUS
from hydra_plugins.workstation_launcher._fork_server import memory_file
from hydra_plugins.workstation_launcher._messages import Report, Start, report_in
from hydra_plugins.workstation_launcher._new_interpreter import Content, Spawning, work_alone
from hydra_plugins.workstation_launcher._outcome import death, final_status
from hydra_plugins.workstation_launcher._plain_files import read_plain
from hydra_plugins.workstation_launcher._processes import adopt_orphans, children, kill_children, send_signal
from hydra_plugins.workstation_launcher._progress import LONGEST_LINE, line_of
from hydra_plugins.workstation_launcher._records import RecordFormatError, State, Status, now, read_status

PROGRESS = ".progress"
"""The last line that a job has reported, in its directory."""
STOP = ".stop"
"""Where a launching process that has no other way to a job puts the attempt that it wants to stop."""
_LOOK_SECONDS = 0.5
_PROGRESS_SECONDS = 2.0
"""How often that is written at most."""
_DUMP_SECONDS = 0.5
_KILL_SECONDS = 10.0
_MOST_REPORTS = 100
"""Jobs whose reports are passed on in one turn."""
_RECORD_SECONDS = 30.0
"""How long the record that a launching process has written may take to be seen here."""


def work_told_by_term() -> None:
    """Main function of a job below a keeper: ``SIGTERM`` is a ``KeyboardInterrupt``, as Ctrl-C is on a workstation.

    A cluster sends it to all processes of a job at once, and the keeper once more; the first counts.
    """
    told: list[int] = []
    job = os.getpid()

    def tell(number: int, _frame: FrameType | None) -> None:
        if os.getpid() != job:  # a process that the task has forked ends as it would under any other parent
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif not told:
            told.append(number)
            os.kill(job, signal.SIGINT)

    signal.signal(signal.SIGTERM, tell)
    # Ray's processes keep Ctrl-C from themselves, and from what they start.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGUSR1})
    work_alone()


def own_record(directory: Path, attempt_id: str, seconds: float = _RECORD_SECONDS) -> Status | None:
    """The record in a job's directory, if it is that of this very attempt and this has not ended.

    Where another command has taken the job up since, it is not: whoever comes late must not run it a second time.
    """
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            os.listdir(directory)  # noqa: PTH208 - on NFS, a look into a folder is what makes its files be looked up anew
        with contextlib.suppress(RecordFormatError):
            status = read_status(directory)
            if status is not None and status.attempt_id == attempt_id:
                return None if status.state in (State.completed, State.failed) else status
        if time.monotonic() > deadline:
            return None
        time.sleep(_LOOK_SECONDS)


def pass_on_reports(jobs: Iterable[tuple[Path, int]], progress: int) -> None:
    """Write what jobs have reported last, of each its directory and number, to the pipe of the display."""
    for directory, number in itertools.islice(jobs, _MOST_REPORTS):
        line = _last_report(directory, number)
        if line is not None:
            with contextlib.suppress(OSError):
                os.write(progress, line)


def _last_report(directory: Path, number: int) -> bytes | None:
    """What the job in a directory has reported last, as a line of the pipe to the display; None if nothing.

    Args:
        directory: the job's.
        number: what the display knows it by.
    """
    try:
        said = json.loads(read_plain(directory / PROGRESS, LONGEST_LINE))
        return line_of(number, str(said["message"]), said.get("done"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _is_to_stop(directory: Path, attempt_id: str) -> bool:
    with contextlib.suppress(OSError):
        return read_plain(directory / STOP, LONGEST_LINE) == attempt_id.encode()
    return False


class Keeper:
    """Runs one job, and watches it."""

    def __init__(self, content: Content, start: Start, status: Status) -> None:
        """``status`` is the record with which this attempt starts."""
        self._order = start.order
        self._start = start
        self._spawning = Spawning(content, "work_told_by_term", "_keeper")
        self._status = dataclasses.replace(status, state=State.running, started=now(), pid=os.getpid(), ended=None)
        self._process = 0
        self.report = Report()
        self._stopped: str | None = None
        self._unread = b""
        self._next_note = 0.0

    @property
    def was_told_to_stop(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopped == State.interrupted

    def stop(self) -> None:
        """Tell the job to stop, as Ctrl-C would; may be called by a signal's handler."""
        self._stopped = self._stopped or State.interrupted
        if self._process:
            send_signal(self._process, signal.SIGTERM)

    def run(self) -> Status:
        """Run the job to its end, and give its final record, which stands on disk.

        Raises:
            OSError: if the record cannot be written.
        """
        directory = self._order.directory
        directory.mkdir(parents=True, exist_ok=True)
        self._status.write(directory)
        adopt_orphans()
        not_its = children()
        progress, theirs = os.pipe()
        os.set_blocking(theirs, False)
        os.set_inheritable(theirs, True)  # noqa: FBT003 - it takes no keyword
        order = dataclasses.replace(self._order, status=self._status, progress=theirs)
        report = memory_file()
        if self._stopped is None:
            self._process = self._spawning.start(dataclasses.replace(self._start, order=order), report)
            if self._stopped is not None:
                self.stop()
        os.close(theirs)
        exit_status = self._watch(progress)
        self._process = 0
        os.close(progress)
        kill_children(lambda process: process not in not_its, _KILL_SECONDS)  # what it has left
        with os.fdopen(report, "rb") as file:
            file.seek(0)
            self.report = report_in(file.read())
        how = self.report.trouble or death(self._stopped, exit_status)
        status, amended = final_status(directory, self._status, self._stopped, how)
        if amended:
            status.died = not self.was_told_to_stop
            status.write(directory)
        for name in (PROGRESS, STOP):
            with contextlib.suppress(OSError):
                (directory / name).unlink()
        return status

    def _watch(self, progress: int) -> int:
        """Wait for the end of the job's process; its exit status."""
        if not self._process:
            return EXIT_STATUS
        limit = self._order.timeout_seconds
        deadline = float("inf") if limit is None else time.monotonic() + limit
        listens = True
        while True:
            if os.waitid(os.P_PID, self._process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                # While it has not been waited for, the number of its session cannot be given to another.
                send_signal(self._process, signal.SIGKILL)
                return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
            if self._stopped is None and _is_to_stop(self._order.directory, self._status.attempt_id):
                self.stop()
            if time.monotonic() > deadline:
                deadline = self._end_for_time(limit or 0)
            readable, _, _ = select.select([progress] if listens else [], [], [], _LOOK_SECONDS)
            if readable:
                listens = self._note_progress(progress)

    def _end_for_time(self, limit: float) -> float:
        if self._stopped is None:
            self._stopped = f"stopped after timeout_minutes={limit / 60:g}; where it stood is at the end of its log"
            send_signal(self._process, signal.SIGUSR1)
            return time.monotonic() + _DUMP_SECONDS
        send_signal(self._process, signal.SIGKILL)
        return float("inf")

    def _note_progress(self, progress: int) -> bool:
        """Take in what the job reports, and write the last of it where the launching process finds it."""
        content = os.read(progress, 1 << 16)
        *lines, rest = (self._unread + content).split(b"\n")
        self._unread = rest[-LONGEST_LINE:]
        if lines and time.monotonic() >= self._next_note:
            self._next_note = time.monotonic() + _PROGRESS_SECONDS
            with contextlib.suppress(OSError):
                write_atomically(self._order.directory / PROGRESS, lines[-1] + b"\n")
        return bool(content)
