"""A Slurm cluster as a place for jobs: arrays that go on when this command ends, and looks at the queue."""

import contextlib
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from omegaconf import DictConfig

from hydra_plugins.workstation_launcher import _slurm_queue as slurm
from hydra_plugins.workstation_launcher._keeper import pass_on_reports
from hydra_plugins.workstation_launcher._messages import Began, Exited, Ready, Requeued, Start, WorkOrder
from hydra_plugins.workstation_launcher._new_interpreter import Content, content_of
from hydra_plugins.workstation_launcher._orders import OrderWriter, remove_batches
from hydra_plugins.workstation_launcher._pickling import UnpicklableError, dumps_or_explain
from hydra_plugins.workstation_launcher._records import RecordFormatError, State, Status, read_status
from hydra_plugins.workstation_launcher._server_start import Setup
from hydra_plugins.workstation_launcher._slurm_options import SlurmOptions
from hydra_plugins.workstation_launcher._slurm_queue import Entry, PlaceError
from hydra_plugins.workstation_launcher._slurm_script import batch_script
from hydra_plugins.workstation_launcher._workers import ApplicationError

NAME = "slurm"
FOLDER = ".slurm"
"""Of the orders and the output of batch scripts, in the sweep's directory."""
_RECORD_SECONDS = 15.0
"""How long the record of a job that has left the queue may take to be seen here: files come late over a network."""
_LONGEST_WORDS = 500
_RELEASED = "released"
"""A file in the folder of a batch whose jobs may begin."""


@dataclass
class _Known:
    """A job that this command has in its charge."""

    number: int
    directory: Path
    attempt_id: str
    job: str = ""
    """Slurm's name of it; empty before it is submitted."""
    since: float = 0.0
    """When it was known that Slurm has it: what the queue was before that says nothing."""
    runs: bool = False
    missing_since: float | None = None


@dataclass(frozen=True)
class _Look:
    """The queue at a time, or why it is not known."""

    asked: float
    entries: Mapping[str, Entry] | None
    error: str = ""


