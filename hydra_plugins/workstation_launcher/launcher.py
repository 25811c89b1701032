"""The plugin: Hydra's ``Launcher`` interface over the parts of this package."""

import atexit
import logging
import os
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout
from hydra import version
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobRuntime, JobStatus, configure_log, setup_globals
from hydra.errors import CompactHydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.workstation_launcher import _display as display
from hydra_plugins.workstation_launcher._composition import SweepConfigLoader
from hydra_plugins.workstation_launcher._devices import Plan, make_plan
from hydra_plugins.workstation_launcher._dry_run import show_dry_run
from hydra_plugins.workstation_launcher._failures import mark_as_shown
from hydra_plugins.workstation_launcher._forecast import Forecast
from hydra_plugins.workstation_launcher._fork_server import Setup
from hydra_plugins.workstation_launcher._hooks import Hooks
from hydra_plugins.workstation_launcher._hydra_internals import ListedJobReturn, failure
from hydra_plugins.workstation_launcher._job import Application
from hydra_plugins.workstation_launcher._options import checked_options, register_options
from hydra_plugins.workstation_launcher._pickling import dumps, loads
from hydra_plugins.workstation_launcher._records import (
    FAILURE,
    RecordFormatError,
    State,
    SweepRecord,
    typed_command,
)
from hydra_plugins.workstation_launcher._resolver import register_resolver
from hydra_plugins.workstation_launcher._reuse import find_sources, remove_leftovers_of_taking, take_over, unshare
from hydra_plugins.workstation_launcher._schedule import Scheduler
from hydra_plugins.workstation_launcher._sweep import Job, factors, plan_jobs, set_hydra
from hydra_plugins.workstation_launcher._workers import Workers

register_options()
register_resolver()

log = logging.getLogger("hydra_plugins.workstation_launcher")


class SweepInUseError(CompactHydraException):
    """Another command is at work in the sweep's directory."""


class EmptySweepError(CompactHydraException):
    """A sweep over nothing."""


class JobError(CompactHydraException):
    """A job of the sweep died or did not start; raised when a sweeper asks for its return value."""


