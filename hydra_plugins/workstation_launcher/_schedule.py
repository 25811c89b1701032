"""Which job runs when and where, and what becomes of it."""

import contextlib
import select
import signal
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra_plugins.workstation_launcher._attempt import Running, Waiting
from hydra_plugins.workstation_launcher._devices import Plan, Slot
from hydra_plugins.workstation_launcher._disk import EXIT_STATUS, Disk, is_out_of_room, told
from hydra_plugins.workstation_launcher._display import Display
from hydra_plugins.workstation_launcher._hook_thread import HookThread
from hydra_plugins.workstation_launcher._messages import Began, Exited, Requeued, WorkOrder
from hydra_plugins.workstation_launcher._options import Options
from hydra_plugins.workstation_launcher._outcome import death, final_status
from hydra_plugins.workstation_launcher._place import Place
from hydra_plugins.workstation_launcher._records import OUTPUT, State, Status, new_status
from hydra_plugins.workstation_launcher._stop_signals import StopSignals
from hydra_plugins.workstation_launcher._stream import Source
from hydra_plugins.workstation_launcher._sweep import Job

_REFRESH_SECONDS = 0.25
_HOOK_SECONDS = 0.02
"""How soon it is seen that the last hook has returned."""
_LEAVE_SECONDS = 3.0
"""How long after Ctrl-C a second one ends the jobs at a place that outlives the command."""
_DUMP_SECONDS = 0.5
"""How long a job that is stopped for hanging has to write where it hangs."""


