"""What people see of a sweep: the plan, a live view of the running jobs or plain lines, and how it ended."""

import io
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import get_console
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hydra_plugins.workstation_launcher._devices import Plan, Slot
from hydra_plugins.workstation_launcher._failures import by_cause
from hydra_plugins.workstation_launcher._forecast import Forecast
from hydra_plugins.workstation_launcher._records import State, Status
from hydra_plugins.workstation_launcher._sweep import Job

log = logging.getLogger("hydra_plugins.workstation_launcher")

_MOST_ALIKE = 3
"""Failures of one cause that are listed one by one."""
_TWINS_TOLD = 3
"""Groups of jobs that are one another again, of one reason, that are told one by one."""


class Display:
    """The view of one batch of jobs while it runs; a context manager."""

    def __init__(self, jobs: Sequence[Job], forecast: Forecast) -> None:
        """``jobs`` are those of the batch, the finished ones included."""
        self._total = sum(job.twin is None for job in jobs)
        self._done = sum(job.skipped for job in jobs)
        self._failed = sum(job.skipped and job.status is not None and job.status.state == State.failed for job in jobs)
        self._forecast = forecast
        self._messages: dict[int, tuple[str, float | None]] = {}
        self._unread = b""
        self._live: Live | None = None
        self._redirected: list[tuple[logging.StreamHandler[Any], Any]] = []

    def __enter__(self) -> "Display":
        """Start the live view, on a terminal."""
        if get_console().is_terminal:
            self._live = Live(console=get_console(), refresh_per_second=4, transient=True, auto_refresh=False)
            before = {sys.stdout: "stdout", sys.stderr: "stderr"}
            self._live.start()
            # Rich puts its own streams in their place while the view lives; loggers go on holding the old ones.
            for handler in logging.getLogger().handlers:
                if isinstance(handler, logging.StreamHandler) and handler.stream in before:
                    self._redirected.append((handler, handler.stream))
                    handler.setStream(getattr(sys, before[handler.stream]))
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the live view."""
        for handler, stream in self._redirected:
            handler.setStream(stream)
        if self._live is not None:
            self._live.stop()

    def say(self, line: str) -> None:
        """Log a line, above the live view."""
        log.info("%s", line)

    def started(self, job: Job, slot: Slot, attempt: int) -> None:
        """A job has been given to a process."""
        self._messages.pop(job.number, None)
        if self._live is None:
            again = f", attempt {attempt}" if attempt > 1 else ""
            log.info("#%d started on %s%s: %s", job.number, slot.name, again, job.label)

    def retried(self, job: Job, status: Status, attempt: int, retries: int) -> None:
        """A job has died and will be started again."""
        log.warning("#%d %s; retry %d of %d: %s", job.number, status.error, attempt, retries, job.label)

    def ended(self, job: Job) -> None:
        """A job has ended for good."""
        status = job.status
        assert status is not None
        self._done += 1
        seconds = f"{status.seconds or 0:.1f} s"
        count = f"[{self._done}/{self._total}]"
        if status.state == State.completed:
            self._forecast.note(job, status.seconds)
            log.info("%s #%d completed in %s%s: %s", count, job.number, seconds, _shown_value(status), job.label)
        elif status.state == State.failed:
            self._failed += 1
            log.error("%s #%d failed after %s: %s: %s", count, job.number, seconds, status.error, job.label)
        else:
            log.info("%s #%d %s after %s: %s", count, job.number, status.state, seconds, job.label)

    def read_reports(self, pipe: int) -> None:
        """Take in what running jobs say of themselves; see :func:`~hydra_plugins.workstation_launcher.report`."""
        try:
            self._unread += os.read(pipe, 1 << 16)
        except BlockingIOError:
            return
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            try:
                content = json.loads(line)
                self._messages[int(content["job"])] = (str(content["message"]), content.get("done"))
            except (ValueError, KeyError, TypeError):
                continue  # not a report: anything that a job has inherited the pipe to may write into it

    def refresh(self, running: Sequence[tuple[Job, Slot, float]], queued: Sequence[Job]) -> None:
        """Draw the live view anew."""
        if self._live is not None:
            self._live.update(self._view(running, queued), refresh=True)

    def _view(self, running: Sequence[tuple[Job, Slot, float]], queued: Sequence[Job]) -> RenderableType:
        heading = Table.grid(padding=(0, 1))
        left = self._seconds_left(running, queued)
        heading.add_row(
            ProgressBar(total=self._total, completed=self._done, width=30),
            f"{self._done - self._failed} done, {self._failed} failed, {len(running)} running, {len(queued)} queued",
            "" if left is None else f"about {duration(left)} left",
        )
        table = Table.grid(padding=(0, 2))
        for column in ({"justify": "right", "no_wrap": True}, {"no_wrap": True}, {"justify": "right", "no_wrap": True}):
            table.add_column(**column)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for job, slot, seconds in running:
            message, _ = self._messages.get(job.number, ("", None))
            table.add_row(f"#{job.number}", slot.name, duration(seconds), Text(job.label), Text(message))
        return Group(heading, table)

    def _seconds_left(self, running: Sequence[tuple[Job, Slot, float]], queued: Sequence[Job]) -> float | None:
        """Those that run by their own reports, the others by the forecast."""
        still: list[float] = []
        for job, _, seconds in running:
            done = self._messages.get(job.number, ("", None))[1]
            expected = seconds / done if done else self._forecast.seconds(job)
            if expected is None:
                return None
            still.append(max(0.0, expected - seconds))
        return self._forecast.until_done(queued, still)


def accept_every_character() -> None:
    """A label that the terminal's encoding lacks a character of must not end the sweep."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def announce(jobs: Sequence[Job], plan: Plan, forecast: Forecast, directory: Path) -> None:
    """Say what will happen, in one line; and what an earlier command left that must be known."""
    here = [job for job in jobs if job.skipped and job.taken_from is None]
    failed = sum(job.status is not None and job.status.state == State.failed for job in here)
    to_do = [job for job in jobs if job.is_to_run]
    parts = [f"{len(jobs)} {'job' if len(jobs) == 1 else 'jobs'}"]
    if taken := taken_from(jobs):
        parts.append(taken)
    if len(here) > failed:
        parts.append(f"{len(here) - failed} already done")
    if failed:
        parts.append(f"{failed} failed earlier, not tried again")
    if twins := sum(job.twin is not None for job in jobs):
        parts.append(f"{twins} the same as another")
    if len(to_do) < len(jobs):
        parts.append(f"{len(to_do)} to run")
    if resumed := sum(job.earlier is not None for job in to_do):
        parts.append(f"{resumed} to be taken up again")
    seconds = forecast.until_done(to_do)
    about = f"; about {duration(seconds)}" if seconds else ""
    log.info("sweep %s: %s; %s%s", directory, ", ".join(parts), plan.describe(), about)
    _tell_of_twins(jobs)
    for job in to_do:
        if job.is_damaged:
            log.warning("warning: #%d runs again, for its results are gone or damaged: %s", job.number, job.directory)