class WorkstationLauncher(Launcher):
    """Runs the jobs of a sweep side by side on this machine; docs/launcher.md describes it."""

    def __init__(self, **options: Any) -> None:
        """``options`` are those of :class:`~hydra_plugins.workstation_launcher._options.WorkstationLauncherConf`."""
        self._given = options
        self._lock: FileLock | None = None
        self._begun = False

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by the sweeper before anything is written.

        Raises:
            OptionError: if an option cannot be used. Hydra wraps what is raised when it makes an object, and not this.
        """
        plain = OmegaConf.to_container(OmegaConf.create(self._given), resolve=True)
        self._options = checked_options(cast(dict[str, Any], plain))
        self._task_function, self._config = task_function, config
        self._hooks = Hooks(self._options, task_function)
        self._loader = SweepConfigLoader(hydra_context.config_loader, self._undo_setup)
        self._app_context = hydra_context
        # The sweeper checks its jobs through the same context, and what it composes need not be composed again.
        hydra_context.config_loader = self._loader
        self._directory = Path(str(config.hydra.sweep.dir))
        self._was_there = self._directory.exists()
        self._absent = [parent for parent in self._directory.parents if not parent.exists()]
        multirun = self._directory / "multirun.yaml"
        self._multirun_before = multirun.read_bytes() if multirun.exists() else None

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run a batch of jobs, and give each one's result to the sweeper.

        Raises:
            SystemExit: with status 0 after a dry run, 130 when the sweep was interrupted.
            SweepInUseError: if another command is at work in the sweep's directory.
            EmptySweepError: if there are no jobs.
        """
        if not job_overrides and not self._begun:
            self._undo_setup()
            raise EmptySweepError("the sweep is empty: one of its keys is swept over no values")
        begun = time.monotonic()
        display.accept_every_character()
        setup_globals()
        self._configure_log()
        options = self._options
        try:
            plan = make_plan(options, os.environ)
            if not options.dry_run:
                self._take_lock()
            record = self._load_record()
            jobs = plan_jobs(
                batch=job_overrides,
                first_number=initial_job_idx,
                loader=self._loader,
                master=self._config,
                options=options,
                record=record,
                is_whole=partial(self._hooks.is_whole, unless_said=True),
            )
            self._hooks.explain_twins(jobs)
            code_version = self._hooks.code_version()
            if options.reuse and options.resume:
                find_sources(jobs, self._directory, code_version, self._hooks.is_whole, keep_index=not options.dry_run)
            if not options.dry_run:
                self._hooks.check(jobs)
        except BaseException:
            self._undo_setup()
            raise
        if options.dry_run:
            show_dry_run(jobs, plan, Forecast(jobs, plan, self._hooks.expectation()), self._directory)
            self._undo_setup()
            sys.exit(0)
        self._begun = True
        self._directory.mkdir(parents=True, exist_ok=True)
        for job in jobs:
            record.add(job.place, job.overrides, job.fingerprint, job.former)
        record.write(factors=factors(jobs), code_version=code_version)
        remove_leftovers_of_taking([self._directory, *(job.directory.parent for job in jobs)])
        take_over(jobs, code_version, self._hooks.is_whole, self._hooks.tell_of_taking)
        forecast = Forecast(jobs, plan, self._hooks.expectation())
        display.announce(jobs, plan, forecast, self._directory)
        display.warn_of_other_code(jobs, code_version)
        interrupted = self._run(jobs, plan, forecast, code_version)
        display.summarise(jobs, self._directory, begun)
        if interrupted:
            log.info("to carry on: %s", shlex.join(typed_command()))
            sys.exit(130)
        self._hooks.call("on_sweep_end", self._directory)
        return [self._job_return(job) for job in jobs]

    def _run(self, jobs: list[Job], plan: Plan, forecast: Forecast, code_version: str | None) -> bool:
        to_do = [job for job in jobs if job.is_to_run]
        if not to_do:
            return False
        application = dumps(
            Application(
                self._task_function, self._app_context, Singleton.get_state(), list(sys.argv), list(sys.orig_argv)
            )
        )
        setup = Setup(application, self._options.preload, self._options.start_method)
        with display.Display(jobs, forecast) as view:
            scheduler = Scheduler(
                plan=plan,
                options=self._options,
                make_workers=lambda: Workers(setup, plan.threads),
                display=view,
                code_version=code_version,
                on_start=self._prepare,
                on_end=lambda job: self._hooks.call("on_job_end", self._directory, job.directory),
            )
            try:
                scheduler.run(to_do)
            except KeyboardInterrupt:
                scheduler.interrupted = True
        return scheduler.interrupted

    def _configure_log(self) -> None:
        hydra = self._config.hydra
        # Hydra 1.4 asks for the list of what a configuration may execute as well.
        more = {
            key: getattr(self._app_context, key) for key in ("execution_whitelist",) if hasattr(self._app_context, key)
        }
        configure_log(hydra.hydra_logging, hydra.verbose, **more)

    def _load_record(self) -> SweepRecord:
        try:
            return SweepRecord.load(self._directory)
        except RecordFormatError as error:
            raise CompactHydraException(str(error)) from None

    def _take_lock(self) -> None:
        """Keep other commands out of the sweep until this process ends, however it does."""
        if self._lock is not None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._directory / ".lock", is_singleton=True)  # of this process, for all its sweeps here
        try:
            lock.acquire(timeout=0)
        except Timeout:
            owner = self._load_record().content
            since = f" (process {owner['pid']} on {owner['host']}, since {owner['updated']})" if owner else ""
            raise SweepInUseError(f"{self._directory}: another command is at work on this sweep{since}") from None
        self._lock = lock
        atexit.register(lock.release)

    def _undo_setup(self) -> None:
        """Leave a sweep's directory as it was before the sweeper put its ``multirun.yaml`` there.

        Not once jobs of an earlier batch have run.
        """
        if self._begun:
            return
        multirun = self._directory / "multirun.yaml"
        if self._multirun_before is not None:
            multirun.write_bytes(self._multirun_before)
        else:
            multirun.unlink(missing_ok=True)
        if (
            not self._was_there
            and self._directory.is_dir()
            and {path.name for path in self._directory.iterdir()} <= {".lock"}
        ):
            if self._lock is not None:
                self._lock.release()
            shutil.rmtree(self._directory)
        for parent in self._absent:
            if not parent.exists():
                continue
            try:
                parent.rmdir()
            except OSError:  # something else has been put there
                break

    def _prepare(self, job: Job) -> None:
        unshare(job.directory)
        self._hooks.call("on_job_start", job.config, job.directory)

    def _job_return(self, job: Job) -> JobReturn:
        config, status = job.config, job.outcome
        output = (Path.cwd() / job.directory).as_posix()
        set_hydra(config, "runtime.output_dir", output)
        hydra_config = HydraConfig()
        hydra_config.set_config(config)
        task_config = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
        completed = status is not None and status.state == State.completed
        result = ListedJobReturn()
        kept = None if completed else _kept_failure(job)
        if kept is not None:
            result.__dict__.update(kept.__dict__)  # Hydra 1.4 keeps the traceback in fields of its own
        result.overrides = [str(override) for override in config.hydra.overrides.task]
        result.cfg, result.hydra_cfg = task_config, cast(DictConfig, hydra_config.cfg)
        result.working_dir = str(job.directory if _changes_directory(config) else Path.cwd())
        result.task_name = JobRuntime.instance().get("name")
        result.status = JobStatus.COMPLETED if completed else JobStatus.FAILED
        if completed and status is not None:
            result.return_value = status.value()
        else:
            result.return_value = (kept and failure(kept)) or JobError(_fate(job))
            mark_as_shown(failure(result))
        return result


def _kept_failure(job: Job) -> JobReturn | None:
    """What the job's process kept of its exception."""
    status = job.outcome
    if status is None or status.state != State.failed:
        return None
    try:
        kept: JobReturn = loads((job.directory / FAILURE).read_bytes())
    except Exception:  # none was kept, or the exception's class refuses to be made again
        return None
    return kept


def _fate(job: Job) -> str:
    status = job.outcome
    if status is None:
        return f"job #{job.number} ({job.label}) was not started"
    return f"job #{job.number} ({job.label}) {status.state}: {status.error}; {job.directory / (status.log or '')}"


def _changes_directory(config: DictConfig) -> bool:
    """Hydra's own rule, in its ``run_job``."""
    chosen = config.hydra.job.chdir
    return not version.base_at_least("1.2") if chosen is None else bool(chosen)
