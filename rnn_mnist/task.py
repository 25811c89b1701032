"""What Hydra calls for each job of ``rnn_mnist.train``, and what the job's configuration is checked for before.

Wiring only. PyTorch is imported where a run is made: a sweep's own process does without it.
"""

import logging
import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from hydra_plugins.workstation_launcher import in_job, sees_gpus
from rnn_mnist.catalogues.trackers import chosen_trackers, refuse_absent
from rnn_mnist.configuration.compose import typed
from rnn_mnist.configuration.expected_time import expected_seconds as seconds_on_cpu
from rnn_mnist.configuration.resolution import ConfigError, Resolved
from rnn_mnist.configuration.schema import CustomDataConfig
from rnn_mnist.data.files import data_root
from rnn_mnist.data.readiness import make_ready
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.provenance import attempt_here
from rnn_mnist.runs.record import manifest_of
from rnn_mnist.runs.run import Run
from rnn_mnist.runs.sweep import update_results
from rnn_mnist.runs.taking import tell_where_from

log = logging.getLogger(__name__)
_said: set[str] = set()
_kept: dict[tuple[object, ...], Resolved] = {}
_MOST_KEPT = 2000  # some kilobytes each

_PLUGIN = "hydra_plugins.workstation_launcher"
_LAUNCHER = f"{_PLUGIN}.launcher.WorkstationLauncher"
_ON_CLUSTERS = (f"{_PLUGIN}.slurm_launcher.SlurmLauncher", f"{_PLUGIN}.ray_launcher.RayLauncher")


def _resolved(composed: DictConfig) -> Resolved:
    """As :func:`typed`, kept for the next hook that asks of the same job: five of them do, and it takes some ms."""
    if composed.hydra.mode != RunMode.MULTIRUN:
        return typed(composed)
    key = (composed.hydra.job.num, *composed.hydra.overrides.task)
    if key not in _kept:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[key] = typed(composed)
    return _kept[key]


def forget_jobs() -> None:
    """Another command begins, whose jobs may be made of other files."""
    _kept.clear()


def job_identity(composed: DictConfig) -> list[str]:
    """The id of a job's run, and its former ones: ``hydra.launcher.identity`` and ``${run_id:}``.

    It is asked before the run has a directory.

    Raises:
        ExpectedError: if the configuration cannot be run, or not on this machine.
    """
    checked = _resolved(composed)
    _check_device(composed, checked.config.training.device)
    if composed.hydra.mode == RunMode.MULTIRUN:
        _say(checked)  # before a sweep rather than in it
    return [checked.run_id, *checked.former_ids]


def _check_device(composed: DictConfig, device: str) -> None:
    """Refuse a device that is not here, without starting CUDA where jobs are forked: they could not start it again."""
    if device in ("auto", "cpu") or in_job():
        return
    launcher = str(composed.hydra.launcher.get("_target_")) if composed.hydra.mode == RunMode.MULTIRUN else None
    if launcher in _ON_CLUSTERS:
        return  # its nodes have what this machine need not have
    sweeps_here = launcher == _LAUNCHER
    if not (sweeps_here and device.startswith("cuda")):
        from rnn_mnist.training.execution import resolve_device

        resolve_device(device)
        return
    if not sees_gpus():
        raise ConfigError(f"training.device={device}: there is no NVIDIA GPU to be used here; allowed: auto, cpu")
    number = device.partition(":")[2] or "0"
    if number != "0":
        raise ConfigError(
            f"training.device={device}: each run of a sweep has a GPU for itself, as cuda:0; "
            f"hydra.launcher.devices=[{number}] chooses it"
        )


def check_ready(composed: DictConfig) -> None:
    """Refuse a run that cannot be made here; ``hydra.launcher.check_job``, and before a single run.

    Raises:
        ExpectedError: if its configuration cannot be run, its tracker is not installed, or its data cannot be had.
    """
    config = _resolved(composed).config
    refuse_absent(chosen_trackers(config.tracker))
    data = config.data
    if not isinstance(data, CustomDataConfig):
        make_ready(data.name, data_root(data.root))


def task(composed: DictConfig) -> float:
    """What Hydra calls for each job; see :func:`rnn_mnist.training.one_run.train_run`."""
    hydra_config = HydraConfig.get()
    directory = Path(hydra_config.runtime.output_dir)
    if directory.is_relative_to(Path.cwd()):
        directory = directory.relative_to(Path.cwd())
    overrides = [str(override) for override in hydra_config.overrides.task]
    checked = typed(composed)
    sweeping = hydra_config.mode == RunMode.MULTIRUN
    if not sweeping and hydra_config.sweeper.get("params"):
        log.warning("warning: this is one run; -m runs the whole grid: %s", dict(hydra_config.sweeper.params))
    _say(checked)
    try:
        if not in_job():
            Run(directory, checked.former_ids).prepare(manifest_of(checked, overrides, attempt_here()))
        from rnn_mnist.training.one_run import train_run

        value = train_run(checked, directory, overrides)
    except ExpectedError as error:
        if sweeping:
            raise
        log.error("failed: %s", error)
        # One clear line and exit code 1, without Hydra's report of a job that raised.
        sys.exit(1)
    finally:
        # The workstation launcher keeps the table of its sweeps itself, also for runs that are killed.
        if not in_job() and (sweeping or directory.parent == Path("outputs/single")):
            update_results(directory.parent, directory)
    if not sweeping:
        _show_files(directory)
    return value


def prepare(composed: DictConfig, directory: Path) -> None:
    """Write the manifest of a job before its process starts; ``hydra.launcher.on_job_start``."""
    overrides = [str(override) for override in composed.hydra.overrides.task]
    checked = _resolved(composed)
    Run(directory, checked.former_ids).prepare(manifest_of(checked, overrides, attempt_here()))


def expected_seconds(composed: DictConfig, device: str) -> float | None:
    """How long the run of a configuration takes, with one CPU thread; ``hydra.launcher.expected_seconds``."""
    return seconds_on_cpu(_resolved(composed).config) if device == "cpu" else None


def take(composed: DictConfig, source: Path, directory: Path) -> None:
    """Say in a run's manifest that it was taken over; ``hydra.launcher.on_job_taken``."""
    overrides = [str(override) for override in composed.hydra.overrides.task]
    tell_where_from(directory, source, _resolved(composed), overrides)


def same_because(composed: DictConfig, other: DictConfig) -> str:
    """What makes two configurations the same run; ``hydra.launcher.same_because``."""
    changes = [change for config in (composed, other) for change in _resolved(config).changes]
    reasons = {
        change.key: f"{change.key} makes no difference with {change.causes()}, for {change.reason}"
        for change in changes
        if change.requested != change.effective
    }
    return "; ".join(reasons.values())


def _say(checked: Resolved) -> None:
    """Print the question and the warnings of a configuration, each once in a process."""
    lines = [f"warning: {warning}" for warning in checked.warnings]
    if checked.config.question:
        lines.insert(0, f"question: {checked.config.question}")
    for line in lines:
        if line not in _said:
            _said.add(line)
            log.log(logging.WARNING if line.startswith("warning") else logging.INFO, "%s", line)


def _show_files(directory: Path) -> None:
    names = sorted(path.name for path in directory.iterdir() if not path.name.startswith("."))
    log.info("files in %s: %s", directory, ", ".join(names))