class SlurmPlace:
    """Submits jobs as arrays, on hold until their records say what they are called, and follows them."""

    name = NAME
    queues = True
    outlives = True

    def __init__(
        self, setup: Setup, options: SlurmOptions, directory: Path, title: str, say: Callable[[str], None]
    ) -> None:
        """Of a sweep in a directory.

        Args:
            setup: what all jobs need.
            options: of the launcher.
            directory: the sweep's.
            title: what people see in the queue.
            say: tells them a line.
        """
        self._setup, self._options, self._title, self._say = setup, options, title, say
        self._folder = directory.absolute() / FOLDER
        self._content: Content | None = None
        self._writer: OrderWriter | None = None
        self._unsubmitted: list[int] = []
        self._held: dict[str, list[int]] = {}
        """Arrays that are on hold, and the tokens of their jobs."""
        self._batches: dict[str, Path] = {}
        """Their folders."""
        self._has_tidied = False
        self._known: dict[int, _Known] = {}
        self._to_cancel: list[str] = []
        self._largest_array = 0
        self._looks: queue.SimpleQueue[_Look] = queue.SimpleQueue()
        self._wake, self._wake_up = _pipe()
        self.reports, self.progress = _pipe()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_silent = False

    def opened(self) -> Self:
        """Learn how the application is made on a node.

        Raises:
            ApplicationError: if it cannot be sent there.
            PlaceError: if Slurm does not answer.
        """
        if self._content is None:
            try:
                self._content = content_of(self._setup.application)
            except UnpicklableError as error:
                raise ApplicationError(f"{error} (each job needs a new interpreter on its node)") from None
            self._largest_array = slurm.largest_array()
        if self._thread is None:
            self._ended.clear()
            self._thread = threading.Thread(target=self._look, name="Slurm's queue", daemon=True)
            self._thread.start()
        return self

    def wait_until_ready(self) -> Ready:
        """At once."""
        return Ready(main_by_value=self._content is not None and self._content.main_by_value)

    def fileno(self) -> int:
        """For ``select``: readable when the queue has been looked at."""
        return self._wake

    def start(self, token: int, order: WorkOrder, config: DictConfig) -> None:
        """Write the order of a job.

        Raises:
            ApplicationError: if its configuration cannot be sent to a node.
            PlaceError: if the sweep's directory cannot be written, or Slurm takes no jobs.
        """
        assert self._content is not None
        try:
            pickled = dumps_or_explain(config, "its configuration", main_by_value=self._content.main_by_value)
        except UnpicklableError as error:
            raise ApplicationError(f"#{order.number}: {error}") from None
        directory = order.directory.absolute()
        variables = {**order.environment, **self._setup.variables()}
        sent = WorkOrder(
            order.number, directory, order.status, variables, order.threads, -1, timeout_seconds=order.timeout_seconds
        )
        try:
            if self._writer is None:
                self._writer = OrderWriter(self._folder, self._content)
            self._writer.add(Start(token, sent, pickled))
        except OSError as error:
            raise PlaceError(f"{error.filename or self._folder}: {error.strerror or error}") from None
        self._known[token] = _Known(order.number, directory, order.status.attempt_id)
        self._unsubmitted.append(token)
        if len(self._writer) >= self._largest_array:
            self._submit_batch()

    def submit(self) -> Mapping[int, str]:
        """Submit what has been started since, on hold.

        Raises:
            PlaceError: if Slurm takes none of it.
        """
        if not self._has_tidied:
            self._has_tidied = True
            self._tidy()
        if self._writer is not None:
            self._submit_batch()
        tokens = [token for held in self._held.values() for token in held]
        return {token: f"{NAME} {self._known[token].job}" for token in tokens}

    def _submit_batch(self) -> None:
        assert self._writer is not None
        batch, count = self._writer.end(), len(self._writer)
        script = batch_script(batch, count, self._options, self._title)
        (batch.folder / "batch.sh").write_text(script, encoding="utf-8")
        tokens, self._unsubmitted, self._writer = self._unsubmitted, [], None
        try:
            array = slurm.ask("sbatch", "--parsable", text=script).partition(";")[0].strip()
        except PlaceError:
            for token in tokens:
                del self._known[token]
            slurm.cancel(list(self._held))
            raise
        self._held[array], self._batches[array] = tokens, batch.folder
        for index, token in enumerate(tokens):
            self._known[token].job, self._known[token].since = f"{array}_{index}", time.monotonic()

    def release(self) -> None:
        """Let what was submitted begin.

        Raises:
            PlaceError: if Slurm does not.
        """
        held, self._held = list(self._held), {}
        slurm.release(held)
        for array in held:
            (self._batches.pop(array) / _RELEASED).touch()

    def _tidy(self) -> None:
        """See to what a command left on hold that was killed while it submitted.

        Jobs whose records name them begin now; others are taken out of the queue, and never were anybody's.
        """
        left = {batch.name: batch for batch in self._folder.glob("*/") if not (batch / _RELEASED).exists()}
        if not left:
            return
        entries = {job: entry for job, entry in slurm.queue().items() if entry.comment in left}
        recorded = {known.job for known in self._known.values()}
        slurm.cancel([job for job in entries if job not in recorded])
        for array, batch in {job.partition("_")[0]: entries[job].comment for job in entries if job in recorded}.items():
            slurm.release([array])
            (left[batch] / _RELEASED).touch()

    def adopt(self, token: int, number: int, status: Status, directory: Path) -> None:
        """Take charge of a job that an earlier command submitted."""
        job = (status.place_job or "").removeprefix(f"{NAME} ")
        self._known[token] = _Known(number, directory.absolute(), status.attempt_id, job, time.monotonic())

    def send_signal(self, token: int, number: int) -> None:
        """Have a job taken out of the queue when that is looked at; one that runs is told, and killed after a while.

        Slurm may take a minute to say that a job is just ending, and nobody is to wait for that.
        """
        known = self._known.get(token)
        if known is not None and known.job and number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            self._to_cancel.append(known.job)

    def _cancel(self) -> None:
        to_cancel, self._to_cancel = self._to_cancel, []
        try:
            slurm.cancel(to_cancel)
        except PlaceError as error:
            self._say(f"warning: {error}")

    def news(self) -> Sequence[Exited | Began | Requeued]:
        """What the last look at the queue says of the jobs."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        look = None
        with contextlib.suppress(queue.Empty):
            while True:
                look = self._looks.get_nowait()
        if look is None:
            return []
        if look.entries is None:
            if not self._is_silent:
                self._say(f"warning: {look.error}; the jobs are looked for again and again")
            self._is_silent = True
            return []
        if self._is_silent:
            self._say("Slurm answers again")
            self._is_silent = False
        events: list[Exited | Began | Requeued] = []
        for token, known in list(self._known.items()):
            if known.job and known.since <= look.asked:
                event = self._event(token, known, look.entries.get(known.job))
                if event is not None:
                    events.append(event)
                if isinstance(event, Exited):
                    del self._known[token]
        return events

    def _event(self, token: int, known: _Known, entry: Entry | None) -> Exited | Began | Requeued | None:
        if entry is not None and not entry.is_ending:
            known.missing_since = None
            if entry.runs != known.runs:
                known.runs = entry.runs
                return Began(token, entry.node) if entry.runs else Requeued(token)
            return None
        status = _record(known)
        if status is not None and status.is_final:
            cause = status.error if status.died else None
            return Exited(token, 0 if status.state == State.completed else 1, refused=cause)
        if entry is not None:
            return None
        if known.missing_since is None:
            known.missing_since = time.monotonic()
        if time.monotonic() < known.missing_since + min(_RECORD_SECONDS, 5 * self._options.poll_seconds):
            return None
        state, words = slurm.fate(known.job)
        how = f"{state} ({words})" if state else "it is no longer in the queue"
        interrupted = state in ("CANCELLED", "PREEMPTED")
        return Exited(token, 1, refused=f"ended by Slurm: {how}{self._last_words(known.job)}", interrupted=interrupted)

    def _last_words(self, job: str) -> str:
        """What the batch script of a job has printed last: why Python did not begin, say."""
        with contextlib.suppress(OSError):
            for log in self._folder.glob(f"*/{job}.log"):
                lines = log.read_text(encoding="utf-8", errors="replace")[-_LONGEST_WORDS:].split("\n")
                return "".join(f"; {line.strip()}" for line in [line for line in lines if line.strip()][-1:])
        return ""

    def _look(self) -> None:
        while not self._ended.wait(self._options.poll_seconds):
            self._cancel()
            asked = time.monotonic()
            try:
                look = _Look(asked, slurm.queue())
            except PlaceError as error:
                look = _Look(asked, None, str(error))
            self._looks.put(look)
            self._pass_reports_on()
            with contextlib.suppress(BlockingIOError, OSError):
                os.write(self._wake_up, b"\0")

    def _pass_reports_on(self) -> None:
        known = list(self._known.values())
        pass_on_reports(((job.directory, job.number) for job in known if job.runs), self.progress)

    def close(self) -> None:
        """Look no more, and remove the orders of jobs that have ended."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._cancel()
        with contextlib.suppress(PlaceError):
            remove_batches(self._folder, [entry.comment for entry in slurm.queue().values()])


def _record(known: _Known) -> Status | None:
    with contextlib.suppress(OSError):
        os.listdir(known.directory)  # noqa: PTH208 - on NFS, a look into a folder is what makes its files be looked up anew
    try:
        status = read_status(known.directory)
    except RecordFormatError:
        return None
    return status if status is not None and status.attempt_id == known.attempt_id else None


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends
