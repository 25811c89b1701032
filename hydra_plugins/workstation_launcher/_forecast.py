"""How long jobs will take: what the application expects of each, set right by those that have ended."""

import heapq
import logging
from collections.abc import Callable, Iterable, Sequence
from statistics import mean, median

from omegaconf import DictConfig

from hydra_plugins.workstation_launcher._devices import Plan
from hydra_plugins.workstation_launcher._records import State
from hydra_plugins.workstation_launcher._sweep import Job

log = logging.getLogger("hydra_plugins.workstation_launcher")

Expect = Callable[[DictConfig, str], float | None]
"""From a job's configuration and a device to the seconds that it will take there; None where that is not known."""

_MOST_COMPARED = 50
"""How many jobs that have ended are set beside what was expected of them; the latest tell most."""


class Forecast:
    """The time that the jobs of a batch will take."""

    def __init__(self, jobs: Sequence[Job], plan: Plan, expect: Expect | None) -> None:
        """``expect`` is the application's; without one all jobs count as equally long."""
        self._expect, self._slots = expect, len(plan.slots)
        self._device = plan.slots[0].name
        self._expected: dict[int, float | None] = {}
        self._ended: list[tuple[Job, float]] = []
        for job in jobs:
            ended = job.status or job.earlier
            if ended is not None and ended.state == State.completed:
                self.note(job, ended.seconds)

    def note(self, job: Job, seconds: float | None) -> None:
        """A job has been completed."""
        if seconds:
            self._ended.append((job, seconds))

    def seconds(self, job: Job) -> float | None:
        """What a job will take, or None if nothing is known of it or of others."""
        pairs = [(self._expectation(ended), seconds) for ended, seconds in self._ended[-_MOST_COMPARED:]]
        ratios = [seconds / expected for expected, seconds in pairs if expected]
        expected = self._expectation(job)
        if expected is not None:
            return expected * (median(ratios) if ratios else 1.0)
        return mean(seconds for _, seconds in self._ended) if self._ended else None

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
            except Exception as error:
                # Nobody's runs depend on it.
                log.warning("warning: hydra.launcher.expected_seconds: %s: %s", type(error).__name__, error)
                self._expect = None
        return self._expected.get(job.number)
