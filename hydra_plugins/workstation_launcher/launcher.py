"""The plugin: Hydra's ``Launcher`` interface over the parts of this package."""

import logging
import os
import sys
import time
import weakref
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from hydra.core.utils import JobReturn, configure_log, setup_globals
from hydra.errors import CompactHydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.workstation_launcher import _display as display
from hydra_plugins.workstation_launcher._anew import RunAnew
from hydra_plugins.workstation_launcher._background import (
    OUTPUT_OF_SWEEP,
    enter_or_watch,
    go_on_in_background,
    leave_at_once,
)
from hydra_plugins.workstation_launcher._composition import SweepConfigLoader
from hydra_plugins.workstation_launcher._dated_folders import how_to_carry_on, warn_of_new_folder
from hydra_plugins.workstation_launcher._devices import Plan, make_plan
from hydra_plugins.workstation_launcher._disk import until_written
from hydra_plugins.workstation_launcher._dry_run import show_dry_run
from hydra_plugins.workstation_launcher._forecast import Forecast
from hydra_plugins.workstation_launcher._former_folder import FormerFolder
from hydra_plugins.workstation_launcher._held import find_held
from hydra_plugins.workstation_launcher._hooks import Hooks
from hydra_plugins.workstation_launcher._identity import numbered_keys
from hydra_plugins.workstation_launcher._job import Application
from hydra_plugins.workstation_launcher._lock import SweepLock
from hydra_plugins.workstation_launcher._new_interpreter import is_becoming_main
from hydra_plugins.workstation_launcher._options import Options, checked_options, register_options
from hydra_plugins.workstation_launcher._place import Place
from hydra_plugins.workstation_launcher._records import State, SweepRecord
from hydra_plugins.workstation_launcher._resolver import register_resolver
from hydra_plugins.workstation_launcher._returns import Returns
from hydra_plugins.workstation_launcher._reuse import (
    clear_the_way,
    find_sources,
    remove_leftovers_of_taking,
    take_over,
    unshare,
)
from hydra_plugins.workstation_launcher._schedule import Scheduler
from hydra_plugins.workstation_launcher._server_start import Birth, Setup
from hydra_plugins.workstation_launcher._stream import Source
from hydra_plugins.workstation_launcher._streaming import Streaming
from hydra_plugins.workstation_launcher._sweep import Job, factors, plan_jobs
from hydra_plugins.workstation_launcher._workers import Workers

register_options()
register_resolver()

log = logging.getLogger("hydra_plugins.workstation_launcher")


class EmptySweepError(CompactHydraException):
    """A sweep over nothing."""


class UnguardedMainError(CompactHydraException):
    """A job would start its own sweep."""


