"""Which job runs when and where, and what becomes of it."""

import contextlib
import os
import select
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hydra_plugins.workstation_launcher._devices import Plan, Slot
from hydra_plugins.workstation_launcher._display import Display
from hydra_plugins.workstation_launcher._job import JobOrder, WorkOrder
from hydra_plugins.workstation_launcher._options import Options
from hydra_plugins.workstation_launcher._pickling import dumps
from hydra_plugins.workstation_launcher._records import OUTPUT, State, Status, new_status, read_status
from hydra_plugins.workstation_launcher._sweep import Job
from hydra_plugins.workstation_launcher._workers import Workers

_REFRESH_SECONDS = 0.25
_DUMP_SECONDS = 0.5
"""How long a job that is stopped for hanging has to write where it hangs."""


@dataclass
class _Running:
    jobs: list[Job]
    slot: Slot
    attempt: int
    statuses: list[Status] = field(default_factory=list)
    """Those with which its jobs started."""
    begun: float = field(default_factory=time.monotonic)
    deadline: float = float("inf")
    cause: str | None = None
    """Why the launcher itself ends it, if it does."""


class Scheduler:
    """Runs jobs in the slots of a plan until all have ended, or the sweep is stopped."""

    def __init__(
        self,
        *,
        plan: Plan,
        options: Options,
        make_workers: Callable[[], Workers],
        display: Display,
        code_version: str | None,
        on_start: Callable[[Job], None],
        on_end: Callable[[Job], None],
    ) -> None:
        """``on_start`` is called with each job before its first attempt, ``on_end`` when it has ended for good."""
        self._plan, self._options, self._display = plan, options, display
        self._make_workers, self._code_version = make_workers, code_version
        self._on_start, self._on_end = on_start, on_end
        self._free = deque(plan.slots)
        self._queue: deque[tuple[list[Job], int]] = deque()
        self._running: dict[int, _Running] = {}
        self._last_start: dict[str, float] = {}
        self._tokens = 0
        self._signals = 0
        self._seen_signals = 0
        self._loading = True
        self._wake, self._wake_up = os.pipe()
        os.set_blocking(self._wake_up, False)
        self.interrupted = False

    def run(self, jobs: list[Job]) -> None:
        """Run the jobs; each has its final status afterwards, or none if it did not start."""
        self._queue.extend(([job], 1) for job in jobs)
        self._workers = self._make_workers()
        previous = {number: signal.signal(number, self._on_signal) for number in _stop_signals()}
        try:
            ready = self._workers.wait_until_ready()
            if ready.reason is not None:
                self._display.say(f"each job starts a new interpreter, because {ready.reason}")
            self._loading = False
            self._heed_signals()
            while self._queue or self._running:
                self._start_jobs()
                self._wait()
                self._check_deadlines()
                self._display.refresh(list(self._view()), [job for jobs, _ in self._queue for job in jobs])
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            self._workers.close()
            os.close(self._wake)
            os.close(self._wake_up)

    def _on_signal(self, *_: object) -> None:
        self._signals += 1
        os.write(self._wake_up, b"\0")
        if self._loading and self._signals > 1:
            raise KeyboardInterrupt  # an application that takes for ever to load must not hold the user

    def _heed_signals(self) -> None:
        if self._signals > self._seen_signals:
            self._seen_signals = self._signals
            self._stop_for_signal()

    def _view(self) -> "list[tuple[Job, Slot, float]]":
        return [(run.jobs[0], run.slot, time.monotonic() - run.begun) for run in self._running.values()]

    def _start_jobs(self) -> None:
        for _ in range(len(self._free)):
            if not self._queue:
                return
            slot = self._free.popleft()
            wait = self._last_start.get(slot.name, -1e9) + self._plan.start_interval_seconds - time.monotonic()
            if wait > 0:
                self._free.append(slot)
                continue
            jobs, attempt = self._queue.popleft()
            self._start(jobs, attempt, slot)

    def _start(self, jobs: list[Job], attempt: int, slot: Slot) -> None:
        self._tokens += 1
        run = _Running(jobs, slot, attempt, [self._begin(job, slot, attempt) for job in jobs])
        if self._options.timeout_seconds is not None:
            run.deadline = run.begun + self._options.timeout_seconds * len(jobs)
        order = WorkOrder(
            jobs=[
                JobOrder(number=job.number, directory=job.directory, config=dumps(job.config), status=status)
                for job, status in zip(jobs, run.statuses, strict=True)
            ],
            environment=slot.environment,
            threads=self._plan.threads,
            progress=self._workers.progress,
        )
        self._running[self._tokens] = run
        self._last_start[slot.name] = run.begun
        try:
            self._workers.start(self._tokens, dumps(order))
        except OSError:
            self._server_died()
            return
        for job in jobs:
            self._display.started(job, slot, attempt)

    def _begin(self, job: Job, slot: Slot, attempt: int) -> Status:
        """Record that a job starts: whatever becomes of its process, its directory then says what it was."""
        if attempt == 1:
            self._on_start(job)
        status = new_status(
            job.fingerprint,
            job.overrides,
            job.directory,
            former=job.former,
            device=slot.name,
            code_version=self._code_version,
            log=OUTPUT,
        )
        self._write(job, status)
        return status

    def _write(self, job: Job, status: Status) -> None:
        try:
            job.directory.mkdir(parents=True, exist_ok=True)
            status.write(job.directory)
        except OSError as error:
            self._display.say(f"{job.directory}: {error.strerror}")

    def _wait(self) -> None:
        files: list[Any] = [self._workers, self._workers.reports, self._wake]
        readable, _, _ = select.select(files, [], [], self._patience())
        if self._wake in readable:
            os.read(self._wake, 4096)
        self._heed_signals()
        if self._workers.reports in readable:
            self._display.read_reports(self._workers.reports)
        if self._workers in readable:
            try:
                for ended in self._workers.ended():
                    self._ended(ended.token, ended.exit_status)
            except EOFError:
                self._server_died()

    def _patience(self) -> float:
        now = time.monotonic()
        events = [run.deadline for run in self._running.values()]
        if self._queue and self._free:
            events += [self._last_start[slot.name] + self._plan.start_interval_seconds for slot in self._free]
        return max(0.0, min([_REFRESH_SECONDS, *(event - now for event in events)]))

    def _check_deadlines(self) -> None:
        for token, run in list(self._running.items()):
            if time.monotonic() < run.deadline:
                continue
            if run.cause is None:
                minutes = (self._options.timeout_seconds or 0) / 60
                run.cause = f"stopped after timeout_minutes={minutes:g}; where it stood is at the end of its log"
                run.deadline = time.monotonic() + _DUMP_SECONDS
                self._signal(token, signal.SIGUSR1)
            else:
                run.deadline = float("inf")
                self._signal(token, signal.SIGKILL)

    def _stop_for_signal(self) -> None:
        self.interrupted = True
        self._queue.clear()
        if self._signals > 1:
            self._display.say("stopping now")
            for token, run in self._running.items():
                run.cause = run.cause or State.interrupted
                self._signal(token, signal.SIGKILL)
        elif self._running:
            self._display.say(
                f"interrupted: {len(self._running)} running "
                f"{'job gets' if len(self._running) == 1 else 'jobs get'} {self._options.grace_seconds:g} s to stop; "
                "Ctrl-C again stops at once"
            )
            self._interrupt_running()

    def _interrupt_running(self) -> None:
        for token, run in self._running.items():
            if run.cause is None:
                run.cause = State.interrupted
                run.deadline = time.monotonic() + self._options.grace_seconds
                self._signal(token, signal.SIGINT)

    def _signal(self, token: int, number: int) -> None:
        with contextlib.suppress(OSError):  # the server may be gone, and the next wait finds out
            self._workers.send_signal(token, number)

    def _server_died(self) -> None:
        self._workers.close()
        self._display.say("the process that starts the jobs was killed, and all running jobs with it; starting it anew")
        time.sleep(_DUMP_SECONDS)  # until the system has ended them
        for token in list(self._running):
            self._ended(token, -signal.SIGKILL)
        self._workers = self._make_workers()
        self._workers.wait_until_ready()

    def _ended(self, token: int, exit_status: int) -> None:
        run = self._running.pop(token)
        self._free.append(run.slot)
        again: list[Job] = []
        for job, begun in zip(run.jobs, run.statuses, strict=True):
            status = self._final_status(job, begun, run, exit_status)
            died = status.state == State.failed and status.error == _death(run, exit_status)
            retry = status.state == State.failed and (died or self._options.retry_exceptions)
            if retry and run.attempt <= self._options.retries and not self.interrupted:
                self._display.retried(job, status, run.attempt, self._options.retries)
                again.append(job)
                continue
            job.status = status
            self._display.ended(job)
            self._on_end(job)
            if status.state == State.failed and self._options.fail_fast and not self.interrupted:
                self._fail_fast()
        if again:
            self._queue.appendleft((again, run.attempt + 1))

    def _fail_fast(self) -> None:
        if self._queue or self._running:
            self._display.say("fail_fast: the sweep stops at its first failure")
        self._queue.clear()
        self._interrupt_running()

    def _final_status(self, job: Job, begun: Status, run: _Running, exit_status: int) -> Status:
        """The record that the job's process left, or that of its start if it could not."""
        status = read_status(job.directory)
        if status is None or (status.fingerprint, status.started) != (begun.fingerprint, begun.started):
            status = begun
        interrupted = run.cause == State.interrupted
        if status.state == State.running or (status.state == State.failed and interrupted):
            # An app may turn the interruption into an exception or an exit status of its own.
            status.finish(State.interrupted if interrupted else State.failed, _death(run, exit_status))
            self._write(job, status)
        return status


def _death(run: _Running, exit_status: int) -> str:
    if run.cause is not None:
        return run.cause
    if exit_status >= 0:
        return f"its process ended with exit status {exit_status} before the job was done"
    name = signal.Signals(-exit_status).name
    hint = " (the system does that when memory runs out)" if name == "SIGKILL" else ""
    return f"killed by {name}{hint}"


def _stop_signals() -> list[signal.Signals]:
    if threading.current_thread() is not threading.main_thread():
        return []
    wanted = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    return [number for number in wanted if signal.getsignal(number) is not signal.SIG_IGN]  # nohup
