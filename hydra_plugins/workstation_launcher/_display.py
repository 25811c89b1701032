"""What people see of a sweep: the plan, a live view of the running jobs or plain lines, and how it ended."""

import logging
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hydra_plugins.workstation_launcher._devices import Plan, Slot
from hydra_plugins.workstation_launcher._failures import Failed, failure_list
from hydra_plugins.workstation_launcher._forecast import Forecast
from hydra_plugins.workstation_launcher._live_view import LiveView
from hydra_plugins.workstation_launcher._output import (
    accept_every_character,
    console,
    contained,
    guard_loggers,
    let_go,
    printable,
    settle,
)
from hydra_plugins.workstation_launcher._progress import Reports
from hydra_plugins.workstation_launcher._records import State, Status
from hydra_plugins.workstation_launcher._sweep import Job

log = logging.getLogger("hydra_plugins.workstation_launcher")

_LONGEST_LINE = 5_000  # paths may have 4,096 bytes
_DRAWING_SECONDS = 0.2
_ROOM_IN_A_FILE = 100_000  # lines
_TWINS_TOLD = 3
"""Groups of jobs that are one another again, of one reason, that are told one by one."""


class Display:
    """The view of one batch of jobs while it runs; a context manager. What showing raises is kept from its callers."""

    def __init__(self, jobs: Sequence[Job], forecast: Forecast, *, to_come: int = 0) -> None:
        """``jobs`` are those of the batch, the finished ones included; ``to_come``: those of which nothing is known."""
        self._total = sum(job.twin is None for job in jobs) + to_come
        self._knows_all = to_come == 0
        self._pruned = 0
        self._done = sum(job.skipped for job in jobs)
        self._failed = sum(job.skipped and job.status is not None and job.status.state == State.failed for job in jobs)
        self._forecast = forecast
        self._reports = Reports()
        self._live = LiveView()
        self._next_drawing = 0.0

    def __enter__(self) -> "Display":
        """Start the live view, on a terminal."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the live view."""
        self._live.stop()

    def say(self, line: str) -> None:
        """Log a line, above the live view."""
        tell(line)

    def submitted(self, place: str, names: Sequence[str]) -> None:
        """Jobs have been put into the queue of a place, which calls them so."""
        if names:
            shown = names[0] if len(names) == 1 else f"{names[0]} to {names[-1].rpartition(' ')[2]}"
            self.say(f"{len(names)} {'job' if len(names) == 1 else 'jobs'} submitted to {place}: {shown}")

    def started(self, job: Job, slot: Slot, attempt: int) -> None:
        """A job has been given to a process."""
        self._reports.forget(job.number)
        if not self._live.is_shown:
            again = f", attempt {attempt}" if attempt > 1 else ""
            _log(logging.INFO, "#%d started on %s%s: %s", job.number, slot.name, again, job.label)

    def retried(self, job: Job, status: Status, attempt: int, retries: int) -> None:
        """A job has died and will be started again."""
        _log(logging.WARNING, "#%d %s; retry %d of %d: %s", job.number, status.error, attempt, retries, job.label)

    def ended(self, job: Job) -> None:
        """A job has ended for good."""
        status = job.status
        assert status is not None
        self._done += 1
        seconds = f"{status.seconds or 0:.1f} s"
        count = f"[{self._done}/{self._total}]"
        if status.state == State.completed:
            self._forecast.note(job, status.seconds)
            _log(
                logging.INFO,
                "%s #%d completed in %s%s: %s",
                count,
                job.number,
                seconds,
                _shown_value(status),
                job.label,
            )
        elif status.state == State.failed:
            self._failed += 1
            _log(logging.ERROR, "%s #%d failed after %s: %s: %s", count, job.number, seconds, status.error, job.label)
        else:
            self._pruned += status.state == State.pruned
            _log(logging.INFO, "%s #%d %s after %s: %s", count, job.number, status.state, seconds, job.label)

    def read_reports(self, pipe: int) -> None:
        """Take in what running jobs say of themselves; see :func:`~hydra_plugins.workstation_launcher.report`."""
        self._reports.read(pipe)

    def take_values(self) -> list[tuple[int, int, float]]:
        """Number, step and value of what running jobs have reported since this was last asked."""
        return self._reports.take_values()

    def refresh(
        self, running: Callable[[], Sequence[tuple[Job, Slot, float]]], queued: Callable[[], Sequence[Job]]
    ) -> None:
        """Draw the live view anew if it is time to, and notice that nobody can see it any more."""
        let_go()
        if not self._live.is_shown or time.monotonic() < self._next_drawing:
            return
        self._draw(running(), queued())
        # What a queue of thousands takes is estimated from the whole of it.
        self._next_drawing = time.monotonic() + _DRAWING_SECONDS

    def _draw(self, running: Sequence[tuple[Job, Slot, float]], queued: Sequence[Job]) -> None:
        with contained():
            left = self._seconds_left(running, queued) if self._knows_all else None
            about = "" if left is None else f", about {duration(left)} left"
            self._live.draw(
                f"{self._done - self._failed - self._pruned} done, {self._failed} failed, "
                f"{f'{self._pruned} pruned, ' if self._pruned else ''}{len(running)} running, "
                f"{len(queued)} queued{about}",
                done=self._done,
                total=self._total,
                rows=[
                    (f"#{job.number}", slot.name, duration(seconds), job.label, self._reports.message(job.number))
                    for job, slot, seconds in running[: self._live.most_rows]
                ],
                left_out=len(running[self._live.most_rows :]),
            )

    def _seconds_left(self, running: Sequence[tuple[Job, Slot, float]], queued: Sequence[Job]) -> float | None:
        """Those that run by their own reports, the others by the forecast."""
        still: list[float] = []
        for job, _, seconds in running:
            done = self._reports.done(job.number)
            expected = seconds / done if done else self._forecast.seconds(job)
            if expected is None:
                return None
            still.append(max(0.0, expected - seconds))
        return self._forecast.until_done(queued, still)


