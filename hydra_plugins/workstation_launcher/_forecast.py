"""How long jobs will take: what the application expects of each, set right by those that have ended."""

import heapq
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from statistics import mean, median

from omegaconf import DictConfig

from hydra_plugins.workstation_launcher._devices import Plan
from hydra_plugins.workstation_launcher._records import State, Status
from hydra_plugins.workstation_launcher._sweep import Job

log = logging.getLogger("hydra_plugins.workstation_launcher")

Expect = Callable[[DictConfig, str], float | None]
"""From a job's configuration and a device to the seconds that it will take there; None where that is not known."""

_MOST_COMPARED = 50
"""How many jobs that have ended are set beside what was expected of them; the latest tell most."""


class Forecast:
    """The time that the jobs of a batch will take."""

    def __init__(self, jobs: Sequence[Job], plan: Plan, expect: Expect | None) -> None:
        """``expect`` is the application's; without one a job counts as long as it was before, or as others were."""
        self._expect, self._slots = expect, len(plan.slots)
        self._device = plan.slots[0].name
        self._expected: dict[int, float | None] = {}
        self._ratios: deque[float] = deque(maxlen=_MOST_COMPARED)
        self._correction = 1.0
        ended = [(job, status.seconds) for job in jobs if (status := _completion(job)) is not None and status.seconds]
        self._ended, self._ended_seconds = len(ended), sum(seconds for _, seconds in ended)
        for job, seconds in ended[-_MOST_COMPARED:]:
            self._compare(job, seconds)

    def note(self, job: Job, seconds: float | None) -> None:
        """A job has been completed."""
        if not seconds:
            return
        self._ended += 1
        self._ended_seconds += seconds
        self._compare(job, seconds)

    def note_taken(self, jobs: Iterable[Job]) -> None:
        """Those of the jobs that have been taken over have been completed elsewhere."""
        for job in jobs:
            if job.taken_from is not None and job.status is not None:
                self.note(job, job.status.seconds)

    def _compare(self, job: Job, seconds: float) -> None:
        if expected := self._expectation(job):
            self._ratios.append(seconds / expected)
            self._correction = median(self._ratios)

    def seconds(self, job: Job) -> float | None:
        """What a job will take, or None if nothing is known of it or of others."""
        expected = self._expectation(job)
        if expected is not None:
            return expected * self._correction
        if job.earlier is not None and job.earlier.state == State.completed and job.earlier.seconds:
            return job.earlier.seconds
        return self._ended_seconds / self._ended if self._ended else None

    def longest_first(self, jobs: Sequence[Job]) -> list[Job]:
        """Jobs in the order in which they start: no long one is left for the end, while other slots have nothing to do.

        This is at most a third above the shortest time possible (Graham 1969, doi:10.1137/0117039), where any other
        order may take twice that. Those equally long keep their order. Those of which nothing is known come where those
        of mean length do.
        """
        expected = [self.seconds(job) for job in jobs]
        known = [seconds for seconds in expected if seconds is not None]
        unknown = mean(known) if known else 0.0
        lengths = {id(job): unknown if each is None else each for job, each in zip(jobs, expected, strict=True)}
        return sorted(jobs, key=lambda job: -lengths[id(job)])

    def until_done(self, waiting: Iterable[Job], running: Iterable[float] = ()) -> float | None:
        """Seconds until all have ended: jobs that wait, in order, and others that run, by the seconds they still take.

        None if one of those that wait can be expected to take any time.
        """
        slots = sorted(running)
        slots += [0.0] * (self._slots - len(slots))
        heapq.heapify(slots)
        for job in waiting:
            seconds = self.seconds(job)
            if seconds is None:
                return None
            heapq.heapreplace(slots, slots[0] + seconds)
        return max(slots)

    def _expectation(self, job: Job) -> float | None:
        if self._expect is not None and job.number not in self._expected:
            try:
                found = self._expect(job.config, self._device)
                self._expected[job.number] = None if found is None else float(found)
            except (Exception, SystemExit) as error:
                # Nobody's runs depend on it.
                log.warning("warning: hydra.launcher.expected_seconds: %s: %s", type(error).__name__, error)
                self._expect = None
        return self._expected.get(job.number)


def _completion(job: Job) -> Status | None:
    """The record of a job that has been completed, now or earlier."""
    ended = job.status or job.earlier
    return ended if ended is not None and ended.state == State.completed else None
