"""Entry point: train one run, or with ``-m`` a sweep of runs.

    python -m rnn_mnist.train model=gru
    python -m rnn_mnist.train -m model.num_layers=1,2,3

Wiring only. PyTorch is imported where a run is made: a sweep's own process does without it.
"""

import logging
import os
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.workstation_launcher import already_shown, in_job
from rnn_mnist.configuration.compose import CONFIG_DIR, explain_error, register, typed
from rnn_mnist.configuration.resolution import Checked
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.sweep import update_results
from rnn_mnist.shell import run

log = logging.getLogger(__name__)
_said: set[str] = set()


def task(composed: DictConfig) -> float:
    """What Hydra calls for each job; see :func:`rnn_mnist.training.one_run.train_run`."""
    from rnn_mnist.training.one_run import train_run

    hydra_config = HydraConfig.get()
    directory = Path(hydra_config.runtime.output_dir)
    if directory.is_relative_to(Path.cwd()):
        directory = directory.relative_to(Path.cwd())
    overrides = OmegaConf.to_container(hydra_config.overrides.task)
    checked = typed(composed)
    sweeping = hydra_config.mode == RunMode.MULTIRUN
    if not sweeping and hydra_config.sweeper.get("params"):
        log.warning("warning: this is one run; -m runs the whole grid: %s", dict(hydra_config.sweeper.params))
    _say(checked)
    try:
        value = train_run(checked, directory, [str(override) for override in overrides or []])
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


def _say(checked: Checked) -> None:
    """Print the question and the warnings of a configuration, each once in a process."""
    lines = [f"warning: {warning}" for warning in checked.warnings]
    if checked.config.question:
        lines.insert(0, f"question: {checked.config.question}")
    for line in lines:
        if line not in _said:
            _said.add(line)
            log.log(logging.WARNING if line.startswith("warning") else logging.INFO, "%s", line)


def _preflight(checked: Checked, sweeping: bool) -> None:
    """Before a run's directory exists: refuse a device that is not there, and warn before a sweep rather than in it."""
    device = checked.config.training.device
    if device not in ("auto", "cpu"):
        from rnn_mnist.training.execution import resolve_device

        resolve_device(device)
    if sweeping:
        _say(checked)


def _show_files(directory: Path) -> None:
    names = sorted(path.name for path in directory.iterdir() if not path.name.startswith("."))
    log.info("files in %s: %s", directory, ", ".join(names))


def main() -> None:
    """Run the command line."""
    show_everything = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # With this switch Hydra raises instead of printing its own many-line reports.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    register(_preflight)
    try:
        hydra.main(version_base="1.3", config_path=str(CONFIG_DIR), config_name="config")(task)()
    except KeyboardInterrupt:
        print("interrupted; the same command carries on from the last whole epoch", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if already_shown(error) and not show_everything:
            sys.exit(1)
        line = explain_error(error)
        if line is None or show_everything:
            raise
        print(f"error: {line}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(run(main))
