"""One run, from its configuration to its files: the trainer trains, :mod:`rnn_mnist.runs.run` keeps."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from hydra_plugins.workstation_launcher import Pruned, State, report_value
from rnn_mnist.catalogues.metrics import METRICS
from rnn_mnist.catalogues.trackers import chosen_trackers, refuse_absent
from rnn_mnist.configuration.resolution import Resolved, check_image_counts
from rnn_mnist.configuration.schema import Config, CustomDataConfig, Precision
from rnn_mnist.data.files import data_root, load_test_images
from rnn_mnist.data.images import DataSet, load_data_set
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.provenance import Attempt, attempt_here, compare
from rnn_mnist.runs.record import manifest_of
from rnn_mnist.runs.run import Run, return_value
from rnn_mnist.training.display import TrainingDisplay
from rnn_mnist.training.evaluation import FinalMeasurement
from rnn_mnist.training.execution import (
    describe_device,
    execution,
    out_of_memory_as_error,
    peak_memory_mib,
    resolve_device,
)
from rnn_mnist.training.trackers.tracking import Tracking
from rnn_mnist.training.trainer import DivergedError, Trainer

log = logging.getLogger(__name__)


def train_run(resolved: Resolved, directory: Path, overrides: list[str]) -> float:
    """Train, or finish, or recognize as finished, the run of one configuration in its directory.

    Returns:
        The validation accuracy of the best epoch, or the test accuracy where there is no validation split; a fraction.

    Raises:
        ExpectedError: if the run cannot be made here, or diverges; its status then says why.
        Pruned: if a search finds it hopeless; the same run goes on from its checkpoint where there is none.
    """
    config = resolved.config
    run, identifier = Run(directory, resolved.former_ids), resolved.run_id
    run.lock()
    try:
        run.refuse_another(identifier)
        device = resolve_device(config.training.device)
        threads = config.training.threads or torch.get_num_threads()
        here = replace(attempt_here(), device=describe_device(device), threads=threads)
        if config.resume and run.completed(identifier):
            return _skip(run, config, identifier, here)
        if config.training.precision == Precision.tf32 and device.type != "cuda":
            log.warning("warning: training.precision=tf32 has no effect on %s", device.type)
        manifest = manifest_of(resolved, overrides, here)
        with execution(config, device):
            return _train(run, config, manifest, here, device)
    finally:
        run.unlock()


def _skip(run: Run, config: Config, identifier: str, here: Attempt) -> float:
    run.settle(identifier)
    result = run.result()
    accuracy = f"test accuracy {100 * result['test_accuracy']:.2f} %"
    log.info("already completed: %s (%s); resume=false trains it anew", run.directory, accuracy)
    for difference in compare([Attempt.from_manifest(run.manifest())], replace(here, data_sha256=_checksum(config))):
        log.warning("warning: it was made with %s", difference)
    return return_value(result)


def _checksum(config: Config) -> str | None:
    """That of the data set, or None if it is not here: a run that is skipped does not download it."""
    try:
        load_test_images(config.data.name, config.data.root, _loader(config))
        return _load(config).checksum
    except ExpectedError:
        return None


def _loader(config: Config) -> str | None:
    return config.data.loader if isinstance(config.data, CustomDataConfig) else None


def _load(config: Config) -> DataSet:
    data = load_data_set(config.data.name, data_root(config.data.root), _loader(config))
    check_image_counts(config, len(data.train))
    return data


def _train(run: Run, config: Config, manifest: dict[str, Any], here: Attempt, device: torch.device) -> float:
    identifier: str = manifest["run_id"]
    trackers = chosen_trackers(config.tracker)
    refuse_absent(trackers)
    checkpoint = run.load_checkpoint(identifier, device) if config.resume else None
    if run.completed(identifier):
        # To be done anew: what is there goes only when all that the new attempt needs has been found.
        _load(config)
    run.start(manifest, resume=config.resume)
    tracking = Tracking(trackers)
    try:
        data = _load(config)
        differences = compare(run.earlier_attempts(), replace(here, data_sha256=data.checksum)) if checkpoint else []
        run.update_manifest(data_sha256=data.checksum)
        with out_of_memory_as_error():
            trainer = Trainer(config, data, device)
            if checkpoint is not None and not _takes(trainer, checkpoint):
                run.set_checkpoint_aside()
                trainer, checkpoint = Trainer(config, data, device), None
            if checkpoint is not None:
                log.info("continuing after epoch %d: %s", len(trainer.history), run.directory)
                for difference in differences:
                    log.warning("warning: its first epochs were made with %s", difference)
            tracking.begin(run.directory, manifest, [vars(row) for row in trainer.history])
            return _fit_and_test(run, config, identifier, trainer, tracking)
    except ExpectedError as error:
        run.fail(str(error), diverged=isinstance(error, DivergedError))
        _end_tracking(run, tracking, State.failed, error=str(error))
        raise
    except KeyboardInterrupt:
        run.fail("interrupted", state=State.interrupted)
        _end_tracking(run, tracking, State.interrupted)
        raise
    except Pruned as end:
        run.fail(str(end), state=State.pruned)
        _end_tracking(run, tracking, State.pruned)
        raise
    except Exception as error:
        run.fail(f"{type(error).__name__}: {error}")
        _end_tracking(run, tracking, State.failed, error=f"{type(error).__name__}: {error}")
        raise


def _end_tracking(
    run: Run, tracking: Tracking, state: State, result: dict[str, Any] | None = None, error: str | None = None
) -> None:
    failures = tracking.end(state, result, error)
    if failures:
        run.update_manifest(tracker_failures=failures)


def _takes(trainer: Trainer, checkpoint: dict[str, Any]) -> bool:
    """Whether the trainer goes on from a checkpoint; one that holds something else leaves it half changed."""
    try:
        trainer.load_state_dict(checkpoint)
    except torch.OutOfMemoryError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError):
        return False
    return True


def _measured(test: FinalMeasurement, trainer: Trainer) -> dict[str, float]:
    """What the catalogue's metrics make of the test images, besides what the loop knows by itself."""
    classes, found = trainer.test_classes.numpy(), test.evaluation
    return {
        key: float(metric.measure(classes, found.predictions.numpy(), found.log_probabilities.numpy()))
        for key, metric in METRICS.items()
        if metric.measure is not None
    }


