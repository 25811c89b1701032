"""The part of the launcher that runs a stream of jobs: one by one, each chosen while others run."""

import logging
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hydra.core.utils import JobReturn, setup_globals
from omegaconf import DictConfig

from hydra_plugins.workstation_launcher import _display as display
from hydra_plugins.workstation_launcher._composition import SweepConfigLoader
from hydra_plugins.workstation_launcher._dated_folders import how_to_carry_on, warn_of_new_folder
from hydra_plugins.workstation_launcher._devices import Plan
from hydra_plugins.workstation_launcher._disk import until_written
from hydra_plugins.workstation_launcher._forecast import Forecast
from hydra_plugins.workstation_launcher._hooks import Hooks
from hydra_plugins.workstation_launcher._lock import SweepLock
from hydra_plugins.workstation_launcher._options import OptionError, Options
from hydra_plugins.workstation_launcher._records import SweepRecord
from hydra_plugins.workstation_launcher._returns import Returns
from hydra_plugins.workstation_launcher._reuse import find_sources, remove_leftovers_of_taking, take_over
from hydra_plugins.workstation_launcher._server_start import Birth
from hydra_plugins.workstation_launcher._stream import JobStream, Source
from hydra_plugins.workstation_launcher._sweep import Job, factors, plan_jobs

log = logging.getLogger("hydra_plugins.workstation_launcher")


class Streaming:
    """What ``WorkstationLauncher`` has besides ``launch``; the attributes are its own."""

    _birth: Birth
    _config: DictConfig
    _directory: Path
    _hooks: Hooks
    _loader: SweepConfigLoader
    _lock: SweepLock
    _options: Options
    _returns: Returns
    _begun: bool
    _overrides: list[list[str]]

    def _configure_log(self) -> None:
        raise NotImplementedError

    def _plan(self, jobs: int) -> Plan:
        raise NotImplementedError

    def _undo_setup(self) -> None:
        raise NotImplementedError

    def _run(
        self, jobs: list[Job], plan: Plan, forecast: Forecast, code_version: str | None, source: Source | None = None
    ) -> bool:
        raise NotImplementedError

    def launch_stream(self, stream: JobStream, initial_job_idx: int = 0) -> Sequence[JobReturn]:  # noqa: ARG002 - as launch
        """Run jobs that are chosen while others run, until the stream is over.

        Each is composed, checked, known again, skipped and recorded as one of a batch is;
        ``hydra.launcher.on_sweep_end`` is called once, at the end.

        Args:
            stream: what is asked for jobs, and told how they end.
            initial_job_idx: not used, for each job of a stream brings its number.

        Returns:
            The results of all jobs that this command has met, in the order in which they were chosen.

        Raises:
            SystemExit: with status 0 after a dry run, 130 when the sweep was interrupted.
            SweepInUseError: if another command is at work in the sweep's directory.
            OptionError: if an option does not go with a stream.
        """
        self._birth = Birth.here()
        begun = time.monotonic()
        setup_globals()
        self._configure_log()
        display.prepare()
        options = self._options
        try:
            plan = self._plan(1)
            if not options.resume:
                raise OptionError(
                    "hydra.launcher.resume=false: a search goes on with what it has found; another hydra.sweep.dir "
                    "begins one anew"
                )
            if not options.wait:
                raise OptionError("hydra.launcher.wait=false: a search waits for its trials")
            if not options.dry_run:
                self._lock.take(lambda: SweepRecord.load(self._directory).content)
            record = SweepRecord.load(self._directory)
            code_version = self._hooks.code_version()
            if not options.dry_run:
                stream.begin()
            forecast = Forecast([], plan, self._hooks.expectation())
        except BaseException:
            self._undo_setup()
            raise
        warn_of_new_folder(self._config, self._directory)
        display.announce_stream(stream.left, plan, self._directory)
        if options.dry_run:
            self._undo_setup()
            sys.exit(0)
        self._begun = True
        source = Source(
            stream,
            partial(self._plan_one, record, code_version, forecast),
            partial(self._keep_one, record, code_version),
            self._returns.of,
        )
        interrupted = self._run([], plan, forecast, code_version, source)
        display.summarise(source.jobs, self._directory, begun)
        if interrupted:
            log.info("to carry on: %s", how_to_carry_on(self._config, self._directory))
        try:
            if interrupted or self._hooks.end_is_interrupted(self._directory):
                sys.exit(130)
        finally:
            display.finish()
        return [self._returns.of(job) for job in source.jobs]

    def _plan_one(
        self, record: SweepRecord, code_version: str | None, forecast: Forecast, number: int, overrides: list[str]
    ) -> Job:
        """Plan and check a job of a stream; nothing is written."""
        jobs = plan_jobs(
            batch=[overrides],
            first_number=number,
            loader=self._loader,
            master=self._config,
            options=self._options,
            record=record,
            is_whole=partial(self._hooks.is_whole, unless_said=True),
            code_version=code_version,
        )
        (job,) = jobs
        self._hooks.check(jobs, with_each=forecast.seconds)
        if self._options.reuse:
            find_sources(jobs, self._directory, code_version, self._hooks.is_whole, keep_index=True)
        return job

    def _keep_one(self, record: SweepRecord, code_version: str | None, job: Job) -> None:
        """Record a job of a stream, and take it over where it has been done beside this sweep."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._overrides.append(job.overrides)
        record.add(job.place, job.overrides, job.fingerprint, job.former)
        write = partial(record.write, factors=factors(self._overrides), code_version=code_version)
        until_written(write, self._directory, log.info)
        remove_leftovers_of_taking([self._directory, job.directory.parent])
        take_over([job], code_version, self._hooks.is_whole, self._hooks.tell_of_taking)
