"""What no single type can say: ranges, and keys that must agree with one another. Imports neither torch nor Hydra."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from rnn_mnist.config import (
    AdamConfig,
    Config,
    DataName,
    Initialisation,
    LSTMConfig,
    ModelConfig,
    Nonlinearity,
    OneCycleConfig,
    OptimizerConfig,
    RNNConfig,
    SGDConfig,
)
from rnn_mnist.errors import ExpectedError
from rnn_mnist.parameter_count import hidden_size_for_budget

TRAINING_IMAGES = {
    DataName.mnist: 60_000,
    DataName.fashion_mnist: 60_000,
    DataName.kmnist: 60_000,
    DataName.qmnist: 60_000,
    DataName.emnist_digits: 240_000,
}

_BOUND_WORDS = {"ge": "at least", "gt": "greater than", "le": "at most", "lt": "less than"}
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


class ConfigError(ExpectedError):
    """A configuration that cannot be run; the message is one line with the key, the value and what is allowed."""


@dataclass(frozen=True)
class Checked:
    """A configuration that can be run.

    Attributes:
        config: the *effective* configuration: what has no effect is set to the value that says so, and sizes that
            follow from others are filled in. Identity is computed from it.
        warnings: one line for each setting that was accepted and does less than it seems to.
    """

    config: Config
    warnings: tuple[str, ...]


def check(config: Config) -> Checked:
    """Refuse what cannot be run, and resolve what has no effect.

    Raises:
        ConfigError: naming the key, the value and what is allowed.
    """
    for key, value, metadata in _numbers(config):
        _check_bounds(key, value, metadata)
    warnings: list[str] = []
    model = _effective_model(config.model, config.sequence.shape[1], warnings)
    schedule = config.schedule
    if isinstance(schedule, OneCycleConfig) and schedule.cycle_momentum and not _has_momentum(config.optimizer):
        schedule = replace(schedule, cycle_momentum=False)
    _check_optimizer(config.optimizer)
    _check_training(config)
    return Checked(replace(config, model=model, schedule=schedule), tuple(warnings))


def training_image_count(config: Config) -> int:
    """Images that a run trains on: the training set less the validation split, times the training fraction."""
    remaining = TRAINING_IMAGES[config.data.name] - config.data.validation_size
    return max(1, round(remaining * config.data.train_fraction))


def _numbers(config: Any, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    for entry in fields(config):
        value = getattr(config, entry.name)
        if is_dataclass(value):
            yield from _numbers(value, f"{prefix}{entry.name}.")
        elif entry.metadata and value is not None:
            yield f"{prefix}{entry.name}", value, entry.metadata


def _check_bounds(key: str, value: float, bounds: dict[str, float]) -> None:
    holds = {
        "ge": lambda bound: value >= bound,
        "gt": lambda bound: value > bound,
        "le": lambda bound: value <= bound,
        "lt": lambda bound: value < bound,
    }
    # The negated form refuses NaN, for which every comparison is false.
    if not all(holds[name](bound) for name, bound in bounds.items()):
        allowed = " and ".join(f"{_BOUND_WORDS[name]} {bound:,}" for name, bound in bounds.items())
        raise ConfigError(f"{key}={value}: must be {allowed}")


def _effective_model(model: ModelConfig, input_size: int, warnings: list[str]) -> ModelConfig:
    own_cell = type(model)().cell
    if model.cell != own_cell:
        raise ConfigError(f"model.cell={model.cell}: choose the cell with model={model.cell} (model={own_cell} is set)")
    if isinstance(model, LSTMConfig) and model.forget_bias is not None and not model.bias:
        raise ConfigError(f"model.forget_bias={model.forget_bias}: needs model.bias=true")
    if model.parameter_budget is not None:
        try:
            hidden_size = hidden_size_for_budget(model, input_size, model.parameter_budget)
        except ValueError as error:
            raise ConfigError(f"model.parameter_budget={model.parameter_budget}: too small: {error}") from None
        model = replace(model, hidden_size=hidden_size)
    if isinstance(model, LSTMConfig) and model.proj_size >= model.hidden_size:
        raise ConfigError(
            f"model.proj_size={model.proj_size}: must be less than model.hidden_size={model.hidden_size} "
            "(0: no projection)"
        )
    if model.init == Initialisation.identity:
        if not isinstance(model, RNNConfig):
            raise ConfigError(f"model.init=identity: only for model=rnn, not model={model.cell}")
        if model.nonlinearity != Nonlinearity.relu:
            warnings.append(
                f"model.init=identity is meant for model.nonlinearity=relu (Le et al. 2015), not {model.nonlinearity}"
            )
    if model.dropout and model.num_layers == 1:
        warnings.append(
            f"model.dropout={model.dropout} has no effect with model.num_layers=1: dropout acts between layers; "
            "the run counts as model.dropout=0.0"
        )
        model = replace(model, dropout=0.0)
    return model


def _has_momentum(optimizer: OptimizerConfig) -> bool:
    return isinstance(optimizer, AdamConfig) or getattr(optimizer, "momentum", 0.0) > 0


def _check_optimizer(optimizer: OptimizerConfig) -> None:
    if isinstance(optimizer, SGDConfig) and optimizer.nesterov and optimizer.momentum == 0:
        raise ConfigError("optimizer.nesterov=true: needs optimizer.momentum greater than 0")


def _check_training(config: Config) -> None:
    training, data = config.training, config.data
    if not _DEVICE.fullmatch(training.device):
        raise ConfigError(f"training.device={training.device}: must be auto, cpu, cuda, cuda:N or mps")
    available = TRAINING_IMAGES[data.name]
    if data.validation_size >= available:
        raise ConfigError(f"data.validation_size={data.validation_size}: must be less than {data.name}'s {available:,}")
    train_images = training_image_count(config)
    if training.batch_size > train_images:
        raise ConfigError(f"training.batch_size={training.batch_size}: more than the {train_images:,} training images")
    if training.early_stopping_patience is not None and data.validation_size == 0:
        raise ConfigError(
            f"training.early_stopping_patience={training.early_stopping_patience}: needs data.validation_size "
            "greater than 0"
        )
    if config.sweep is not None and (not config.sweep.strip(" .") or "/" in config.sweep or "\0" in config.sweep):
        raise ConfigError(f"sweep={config.sweep!r}: must be a folder name without '/'")
