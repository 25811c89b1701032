"""What a sweeper gets of each job: Hydra's ``JobReturn``, whose configuration is made when it is asked for."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

from hydra import version
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobRuntime, JobStatus
from hydra.errors import CompactHydraException
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.workstation_launcher._configurations import set_hydra
from hydra_plugins.workstation_launcher._failures import mark_as_shown
from hydra_plugins.workstation_launcher._hydra_internals import ListedJobReturn, failure
from hydra_plugins.workstation_launcher._pickling import loads
from hydra_plugins.workstation_launcher._progress import Pruned
from hydra_plugins.workstation_launcher._records import State, Status
from hydra_plugins.workstation_launcher._sweep import Job

log = logging.getLogger("hydra_plugins.workstation_launcher")


class JobError(CompactHydraException):
    """A job of the sweep died or did not start; raised when a sweeper asks for its return value."""


class Returns:
    """Makes the results of a sweep's jobs."""

    def __init__(self) -> None:
        """Nothing has been warned of yet."""
        self._has_warned_of_text = False

    def of(self, job: Job) -> JobReturn:
        """The result of a job, now or earlier."""
        status, ran = job.outcome, job.twin or job
        completed = status is not None and status.state == State.completed
        result = ListedJobReturn(partial(_configured, job, Path.cwd()))
        kept = None if completed else _kept_failure(ran)
        if kept is not None:
            result.__dict__.update(kept.__dict__)  # Hydra 1.4 keeps the traceback in fields of its own
        result.task_name = JobRuntime.instance().get("name")
        result.status = JobStatus.COMPLETED if completed else JobStatus.FAILED
        if completed and status is not None:
            result.return_value = self._returned(ran, status)
        elif status is not None and status.state == State.pruned:
            result.return_value = Pruned(status.error)
            mark_as_shown(failure(result))
        else:
            result.return_value = (kept and failure(kept)) or JobError(_fate(job))
            mark_as_shown(failure(result))
        return result

    def _returned(self, job: Job, status: Status) -> Any:
        """What a completed job returned; of what JSON cannot hold, an earlier command's job has left a text."""
        if job.value is not None:
            return loads(job.value)
        if status.return_value_text is None:
            return status.return_value
        if not self._has_warned_of_text:
            self._has_warned_of_text = True
            log.warning(
                "warning: #%d, and maybe others, returned what JSON cannot hold under an earlier command: the sweeper "
                "gets a text in its place",
                job.number,
            )
        return status.return_value_text


def _configured(job: Job, folder: Path) -> dict[str, Any]:
    """What Hydra's own launchers tell of a job's configuration; ``folder`` is that of the command."""
    config = job.config
    set_hydra(config, "runtime.output_dir", (folder / job.directory).as_posix())
    hydra_config = HydraConfig()
    hydra_config.set_config(config)
    return {
        "overrides": [str(override) for override in config.hydra.overrides.task],
        "cfg": OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"]),
        "hydra_cfg": hydra_config.cfg,
        "working_dir": str(job.directory if _changes_directory(config) else folder),
    }


def _kept_failure(job: Job) -> JobReturn | None:
    """What the job's process has sent of its exception."""
    if job.failure is None:
        return None
    try:
        kept: JobReturn = loads(job.failure)
    except Exception:  # the exception's class refuses to be made again
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
