"""Entry point: train one run, or with ``-m`` a sweep of runs.

    python -m rnn_mnist.train model=gru
    python -m rnn_mnist.train -m model.num_layers=1,2,3

Wiring only: Hydra composes the configuration, :mod:`rnn_mnist.training` trains, :mod:`rnn_mnist.runs` keeps the files.
"""

import logging
import os
import sys
from pathlib import Path
from typing import Any

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from rnn_mnist.checks import Checked
from rnn_mnist.composition import CONFIG_DIR, explain_error, register, typed
from rnn_mnist.config import Config, Precision
from rnn_mnist.data import data_root, load_data_set
from rnn_mnist.display import TrainingDisplay
from rnn_mnist.errors import ExpectedError
from rnn_mnist.execution import describe_device, execution, peak_memory_mib, resolve_device
from rnn_mnist.identity import config_as_dict, run_id, setting_id
from rnn_mnist.provenance import code_version, environment
from rnn_mnist.runs import Run, write_results
from rnn_mnist.training import Trainer

log = logging.getLogger(__name__)
_warned: set[str] = set()


def train_run(checked: Checked, directory: Path, overrides: list[str]) -> float:
    """Train, or finish, or recognise as finished, the run of one configuration in its directory.

    Returns:
        The validation accuracy of the best epoch, or the test accuracy where there is no validation split; a fraction.

    Raises:
        ExpectedError: if the run cannot be made here, or diverges; its status then says why.
    """
    config = checked.config
    run, identifier = Run(directory), run_id(config)
    run.lock()
    try:
        for warning in checked.warnings:
            if warning not in _warned:
                _warned.add(warning)
                log.warning("warning: %s", warning)
        if config.resume and run.completed(identifier):
            return _skip(run)
        device = resolve_device(config.training.device)
        if config.training.precision == Precision.tf32 and device.type != "cuda":
            log.warning("warning: training.precision=tf32 has no effect on %s", device.type)
        with execution(config, device):
            return _train(run, config, identifier, device, overrides)
    finally:
        run.unlock()


def _skip(run: Run) -> float:
    result, made_by = run.result(), run.manifest()["code"]
    value: float = run.status()["return_value"]
    accuracy = f"test accuracy {100 * result['test_accuracy']:.2f} %"
    log.info("already completed: %s (%s); resume=false trains it anew", run.directory, accuracy)
    if made_by["source_sha256"] != code_version().source_sha256:
        log.warning("warning: it was made by other code (commit %s)", (made_by["commit"] or "unknown")[:12])
    return value


def _warn_of_changes(run: Run) -> None:
    """Say what an earlier attempt, whose epochs are kept, was made with that differs now."""
    manifest = run.manifest()
    for key in ("code", "device", "threads"):
        for attempt in manifest["earlier_attempts"]:
            before, here = attempt[key], manifest[key]
            if key == "code":
                before, here = before["source_sha256"][:12], here["source_sha256"][:12]
            if before != here:
                log.warning("warning: its first epochs were made with %s %s, not %s", key, before, here)
                break


def _train(run: Run, config: Config, identifier: str, device: torch.device, overrides: list[str]) -> float:
    checkpoint = run.load_checkpoint(identifier, device) if config.resume else None
    manifest: dict[str, Any] = {
        "run_id": identifier,
        "setting_id": setting_id(config),
        "config": config_as_dict(config),
        "overrides": overrides,
        **environment(),
        "device": describe_device(device),
        "threads": torch.get_num_threads(),
        "precision": str(config.training.precision),
        "data_sha256": None,
    }
    run.start(manifest, resume=config.resume)
    try:
        data = load_data_set(config.data.name, data_root(config.data.root))
        run.update_manifest(data_sha256=data.checksum)
        trainer = Trainer(config, data, device)
        if checkpoint is not None:
            trainer.load_state_dict(checkpoint)
            log.info("continuing after epoch %d: %s", len(trainer.history), run.directory)
            _warn_of_changes(run)
        return _fit_and_test(run, config, identifier, trainer)
    except ExpectedError as error:
        run.fail(str(error))
        raise
    except KeyboardInterrupt:
        run.fail("interrupted", state="interrupted")
        raise
    except Exception as error:
        run.fail(f"{type(error).__name__}: {error}")
        raise


