"""What Hydra calls for each job of ``rnn_mnist.train``, and what the job's configuration is checked for before.

Wiring only. PyTorch is imported where a run is made: a sweep's own process does without it.
"""

import logging
import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from hydra_plugins.workstation_launcher import in_job
from rnn_mnist.configuration.compose import typed
from rnn_mnist.configuration.expected_time import expected_seconds as seconds_on_cpu
from rnn_mnist.configuration.resolution import Resolved
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


def job_identity(composed: DictConfig) -> list[str]:
    """The id of a job's run, and its former ones: ``hydra.launcher.identity`` and ``${run_id:}``.

    It is asked before the run has a directory.

    Raises:
        ExpectedError: if the configuration cannot be run, or not on this machine.
    """
    checked = typed(composed)
    device = checked.config.training.device
    if device not in ("auto", "cpu"):
        from rnn_mnist.training.execution import resolve_device

        resolve_device(device)
    if composed.hydra.mode == RunMode.MULTIRUN:
        _say(checked)  # before a sweep rather than in it
    return [checked.run_id, *checked.former_ids]


def check_ready(composed: DictConfig) -> None:
    """Refuse a run that cannot be made here; ``hydra.launcher.check_job``, and before a single run.

    Raises:
        ExpectedError: if its configuration cannot be run, or its data cannot be had.
    """
    data = typed(composed).config.data
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
    checked = typed(composed)
    Run(directory, checked.former_ids).prepare(manifest_of(checked, overrides, attempt_here()))


def expected_seconds(composed: DictConfig, device: str) -> float | None:
    """How long the run of a configuration takes, with one CPU thread; ``hydra.launcher.expected_seconds``."""
    return seconds_on_cpu(typed(composed).config) if device == "cpu" else None


def take(composed: DictConfig, source: Path, directory: Path) -> None:
    """Say in a run's manifest that it was taken over; ``hydra.launcher.on_job_taken``."""
    overrides = [str(override) for override in composed.hydra.overrides.task]
    tell_where_from(directory, source, typed(composed), overrides)


def same_because(composed: DictConfig, other: DictConfig) -> str:
    """What makes two configurations the same run; ``hydra.launcher.same_because``."""
    changes = [change for config in (composed, other) for change in typed(config).changes]
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