def _fit_and_test(run: Run, config: Config, identifier: str, trainer: Trainer, tracking: Tracking) -> float:
    parameters = sum(parameter.numel() for parameter in trainer.model.parameters())
    log.info(
        "%s with %s parameters on %s: %s", config.model.cell, f"{parameters:,}", trainer.device.type, run.directory
    )
    with TrainingDisplay(
        log,
        epochs=config.training.epochs,
        epochs_done=len(trainer.history),
        steps_per_epoch=trainer.steps_per_epoch,
        threads=torch.get_num_threads() if trainer.device.type == "cpu" else 1,
    ) as display:
        while not trainer.finished:
            metrics = trainer.train_epoch(display.step)
            if len(trainer.history) == 1:
                run.write_first_steps(trainer.first_losses)
            run.save_checkpoint(identifier, trainer.state_dict())
            run.write_metrics([vars(row) for row in trainer.history])
            tracking.epoch(vars(metrics))
            display.epoch(metrics)
            if metrics.val_accuracy is not None:
                hopeless = report_value(metrics.epoch, METRICS["val_accuracy"].shown(metrics.val_accuracy))
                if hopeless and not trainer.finished:
                    raise Pruned(f"pruned after epoch {metrics.epoch}")
    test = trainer.test()
    best = trainer.history[trainer.best_epoch - 1]
    train_seconds = sum(row.epoch_seconds for row in trainer.history)
    run.write_metrics([vars(row) for row in trainer.history])
    run.write_predictions(test.evaluation.predictions.numpy())
    run.write_accuracy_by_step(test.accuracy_by_step)
    run.save_model({"recurrent": trainer.model.recurrent.state_dict(), "linear": trainer.model.linear.state_dict()})
    result = {
        "run_id": identifier,
        "best_epoch": trainer.best_epoch,
        "val_accuracy": best.val_accuracy,
        "test_accuracy": test.evaluation.accuracy,
        "test_loss": test.evaluation.loss,
        "parameters": parameters,
        "train_seconds": round(train_seconds, 3),
        "images_per_second": trainer.mean_images_per_second(),
        "peak_memory_mib": peak_memory_mib(trainer.device),
        **_measured(test, trainer),
        "device": describe_device(trainer.device),
    }
    # Before the run counts as completed: what a kill keeps from a tracker is written when the run is resumed.
    _end_tracking(run, tracking, State.completed, result)
    run.complete(result)
    if trainer.stopped_early:
        log.info(
            "stopped early: no better validation accuracy in %d epochs (training.early_stopping_patience)",
            len(trainer.history) - trainer.best_epoch,
        )
    validation = "" if best.val_accuracy is None else f", validation accuracy {100 * best.val_accuracy:.2f} %"
    log.info(
        "test accuracy %.2f %% (weights of epoch %d%s)", 100 * test.evaluation.accuracy, trainer.best_epoch, validation
    )
    return return_value(result)
