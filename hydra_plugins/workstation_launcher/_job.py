"""What happens in the process of a job: its environment, its output, the app's task function, its record."""

import contextlib
import dataclasses
import faulthandler
import io
import logging
import os
import random
import signal
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_plugins.workstation_launcher._atomic_files import write_atomically
from hydra_plugins.workstation_launcher._failures import in_one_line
from hydra_plugins.workstation_launcher._hydra_internals import failure
from hydra_plugins.workstation_launcher._pickling import dumps, loads
from hydra_plugins.workstation_launcher._progress import DESCRIPTOR
from hydra_plugins.workstation_launcher._records import FAILURE, OUTPUT, State, Status


@dataclass(frozen=True)
class Application:
    """What all jobs of a sweep have in common; pickled once."""

    task_function: TaskFunction
    hydra_context: HydraContext
    singletons: Any
    """State of Hydra's singletons, and OmegaConf's resolvers."""
    argv: list[str]
    orig_argv: list[str]
    """The command, as the app would see it in the process that was started with it."""

    def install(self) -> None:
        """Make this process one in which Hydra can run jobs."""
        sys.argv, sys.orig_argv = self.argv, self.orig_argv
        setup_globals()
        Singleton.set_state(self.singletons)


@dataclass(frozen=True)
class JobOrder:
    """One job, as its process gets it."""

    number: int
    directory: Path
    config: bytes
    """Pickled ``DictConfig`` with its ``hydra`` node, in which all directories are settled."""
    status: Status
    """As the launcher has written it."""


@dataclass(frozen=True)
class WorkOrder:
    """What one process is to do: a list of jobs, one after another, in one place."""

    jobs: list[JobOrder]
    environment: Mapping[str, str]
    threads: int | None
    progress: int
    """File descriptor of the pipe to the display."""


def enter_job_process() -> None:
    """Give this process a session of its own, a quick end when its parent dies, and default signal handling."""
    if os.getpid() != os.getsid(0):
        os.setsid()
    _die_with_parent()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)


def _die_with_parent() -> None:
    if sys.platform != "linux":
        return
    import ctypes

    set_parent_death_signal = 1  # PR_SET_PDEATHSIG of linux/prctl.h
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def work(application: Application, order: WorkOrder) -> int:
    """Do the jobs; the exit status is 0 if the last one completed."""
    os.environ.update(order.environment)
    _fresh_random_state()
    if order.threads is not None and "torch" in sys.modules:
        # OMP_NUM_THREADS is read when the library is loaded, which a preloaded one has behind it.
        sys.modules["torch"].set_num_threads(order.threads)
    completed = True
    for job in order.jobs:
        os.environ[DESCRIPTOR] = f"{order.progress}:{job.number}"
        job.directory.mkdir(parents=True, exist_ok=True)
        with (job.directory / OUTPUT).open("ab", buffering=0) as output:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
                os.dup2(output.fileno(), stream.fileno())
                if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
                    stream.reconfigure(errors="backslashreplace")  # a log in ASCII is no reason for a job to fail
        faulthandler.enable(file=sys.stderr)
        # A job that is stopped for hanging first writes where it hangs.
        faulthandler.register(signal.SIGUSR1, file=sys.stderr, all_threads=True)
        status = dataclasses.replace(job.status, pid=os.getpid())
        status.write(job.directory)
        (job.directory / FAILURE).unlink(missing_ok=True)
        completed = _run(application, loads(job.config), status, job.directory)
        logging.shutdown()
        status.write(job.directory)
    return 0 if completed else 1


def _fresh_random_state() -> None:
    """Forked processes share their parent's random state; jobs that draw without a seed must differ."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def _run(application: Application, config: DictConfig, status: Status, directory: Path) -> bool:
    # Ctrl-C of the sweep comes as SIGINT, and the app sees a KeyboardInterrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result: JobReturn = run_job(
            hydra_context=application.hydra_context,
            task_function=application.task_function,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
        # What is done is done: an interruption that comes now must not undo it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if result.status == JobStatus.FAILED:
            _keep_failure(result, directory)
            raise failure(result)
        status.set_value(result.return_value)
    except KeyboardInterrupt:
        status.finish(State.interrupted, "interrupted")
        return False
    except SystemExit as exit_:
        if exit_.code not in (None, 0):
            status.finish(State.failed, f"SystemExit: {exit_.code}")
            return False
    except BaseException as error:
        traceback.print_exception(error)
        status.finish(State.failed, in_one_line(error))
        return False
    status.finish(State.completed)
    return True


def _keep_failure(result: JobReturn, directory: Path) -> None:
    """Keep the exception for the sweeper; Hydra 1.4's ``JobReturn`` carries its traceback too."""
    kept = dataclasses.replace(result, cfg=None, hydra_cfg=None)
    # An exception that cannot be pickled stays what the record says of it.
    with contextlib.suppress(Exception):
        write_atomically(directory / FAILURE, dumps(kept))