class Scheduler:
    """Runs jobs in the slots of a plan until all have ended, or the sweep is stopped."""

    def __init__(
        self,
        *,
        plan: Plan,
        options: Options,
        open_place: Callable[[], Place],
        display: Display,
        code_version: str | None,
        directory: Path,
        on_start: Callable[[Job], None],
        on_end: Callable[[Job], None] | None,
        on_last_start: Callable[[], None],
        on_turn: Callable[[], None] = lambda: None,
        source: Source | None = None,
    ) -> None:
        """Of a sweep in a directory.

        ``on_start`` is called with each job before its first attempt. ``on_end`` is called when it has ended for good,
        in a thread of its own, one job after another as they end, and must not raise. ``on_last_start`` is called there
        too, when no job waits any more. ``on_turn`` is called several times in a second.
        ``source`` is asked for further jobs whenever a slot is free; not at a place that has a queue.
        """
        self._source, self._asks = source, True
        self._plan, self._options, self._display = plan, options, display
        self._open_place, self._code_version = open_place, code_version
        self._on_start, self._on_end, self._on_last_start = on_start, on_end, on_last_start
        self._on_turn = on_turn
        self._disk = Disk(directory, display.say)
        self._directory = directory
        self._hooks = HookThread("on_job_end", display.say)
        self._free = deque(plan.slots)
        self._queue: deque[Waiting] = deque()
        self._running: dict[int, Running] = {}
        self._last_start: dict[str, float] = {}
        self._lost_with_server: set[int] = set()
        self._tokens = 0
        self._signals = StopSignals()
        self._seen_signals = 0
        self.interrupted = False
        self.left = False
        """Whether jobs were left to a place that outlives this command."""
        self._leaves_at = float("inf")

    def run(self, jobs: list[Job], *, wait: bool = True) -> None:
        """Run the jobs, in this order; each has its final status afterwards, or none if it did not start.

        Without ``wait``, a place that outlives this command is given the jobs, and they are left there.
        """
        self._queue.extend(Waiting(job) for job in jobs if not job.is_held)
        self._place = self._open_place()
        if self._place.queues:
            self._free = deque(self._plan.slots[:1] * len(jobs))
        try:
            with self._signals:
                self._signals.raises_at = 2  # an application that takes for ever to load must not hold the user
                ready = self._place.wait_until_ready()
                self._signals.raises_at = float("inf")
                if ready.reason is not None:
                    self._display.say(f"each job starts a new interpreter, because {ready.reason}")
                self._heed_signals()
                self._adopt([job for job in jobs if job.is_held])
                self._ask_source()
                while not self.left and (self._queue or self._running or self._hooks.wants_to_be_waited_for()):
                    self._start_jobs()
                    if self._place.outlives and not wait and not self._queue:
                        self.left = True
                        break
                    self._wait()
                    self._check_deadlines()
                    self._on_turn()
                    self._ask_source()
                    self._display.refresh(self._view, self._waiting)
        finally:
            self._place.close()
        if self.left:
            for run in self._running.values():
                run.job.status = run.status

    def _heed_signals(self) -> None:
        if self._signals.read() > self._seen_signals:
            self._seen_signals = self._signals.count
            self._stop_for_signal()

    def _view(self) -> "list[tuple[Job, Slot, float]]":
        return [
            (run.job, Slot(run.where, {}) if run.where else run.slot, time.monotonic() - run.begun)
            for run in self._running.values()
            if not run.waits
        ]

    def _waiting(self) -> list[Job]:
        return [
            *(waiting.job for waiting in self._queue),
            *(run.job for run in self._running.values() if run.waits),
        ]

    def _adopt(self, jobs: list[Job]) -> None:
        """Take charge of jobs that an earlier command submitted to a place with a queue."""
        for job in jobs:
            assert job.earlier is not None
            self._tokens += 1
            run = Running(Waiting(job), self._free.popleft(), job.earlier, waits=True)
            self._running[self._tokens] = run
            self._place.adopt(self._tokens, job.number, job.earlier, job.directory)

    def _submit(self) -> None:
        """Have what was started stand in a place's queue, and what it is called there in the jobs' records."""
        submitted = self._place.submit()
        for token, place_job in submitted.items():
            run = self._running[token]
            run.status.place_job = place_job
            self._write(run.job, run.status)
        self._place.release()
        self._display.submitted(self._place.name, list(submitted.values()))

    def _ask_source(self) -> None:
        """Have a job for each free slot, if there are any more."""
        free = len(self._free) - len(self._queue)
        if self._source is not None and self._asks and free > 0 and not self._source.is_over:
            self._queue.extend(map(Waiting, self._source.next(free)))

    def _start_jobs(self) -> None:
        self._start_in_free_slots()
        if self._place.queues:
            self._submit()

    def _start_in_free_slots(self) -> None:
        for _ in range(len(self._free)):
            if not self._queue or not self._disk.allows_starts():
                return
            slot = self._free.popleft()
            wait = self._last_start.get(slot.name, -1e9) + self._plan.start_interval_seconds - time.monotonic()
            if wait > 0:
                self._free.append(slot)
                continue
            self._start(self._queue.popleft(), slot)

    def _start(self, waiting: Waiting, slot: Slot) -> None:
        job = waiting.job
        try:
            status = self._begin(waiting, slot)
        except OSError as error:
            self._free.append(slot)
            self._not_begun(waiting, slot, told(error, job.directory))
            return
        run = Running(waiting, slot, status, waits=self._place.queues)
        if self._options.timeout_seconds is not None and not self._place.queues:
            run.deadline = run.begun + self._options.timeout_seconds
        order = WorkOrder(
            number=job.number,
            directory=job.directory,
            status=status,
            environment=slot.environment,
            threads=self._plan.threads,
            progress=self._place.progress,
            timeout_seconds=self._options.timeout_seconds,
            is_heard=self._source is not None,
        )
        self._tokens += 1
        self._running[self._tokens] = run
        self._last_start[slot.name] = run.begun
        try:
            self._place.start(self._tokens, order, job.config)
        except OSError:
            self._server_died()
            return
        if not run.waits:
            self._display.started(job, slot, waiting.attempt)
        if not self._queue:
            self._hooks.call(self._on_last_start)  # its jobs leave time for it

    def _begin(self, waiting: Waiting, slot: Slot) -> Status:
        """Record that a job starts: whatever becomes of its process, its directory then says what it was."""
        job = waiting.job
        if waiting.attempt == 1:
            self._on_start(job)
        status = self._new_status(waiting, slot)
        if self._place.queues:
            status.state, status.pid = State.queued, None
        if self._place.outlives:  # it is recorded when it has a name there
            status.place = self._place.name
        else:
            self._record(job, status)
        job.status = None
        return status

    def _new_status(self, waiting: Waiting, slot: Slot) -> Status:
        job = waiting.job
        status = new_status(
            job.fingerprint,
            job.overrides,
            job.directory,
            former=job.former,
            device=slot.name,
            code_version=self._code_version,
            log=OUTPUT,
        )
        if waiting.excused is not None:
            status.attempts = waiting.excused.attempts
        return status

    def _record(self, job: Job, status: Status) -> None:
        # What a disk was mounted on is not where a sweep is to be begun again.
        self._directory.stat()
        job.directory.mkdir(parents=True, exist_ok=True)
        status.write(job.directory)

    def _not_begun(self, waiting: Waiting, slot: Slot, error: str) -> None:
        """The record of a start could not be written: because of the disk, or of the job's own directory."""
        excuse = self._disk.excuse(waiting.job.number, error)
        if excuse is not None:
            self._queue.appendleft(waiting)
            return
        status = self._new_status(waiting, slot)
        status.finish(State.failed, error)
        self._ended_for_good(waiting.job, status)

    def _wait(self) -> None:
        files: list[Any] = [self._place, self._place.reports, self._signals]
        readable, _, _ = select.select(files, [], [], self._patience())
        self._heed_signals()
        if self._place.reports in readable:
            self._display.read_reports(self._place.reports)
            self._pass_on_values()
        if self._place in readable:
            try:
                for event in self._place.news():
                    self._heed(event)
            except EOFError:
                self._server_died()

    def _heed(self, event: Exited | Began | Requeued) -> None:
        if isinstance(event, Exited):
            self._ended(event.token, event)
            return
        run = self._running[event.token]
        run.waits = isinstance(event, Requeued)
        if isinstance(event, Began):
            run.begun = run.status.begun = time.monotonic()
            run.where, run.status.state = event.where, State.running
            self._display.started(run.job, Slot(event.where, {}), run.waited.attempt)
        else:
            run.status.state = State.queued
            self._display.say(f"#{run.job.number} waits at {self._place.name} again: {run.job.label}")

    def _pass_on_values(self) -> None:
        running = {run.job.number: run.job for run in self._running.values()}
        for number, step, value in self._display.take_values():
            if self._source is not None and number in running:
                self._source.reported(running[number], step, value)

    def _patience(self) -> float:
        now = time.monotonic()
        events = [run.deadline for run in self._running.values()]
        if self._queue and self._free:
            starts = [self._last_start.get(slot.name, now) + self._plan.start_interval_seconds for slot in self._free]
            events.append(max(min(starts), self._disk.next_probe))
        if not self._queue and not self._running:
            events.append(now + _HOOK_SECONDS)
        return max(0.0, min([_REFRESH_SECONDS, *(event - now for event in events)]))

    def _check_deadlines(self) -> None:
        self.left = self.left or time.monotonic() >= self._leaves_at
        for token, run in list(self._running.items()):
            if time.monotonic() < run.deadline:
                continue
            if run.stopped is None:
                minutes = (self._options.timeout_seconds or 0) / 60
                run.stopped = f"stopped after timeout_minutes={minutes:g}; where it stood is at the end of its log"
                run.deadline = time.monotonic() + _DUMP_SECONDS
                self._signal(token, signal.SIGUSR1)
            else:
                run.deadline = float("inf")
                self._signal(token, signal.SIGKILL)

    def _stop_for_signal(self) -> None:
        self.interrupted = True
        self._asks = False
        if self._place.outlives and self._seen_signals == 1 and self._running:
            self._queue.clear()
            self._leaves_at = time.monotonic() + _LEAVE_SECONDS
            self._display.say(
                f"{len(self._running)} {'job is' if len(self._running) == 1 else 'jobs are'} left to "
                f"{self._place.name}; Ctrl-C again within {_LEAVE_SECONDS:g} s ends them"
            )
            return
        self._leaves_at = float("inf")
        self._queue.clear()
        self._hooks.deadline = time.monotonic() + (self._options.grace_seconds if self._seen_signals == 1 else 0)
        if self._seen_signals > 1 + self._place.outlives:
            self._display.say("stopping now")
            for token, run in self._running.items():
                run.stopped = run.stopped or State.interrupted
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
            if run.stopped is None:
                run.stopped = State.interrupted
                run.deadline = time.monotonic() + self._options.grace_seconds
                self._signal(token, signal.SIGINT)

    def _signal(self, token: int, number: int) -> None:
        with contextlib.suppress(OSError):  # the server may be gone, and the next wait finds out
            self._place.send_signal(token, number)

    def _server_died(self) -> None:
        self._place.close()
        self._display.say("the process that starts the jobs was killed, and all running jobs with it; starting it anew")
        for token in list(self._running):
            self._ended(token, None)
        while self._hooks.pending and self._signals.count < 2:  # a process with threads cannot be forked
            self._hooks.wait(_REFRESH_SECONDS)
        self._place = self._open_place()
        self._place.wait_until_ready()

    def _ended(self, token: int, exited: Exited | None) -> None:
        """The process of a token has ended; None: together with the process that starts the jobs."""
        run = self._running.pop(token)
        self._free.append(run.slot)
        job = run.job
        exit_status = None if exited is None else exited.exit_status
        how = (exited and exited.cause) or death(run.stopped, exit_status)
        if exited is not None and exited.interrupted:
            run.stopped = run.stopped or State.interrupted
        status, amended = final_status(job.directory, run.status, run.stopped, how)
        if exited is not None:
            job.value, job.failure = exited.report.value, exited.report.failure
            for line in exited.report.said:
                self._display.say(f"#{job.number}: {line}")
        failed = status.state == State.failed
        excuse = (
            self._excuse(job, status, exit_status, None if exited is None else exited.cause)
            if failed and run.stopped is None
            else None
        )
        if excuse is not None:
            status.finish(State.interrupted, excuse)
        if amended or excuse is not None:
            self._write(job, status)
        if excuse is not None and not self.interrupted:
            job.status = status  # how it stands if it is not started again
            self._queue.appendleft(Waiting(job, run.waited.attempt, excused=status))
            return
        retry = excuse is None and failed and (status.error == how or self._options.retry_exceptions)
        if retry and run.waited.attempt <= self._options.retries and not self.interrupted:
            self._display.retried(job, status, run.waited.attempt, self._options.retries)
            self._queue.appendleft(Waiting(job, run.waited.attempt + 1))
            return
        self._ended_for_good(job, status)

    def _excuse(self, job: Job, status: Status, exit_status: int | None, lost: str | None) -> str | None:
        """Why the failure of a job is no fault of its own, if so: it is then to be done again, and has not failed."""
        if exit_status is None and job.number not in self._lost_with_server:
            self._lost_with_server.add(job.number)
            return lost or death(None, exit_status)
        speaks_of_disk = exit_status == EXIT_STATUS or is_out_of_room(status.error)
        return self._disk.excuse(job.number, status.error if speaks_of_disk else None)

    def _write(self, job: Job, status: Status) -> None:
        try:
            self._record(job, status)
        except OSError as error:
            self._disk.pause(told(error, job.directory))

    def _ended_for_good(self, job: Job, status: Status) -> None:
        job.status = status
        self._display.ended(job)
        if (on_end := self._on_end) is not None:
            self._hooks.call(lambda: on_end(job))
        if self._source is not None:
            self._source.ended(job)
        if status.state == State.completed:
            self._disk.has_taken()
        if status.state == State.failed and self._options.fail_fast and not self.interrupted:
            self._fail_fast()

    def _fail_fast(self) -> None:
        if self._queue or self._running:
            self._display.say("fail_fast: the sweep stops at its first failure")
        self._asks = False
        self._queue.clear()
        self._interrupt_running()