def _fit_and_test(run: Run, config: Config, identifier: str, trainer: Trainer) -> float:
    parameters = sum(parameter.numel() for parameter in trainer.model.parameters())
    log.info(
        "%s with %s parameters on %s: %s", config.model.cell, f"{parameters:,}", trainer.device.type, run.directory
    )
    with TrainingDisplay(
        log,
        epochs=config.training.epochs,
        epochs_done=len(trainer.history),
        steps_per_epoch=trainer.steps_per_epoch,
    ) as display:
        while not trainer.finished:
            metrics = trainer.train_epoch(display.step)
            run.save_checkpoint(identifier, trainer.state_dict())
            run.write_metrics([vars(row) for row in trainer.history])
            display.epoch(metrics)
    test = trainer.test()
    best = trainer.history[trainer.best_epoch - 1]
    train_seconds = sum(row.epoch_seconds for row in trainer.history)
    run.write_metrics([vars(row) for row in trainer.history])
    run.write_predictions(test.evaluation.predictions.numpy())
    run.write_accuracy_by_step(test.accuracy_by_step)
    run.save_model({"recurrent": trainer.model.recurrent.state_dict(), "linear": trainer.model.linear.state_dict()})
    value = test.evaluation.accuracy if best.val_accuracy is None else best.val_accuracy
    run.complete(
        {
            "run_id": identifier,
            "best_epoch": trainer.best_epoch,
            "val_accuracy": best.val_accuracy,
            "test_accuracy": test.evaluation.accuracy,
            "test_loss": test.evaluation.loss,
            "parameters": parameters,
            "train_seconds": round(train_seconds, 3),
            "images_per_second": trainer.mean_images_per_second(),
            "peak_memory_mib": peak_memory_mib(trainer.device),
            "device": describe_device(trainer.device),
        },
        value,
    )
    validation = "" if best.val_accuracy is None else f", validation accuracy {100 * best.val_accuracy:.2f} %"
    log.info(
        "test accuracy %.2f %% (weights of epoch %d%s)", 100 * test.evaluation.accuracy, trainer.best_epoch, validation
    )
    return value


def task(composed: DictConfig) -> float:
    """What Hydra calls for each job; see :func:`train_run`."""
    hydra_config = HydraConfig.get()
    directory = Path(hydra_config.runtime.output_dir)
    if _is_relative(directory):
        directory = directory.relative_to(Path.cwd())
    overrides = OmegaConf.to_container(hydra_config.overrides.task)
    checked = typed(composed)
    sweeping = hydra_config.mode == RunMode.MULTIRUN
    if not sweeping and hydra_config.sweeper.get("params"):
        log.warning("warning: this is one run; -m runs the whole grid: %s", dict(hydra_config.sweeper.params))
    if checked.config.question and checked.config.question not in _warned:
        _warned.add(checked.config.question)
        log.info("question: %s", checked.config.question)
    try:
        value = train_run(checked, directory, [str(override) for override in overrides or []])
    except ExpectedError as error:
        log.error("failed: %s", error)
        if sweeping:
            raise
        # One clear line and exit code 1, without Hydra's report of a job that raised.
        sys.exit(1)
    finally:
        if sweeping or directory.parent == Path("outputs/single"):
            for problem in write_results(directory.parent):
                log.warning("warning: left out of results.csv: %s", problem)
    if not sweeping:
        _show_files(directory)
    return value


def _is_relative(directory: Path) -> bool:
    return directory.is_relative_to(Path.cwd())


def _show_files(directory: Path) -> None:
    names = sorted(path.name for path in directory.iterdir() if not path.name.startswith("."))
    log.info("files in %s: %s", directory, ", ".join(names))


def main() -> None:
    """Run the command line."""
    show_everything = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # With this switch Hydra raises instead of printing its own many-line reports.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    register(preflight=lambda config: resolve_device(config.training.device))
    try:
        hydra.main(version_base="1.3", config_path=str(CONFIG_DIR), config_name="config")(task)()
    except KeyboardInterrupt:
        print("interrupted; the same command carries on from the last whole epoch", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        line = explain_error(error)
        if line is None or show_everything:
            raise
        print(f"error: {line}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