def taken_from(jobs: Sequence[Job]) -> str:
    """How many jobs are taken over and from where: ``12 taken from outputs/y and 2 others``; empty if none is."""
    sources = [job.taken_from for job in jobs if job.taken_from is not None]
    others = len(set(sources)) - 1
    more = f" and {others} {'other' if others == 1 else 'others'}" if others > 0 else ""
    return f"{len(sources)} taken from {sources[0]}{more}" if sources else ""


def _tell_of_twins(jobs: Sequence[Job]) -> None:
    """Say which jobs are others again, and why: a line for each reason."""
    reasons: dict[str, dict[int, list[int]]] = {}
    for job in jobs:
        if job.twin is not None:
            reasons.setdefault(job.same_because, {}).setdefault(job.twin.number, []).append(job.number)
    for reason, groups in reasons.items():
        told = [
            f"{_numbers(again)} {'is' if len(again) == 1 else 'are'} #{first} again"
            for first, again in list(groups.items())[:_TWINS_TOLD]
        ]
        left = sum(map(len, list(groups.values())[_TWINS_TOLD:]))
        log.info("%s%s: %s", ", ".join(told), f", and {left} more likewise" if left else "", reason)


def _numbers(numbers: Sequence[int]) -> str:
    """``#1``, ``#1 and #2``, ``#1, #2 and #5``, ``#1 to #4``."""
    first, last = numbers[0], numbers[-1]
    if len(numbers) > 3 and last - first == len(numbers) - 1:
        return f"#{first} to #{last}"
    return " and ".join(filter(None, [", ".join(f"#{number}" for number in numbers[:-1]), f"#{last}"]))


def warn_of_other_code(jobs: Sequence[Job], code_version: str | None) -> None:
    """Say that finished jobs were made by other code than would run now."""
    others = [job.status.code_version for job in jobs if job.skipped and job.status is not None]
    differing = [version for version in others if version != code_version]
    if differing:
        log.warning(
            "warning: %d of the jobs already done %s made by other code (%s; now %s); resume=false runs them afresh",
            len(differing),
            "was" if len(differing) == 1 else "were",
            ", ".join(sorted({version or "unknown" for version in differing})),
            code_version or "unknown",
        )


def summarise(jobs: Sequence[Job], directory: Path, begun: float) -> None:
    """Say how the batch ended, with every failure's cause and log."""
    states = [job.outcome.state if job.outcome is not None else "not started" for job in jobs]
    counts = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
    skipped = sum(job.skipped and job.taken_from is None for job in jobs)
    notes = [f"{skipped} of them earlier"] if skipped else []
    if taken := taken_from(jobs):
        notes.append(taken.replace(" taken", " of them taken", 1))
    earlier = f" ({'; '.join(notes)})" if notes else ""
    log.info("sweep %s: %s%s, in %s", directory, ", ".join(counts), earlier, duration(time.monotonic() - begun))
    _list_failures(jobs)


def _list_failures(jobs: Sequence[Job]) -> None:
    """Each failure with its cause and its log; of many with the same cause the first few."""
    failed = [
        (job, job.status)
        for job in jobs
        if job.twin is None and job.status is not None and job.status.state == State.failed
    ]
    for cause, places in by_cause(status.error for _, status in failed).items():
        shown = places if len(places) <= _MOST_ALIKE + 1 else places[:_MOST_ALIKE]
        for place in shown:
            job, status = failed[place]
            log.error(
                "failed #%d: %s\n    %s\n    %s", job.number, cause, job.label, job.directory / (status.log or "")
            )
        if len(shown) < len(places):
            log.error("and %d more failed of the same cause: %s", len(places) - len(shown), cause)


def duration(seconds: float) -> str:
    """Seconds for people: ``4.2 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _shown_value(status: Status) -> str:
    value = status.return_value
    return f", returned {value:.6g}" if isinstance(value, int | float) and not isinstance(value, bool) else ""
