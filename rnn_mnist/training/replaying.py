"""A run made again from its manifest, in this process, with nothing written."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnn_mnist.configuration.resolution import ConfigError, Resolved, check_image_counts
from rnn_mnist.configuration.schema import Config, CustomDataConfig
from rnn_mnist.data.files import data_root
from rnn_mnist.data.images import load_data_set
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.likeness import Outcome
from rnn_mnist.runs.provenance import Attempt, Difference, OtherDataError, attempt_here, compare
from rnn_mnist.training.display import TrainingDisplay
from rnn_mnist.training.execution import describe_device, execution, out_of_memory_as_error, resolve_device
from rnn_mnist.training.trained_model import read_weights
from rnn_mnist.training.trainer import DivergedError, EpochMetrics, Trainer

log = logging.getLogger(__name__)
_CLOCKS = ("epoch_seconds", "images_per_second")


@dataclass(frozen=True)
class Replayed:
    """A run made again.

    Attributes:
        outcome: what it came to.
        diverged: why it ended early, or None.
        differences: between what the run was made with and what made it now.
    """

    outcome: Outcome
    diverged: str | None
    differences: tuple[Difference, ...]


def replay(resolved: Resolved, manifest: Mapping[str, Any], epochs: int | None, device: str | None) -> Replayed:
    """Train a run again on as many threads as it was made on, and on such a device if there is one here.

    Args:
        resolved: its configuration.
        manifest: what it was made with.
        epochs: the most to train; None: all, and the test.
        device: as ``training.device``, instead of the run's.

    Raises:
        OtherDataError: if the data are others.
        ExpectedError: if the run cannot be made here.
    """
    was = Attempt.from_manifest(manifest)
    config = _as_it_was(resolved.config, was, device)
    there = resolve_device(config.training.device)
    loader = config.data.loader if isinstance(config.data, CustomDataConfig) else None
    data = load_data_set(config.data.name, data_root(config.data.root), loader)
    check_image_counts(config, len(data.train))
    threads = config.training.threads or torch.get_num_threads()
    here = replace(attempt_here(), device=describe_device(there), threads=threads, data_sha256=data.checksum)
    try:
        differences = tuple(compare([was], here))
    except OtherDataError as error:
        raise OtherDataError(
            f"the data have SHA-256 {data.checksum[:12]}, and the run was made with {str(was.data_sha256)[:12]}: "
            "with other data it is another run"
        ) from error
    with execution(config, there), out_of_memory_as_error():
        outcome, diverged = _train(Trainer(config, data, there), epochs)
    return Replayed(outcome, diverged, differences)


def weights_of(directory: Path) -> dict[str, np.ndarray] | None:
    """Those of ``model.pt`` by name, or None if the run does not have them any more.

    Raises:
        RunFormatError: if they cannot be read.
    """
    if not (directory / "model.pt").exists():
        return None
    return _named(read_weights(directory / "model.pt"))


def _as_it_was(config: Config, was: Attempt, device: str | None) -> Config:
    kind = (was.device or "auto").partition(":")[0]
    if device is None:
        try:
            resolve_device(kind)
        except (ConfigError, RuntimeError):
            kind = "auto"
    training = replace(config.training, device=device or kind, threads=was.threads or config.training.threads)
    root = config.data.root if config.data.root is not None and Path(config.data.root).is_dir() else None
    return replace(config, training=training, data=replace(config.data, root=root))


def _train(trainer: Trainer, epochs: int | None) -> tuple[Outcome, str | None]:
    last = trainer.config.training.epochs if epochs is None else min(epochs, trainer.config.training.epochs)
    with TrainingDisplay(
        log,
        epochs=last,
        epochs_done=0,
        steps_per_epoch=trainer.steps_per_epoch,
        threads=torch.get_num_threads() if trainer.device.type == "cpu" else 1,
    ) as display:
        try:
            while not trainer.finished and len(trainer.history) < last:
                display.epoch(trainer.train_epoch(display.step))
        except DivergedError as error:
            return Outcome(_rows(trainer.history), first_losses=trainer.first_losses), str(error)
    trained = Outcome(_rows(trainer.history), first_losses=trainer.first_losses)
    if not trainer.finished:
        return trained, None
    try:
        test = trainer.test()
    except DivergedError as error:
        return trained, str(error)
    modules = {"recurrent": trainer.model.recurrent.state_dict(), "linear": trainer.model.linear.state_dict()}
    steps = np.array(test.accuracy_by_step, dtype=float)
    predictions = test.evaluation.predictions.cpu().numpy().astype(np.uint8)
    return replace(trained, predictions=predictions, accuracy_by_step=steps, weights=_named(modules)), None


def _rows(history: list[EpochMetrics]) -> list[dict[str, float | None]]:
    return [{name: value for name, value in vars(row).items() if name not in _CLOCKS} for row in history]


def _named(modules: Mapping[str, Mapping[str, torch.Tensor]]) -> dict[str, np.ndarray]:
    try:
        return {
            f"{module}.{name}": value.detach().cpu().float().numpy()
            for module, state in modules.items()
            for name, value in state.items()
        }
    except (AttributeError, TypeError) as error:
        raise ExpectedError(f"model.pt: not the weights of a run ({type(error).__name__}: {error})") from error