class WorkstationLauncher(Launcher, Streaming):
    """Runs the jobs of a sweep side by side on this machine; docs/launcher.md describes it."""

    streams = True
    """Whether it takes a stream of jobs (:meth:`launch_stream`); else a sweeper gives it batches."""
    _detaches = True
    """Whether the command itself has to live on for the sweep to go on."""

    def __init__(self, **options: Any) -> None:
        """``options`` are those of :class:`~hydra_plugins.workstation_launcher._options.WorkstationLauncherConf`."""
        self._given = options
        self._returns = Returns()
        self._place: Place | None = None
        self._begun = False
        self._left = False
        """Whether jobs were left to a place that outlives this command."""
        self._in_background = False
        self._has_attached = False
        """Whether it has watched another command's work to the end: what failed then is not tried again at once."""
        self._overrides: list[list[str]] = []
        """Of the jobs of all batches."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by the sweeper before anything is written.

        Raises:
            UnguardedMainError: if this is a job that only imports the main module.
            OptionError: if an option cannot be used. Hydra wraps what is raised when it makes an object, and not this.
        """
        if is_becoming_main():
            raise UnguardedMainError(
                "a job in a new interpreter must not start a sweep when it imports the main module"
            )
        plain = OmegaConf.to_container(OmegaConf.create(self._given), resolve=True)
        self._options = self._checked(cast(dict[str, Any], plain))
        self._task_function, self._config = task_function, config
        self._hooks = Hooks(self._options, task_function)
        self._loader = SweepConfigLoader(hydra_context.config_loader, self._undo_setup)
        self._app_context = hydra_context
        # The sweeper checks its jobs through the same context, and what it composes need not be composed again.
        hydra_context.config_loader = self._loader
        self._directory = Path(str(config.hydra.sweep.dir))
        self._lock = SweepLock(self._directory)
        self._former_folder = FormerFolder(self._directory)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run a batch of jobs, and give each one's result to the sweeper.

        Raises:
            SystemExit: with status 0 after a dry run, 130 when the sweep was interrupted.
            SweepInUseError: if another command is at work in the sweep's directory.
            EmptySweepError: if there are no jobs.
        """
        self._birth = Birth.here()  # before anything of ours changes, or draws
        if not job_overrides and not self._begun:
            self._undo_setup()
            raise EmptySweepError("the sweep is empty: one of its keys is swept over no values")
        begun = time.monotonic()
        setup_globals()
        self._configure_log()
        display.prepare()
        options = self._options
        try:
            plan = self._plan(len(job_overrides))
            code_version = self._hooks.code_version()
            look = partial(self._jobs, job_overrides, initial_job_idx, code_version)
            if not options.dry_run:
                self._has_attached |= enter_or_watch(self._lock, self._directory, plan, look)
            record, jobs = look()
            self._hold(jobs)
            self._hooks.explain_twins(jobs)
            self._warn_of_traps(jobs)
            if options.reuse and options.resume:
                find_sources(jobs, self._directory, code_version, self._hooks.is_whole, keep_index=not options.dry_run)
            forecast = Forecast(jobs, plan, self._hooks.expectation())
            if not options.dry_run:
                self._hooks.check(jobs, with_each=forecast.seconds)
        except BaseException:
            self._undo_setup()
            raise
        if options.dry_run:
            show_dry_run(jobs, plan, forecast, self._directory)
            self._undo_setup()
            sys.exit(0)
        self._note_what_is_run_anew(record, jobs, code_version)
        self._begun = True
        self._directory.mkdir(parents=True, exist_ok=True)
        self._overrides += [job.overrides for job in jobs]
        for job in jobs:
            record.add(job.place, job.overrides, job.fingerprint, job.former)
        self._detach(jobs)
        write = partial(
            record.write, factors=factors(self._overrides), code_version=code_version, background=self._in_background
        )
        until_written(write, self._directory, log.info)
        remove_leftovers_of_taking([self._directory, *(job.directory.parent for job in jobs)])
        take_over(jobs, code_version, self._hooks.is_whole, self._hooks.tell_of_taking)
        forecast.note_taken(jobs)
        display.announce(jobs, plan, forecast, self._directory)
        display.warn_of_other_code(jobs, code_version)
        interrupted = self._run(jobs, plan, forecast, code_version)
        display.summarise(jobs, self._directory, begun)
        if interrupted or self._left:
            log.info(
                "to %s: %s", "attach" if self._left else "carry on", how_to_carry_on(self._config, self._directory)
            )
            display.finish()
            sys.exit(130 if interrupted else 0)
        until_written(record.end_anew, self._directory, log.info)
        try:
            if self._hooks.end_is_interrupted(self._directory):
                log.info("interrupted: hydra.launcher.on_sweep_end=%s did not end; all jobs have", options.on_sweep_end)
                sys.exit(130)
        finally:
            display.finish()
        return [self._returns.of(job) for job in jobs]

    def _jobs(
        self, batch: Sequence[Sequence[str]], first_number: int, code_version: str | None
    ) -> tuple[SweepRecord, list[Job]]:
        """What is known of the sweep, and the jobs of a batch."""
        record = SweepRecord.load(self._directory)
        jobs = plan_jobs(
            batch=batch,
            first_number=first_number,
            loader=self._loader,
            master=self._config,
            options=self._options,
            record=record,
            is_whole=partial(self._hooks.is_whole, unless_said=True),
            code_version=code_version,
        )
        for job in jobs:
            tried = job.is_to_run and job.earlier is not None and job.earlier.state == State.failed
            if tried and self._has_attached:  # by the command that was watched
                job.status, job.skipped = job.earlier, True
        return record, jobs

    def _detach(self, jobs: list[Job]) -> None:
        """Go on in the background, if that is asked for and there is anything to do."""
        wanted = not self._options.wait and not self._has_attached and not self._in_background
        if not (wanted and self._detaches and any(job.is_to_run for job in jobs)):
            return
        process = go_on_in_background(self._directory, self._lock.file)
        if process:
            log.info(
                "sweep %s: goes on in the background (process %d), and says how in %s",
                self._directory, process, self._directory / OUTPUT_OF_SWEEP,
            )  # fmt: skip
            log.info("to attach: %s", how_to_carry_on(self._config, self._directory))
            leave_at_once()
        self._in_background = True

    def _run(
        self,
        jobs: list[Job],
        plan: Plan,
        forecast: Forecast,
        code_version: str | None,
        source: Source | None = None,
    ) -> bool:
        to_do = [job for job in jobs if job.is_to_run]
        if not to_do and (source is None or source.is_over):
            return False
        if self._place is None:
            self._place = self._new_place(self._setup_of_jobs(plan))
        place = self._place.opened()  # before this process draws and heeds signals: jobs are its forks
        with display.Display(jobs, forecast, to_come=0 if source is None else source.left) as view:
            scheduler = Scheduler(
                plan=plan,
                options=self._options,
                open_place=place.opened,
                display=view,
                code_version=code_version,
                directory=self._directory,
                on_start=self._prepare,
                on_end=None if self._options.on_job_end is None else self._tell_of_end,
                on_last_start=self._hooks.load_end,
                on_turn=self._lock.beat,
                source=source,
            )
            try:
                # Whoever finds jobs in the queue has come back for them.
                wait = self._options.wait or any(job.is_held for job in to_do)
                scheduler.run(forecast.longest_first(to_do), wait=wait)
            except KeyboardInterrupt:
                scheduler.interrupted = True
        self._left = scheduler.left
        return scheduler.interrupted

    def _checked(self, given: Mapping[str, Any]) -> Options:
        return checked_options(given)

    def _plan(self, jobs: int) -> Plan:  # noqa: ARG002 - what is here does not depend on how many there are
        """What there is to run on."""
        return make_plan(self._options, os.environ)

    def _new_place(self, setup: Setup) -> Place:
        workers = Workers(setup, self._birth)
        weakref.finalize(self, workers.end)
        return workers

    def _hold(self, jobs: list[Job]) -> None:
        """Find the jobs that are in a place's queue already.

        Raises:
            HeldElsewhereError: if that is another place than this one.
        """
        find_held(jobs, None, self._directory)

    def _note_what_is_run_anew(self, record: SweepRecord, jobs: list[Job], code_version: str | None) -> None:
        if self._options.resume:
            return
        earlier = {
            job.fingerprint: "" if job.earlier is None else job.earlier.attempt_id for job in jobs if job.twin is None
        }
        record.anew = RunAnew.begun(record.content.get("anew"), earlier, code_version, goes_on=self._begun)
        if kept := sum(job.skipped for job in jobs):
            log.info("resume=false: %d of %d jobs were run anew before this command was interrupted", kept, len(jobs))

    def _warn_of_traps(self, jobs: list[Job]) -> None:
        """Say what will keep this command from going on where it stood when it is given again."""
        if self._begun:  # said with the first batch
            return
        if self._options.identity is None and (numbered := numbered_keys(jobs[0].config)):
            log.warning("warning: %s: the job's number; jobs with other numbers are others", ", ".join(numbered))
        warn_of_new_folder(self._config, self._directory)

    def _setup_of_jobs(self, plan: Plan) -> Setup:
        return Setup(
            Application(self._task_function, self._app_context),
            self._options.preload,
            self._options.start_method,
            plan.threads,
            self._lock.file,
        )

    def _configure_log(self) -> None:
        hydra = self._config.hydra
        # Hydra 1.4 asks for the list of what a configuration may execute as well.
        more = {
            key: getattr(self._app_context, key) for key in ("execution_whitelist",) if hasattr(self._app_context, key)
        }
        configure_log(hydra.hydra_logging, hydra.verbose, **more)

    def _undo_setup(self) -> None:
        """Leave a sweep's directory as it was; not once jobs of an earlier batch have run."""
        if not self._begun:
            self._former_folder.restore(self._lock.release)

    def _tell_of_end(self, job: Job) -> None:
        self._hooks.call("on_job_end", self._directory, job.directory)

    def _prepare(self, job: Job) -> None:
        clear_the_way(job.directory)
        unshare(job.directory)
        self._hooks.call("on_job_start", job.config, job.directory)
