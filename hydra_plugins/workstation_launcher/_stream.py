"""Jobs that are chosen while others run: a freed slot is given the next one at once.

A sweeper that searches hands :meth:`WorkstationLauncher.launch_stream` a :class:`JobStream` instead of a batch. Any
sweeper can: nothing here knows how its jobs are chosen.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from hydra.core.utils import JobReturn

from hydra_plugins.workstation_launcher._progress import answer
from hydra_plugins.workstation_launcher._records import State
from hydra_plugins.workstation_launcher._sweep import Job, common_overrides

log = logging.getLogger("hydra_plugins.workstation_launcher")


class JobStream(Protocol):
    """What a sweeper is asked and told while its jobs run, always in the launching process's main thread."""

    @property
    def is_over(self) -> bool:
        """Whether no further job comes, now or when others end."""

    @property
    def left(self) -> int:
        """Jobs that are still to end, as far as that is known; for the display."""

    def begin(self) -> None:
        """Called once, when the sweep's directory is this command's alone, and before anything of it is written."""

    def next(self, free: int) -> list[tuple[int, Sequence[str]]]:
        """Number and overrides of the jobs that begin now, at most ``free``.

        A number is a job's own for good: the same job has it again under the next command. None may be given while
        others run, on whose values the next ones depend; this is asked again when one of them has ended.
        """

    def reported(self, number: int, step: int, value: float) -> bool:
        """A running job has reported a value, see :func:`report_value`; True: it is to be pruned."""

    def refused(self, number: int, error: Exception) -> None:
        """The application does not take the configuration of a job, which is not run and counts as done."""

    def ended(self, number: int, result: JobReturn) -> None:
        """A job has ended: completed, failed or pruned, now or under an earlier command. Not an interrupted one.

        A pruned one's result raises :class:`~hydra_plugins.workstation_launcher.Pruned`.
        """


class Source:
    """The jobs of a stream, planned one by one, for the scheduler."""

    def __init__(
        self,
        stream: JobStream,
        plan: Callable[[int, list[str]], Job],
        keep: Callable[[Job], None],
        result: Callable[[Job], JobReturn],
    ) -> None:
        """``plan`` composes and checks a job, ``keep`` records it; ``result`` makes what a sweeper gets of it."""
        self._stream, self._plan, self._keep, self._result = stream, plan, keep, result
        self.jobs: list[Job] = []
        """Those that were planned so far."""
        self._by_fingerprint: dict[str, Job] = {}
        self._twins: dict[int, list[Job]] = {}

    @property
    def is_over(self) -> bool:
        """Whether no further job comes."""
        return self._stream.is_over

    @property
    def left(self) -> int:
        """Jobs that are still to end, as far as that is known."""
        return self._stream.left

    def next(self, free: int) -> list[Job]:
        """The jobs that start now, at most ``free``; those that need not run are told at once."""
        found: list[Job] = []
        while len(found) < free and not self._stream.is_over:
            asked = self._stream.next(free - len(found))
            if not asked:
                break
            planned = [job for number, overrides in asked if (job := self._planned(number, list(overrides)))]
            found += [job for job in planned if job.is_to_run]
            common = common_overrides(self.jobs) if len(self.jobs) > 1 else []
            for job in planned:
                differing = [override for override in job.overrides if override not in common]
                job.label = " ".join(differing) or "(defaults)"
        return found

    def _planned(self, number: int, overrides: list[str]) -> Job | None:
        try:
            job = self._plan(number, overrides)
        except (Exception, SystemExit) as error:
            said = error if isinstance(error, Exception) else RuntimeError(f"SystemExit: {error}")
            self._stream.refused(number, said)
            return None
        self._keep(job)
        self.jobs.append(job)
        job.twin = self._by_fingerprint.setdefault(job.fingerprint, job)
        if job.twin is job:
            job.twin = None
        if job.twin is not None and job.twin.status is None:
            self._twins.setdefault(job.twin.number, []).append(job)
        elif not job.is_to_run:
            self._stream.ended(number, self._result(job))
        return job

    def reported(self, job: Job, step: int, value: float) -> None:
        """Pass on what a job has reported, and leave it the answer."""
        prune = self._stream.reported(job.number, step, value)
        try:
            answer(job.directory, step, prune=prune)
        except OSError as error:
            log.warning("warning: #%d cannot be answered: %s", job.number, error.strerror or error)

    def ended(self, job: Job) -> None:
        """A job has ended for good; what was interrupted is carried on by the next command."""
        if job.status is None or job.status.state == State.interrupted:
            return
        for each in (job, *self._twins.pop(job.number, ())):
            self._stream.ended(each.number, self._result(each))