def tell(line: str) -> None:
    """Log a line."""
    with contained():
        log.info("%s", printable(line, longest=_LONGEST_LINE))


def prepare() -> None:
    """Make what is shown harmless; to be called when the loggers have their handlers."""
    accept_every_character()
    guard_loggers()
    let_go()


def finish() -> None:
    """Write what is left to be written, while what cannot be is still nobody's error."""
    with contained():
        settle()


def _log(level: int, line: str, *parts: object) -> None:
    """Log a line in which nothing that others have named can break it or act on a terminal; paths stay whole."""
    with contained():
        log.log(level, line, *map(_shown, parts))


def _shown(part: object) -> object:
    if isinstance(part, Path):
        return printable(str(part), longest=_LONGEST_LINE)
    return printable(part) if isinstance(part, str) else part


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
    if held := [job for job in to_do if job.is_held]:
        states = [job.earlier.state for job in held if job.earlier is not None]
        queued = states.count(State.queued)
        parts.append(" and ".join(filter(None, [
            f"{queued} queued" if queued else "", f"{len(states) - queued} running" if queued < len(states) else "",
        ])))  # fmt: skip
        to_do = [job for job in to_do if not job.is_held]
    if len(to_do) < len(jobs):
        parts.append(f"{len(to_do)} to run")
    if resumed := sum(job.earlier is not None for job in to_do):
        parts.append(f"{resumed} to be taken up again")
    seconds = forecast.until_done(forecast.longest_first([*to_do, *held]))
    about = f"; about {duration(seconds)}" if seconds else ""
    _log(logging.INFO, "sweep %s: %s; %s%s", directory, ", ".join(parts), plan.describe(), about)
    _tell_of_twins(jobs)
    for job in to_do:
        if job.is_damaged:
            _log(
                logging.WARNING,
                "warning: #%d runs again, for its results are gone or damaged: %s",
                job.number,
                job.directory,
            )


def announce_stream(left: int, plan: Plan, directory: Path) -> None:
    """Say what will happen where the jobs are chosen one after another."""
    _log(
        logging.INFO,
        "sweep %s: %d %s, each chosen when a slot is free; %s",
        directory,
        left,
        "job is left" if left == 1 else "jobs are left",
        plan.describe(),
    )


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
        _log(logging.INFO, "%s%s: %s", ", ".join(told), f", and {left} more likewise" if left else "", reason)


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
        _log(
            logging.WARNING,
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
    _log(
        logging.INFO, "sweep %s: %s%s, in %s", directory, ", ".join(counts), earlier, duration(time.monotonic() - begun)
    )
    _list_failures(jobs)


def _list_failures(jobs: Sequence[Job]) -> None:
    failures = [
        Failed(
            job.number,
            printable(job.status.error or "unknown"),
            printable(job.label),
            Path(printable(str(job.directory / (job.status.log or "")), longest=_LONGEST_LINE)),
        )
        for job in jobs
        if job.twin is None and job.status is not None and job.status.state == State.failed
    ]
    screen = shutil.get_terminal_size((80, 40))
    lines = screen.lines if console().is_terminal else _ROOM_IN_A_FILE
    with contained():
        for message in failure_list(failures, screen.columns, lines):
            log.error("%s", message)


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
