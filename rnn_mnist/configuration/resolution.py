"""What no single type can say: ranges, and keys that must agree with one another. Imports neither torch nor Hydra."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from rnn_mnist.catalogues.data_sets import find_data_set
from rnn_mnist.configuration.parameter_count import hidden_size_for_budget, parameter_count
from rnn_mnist.configuration.schema import (
    AdamConfig,
    Config,
    Initialisation,
    LSTMConfig,
    ModelConfig,
    Nonlinearity,
    OneCycleConfig,
    OptimizerConfig,
    Readout,
    RMSpropConfig,
    RNNConfig,
    SequenceKind,
    SGDConfig,
)
from rnn_mnist.errors import ExpectedError

_BOUND_WORDS = {"ge": "at least", "gt": "greater than", "le": "at most", "lt": "less than"}
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:(0|[1-9]\d?))?")

# The momentum that torch.optim.lr_scheduler.OneCycleLR begins with (its max_momentum).
CYCLED_MOMENTUM = 0.95


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
    _check_readout(config, warnings)
    _check_optimizer(config.optimizer)
    _check_training(config)
    optimizer, schedule = config.optimizer, config.schedule
    if isinstance(schedule, OneCycleConfig):
        optimizer, schedule = _effective_momentum(optimizer, schedule, warnings)
        _check_one_cycle(config, schedule)
    return Checked(replace(config, model=model, optimizer=optimizer, schedule=schedule), tuple(warnings))


def training_image_count(config: Config) -> int:
    """Images that a run trains on: the training set less the validation split, times the training fraction."""
    remaining = find_data_set(config.data.name).train.count - config.data.validation_size
    return max(1, round(remaining * config.data.train_fraction))


def _numbers(config: Any, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    for entry in fields(config):
        value = getattr(config, entry.name)
        if is_dataclass(value):
            yield from _numbers(value, f"{prefix}{entry.name}.")
        elif isinstance(value, float) or (entry.metadata and value is not None):
            yield f"{prefix}{entry.name}", value, entry.metadata


def _check_bounds(key: str, value: float, bounds: dict[str, float]) -> None:
    holds = {
        "ge": lambda bound: value >= bound,
        "gt": lambda bound: value > bound,
        "le": lambda bound: value <= bound,
        "lt": lambda bound: value < bound,
    }
    allowed = " and ".join(f"{_BOUND_WORDS[name]} {bound:,}" for name, bound in bounds.items())
    # An int can be too large for a float, and is finite.
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{key}={value}: must be a finite number{', ' if allowed else ''}{allowed}")
    if not all(holds[name](bound) for name, bound in bounds.items()):
        raise ConfigError(f"{key}={value}: must be {allowed}")


def _effective_model(model: ModelConfig, input_size: int, warnings: list[str]) -> ModelConfig:
    own_cell = type(model)().cell
    if model.cell != own_cell:
        raise ConfigError(f"model.cell={model.cell}: choose the cell with model={model.cell} (model={own_cell} is set)")
    if isinstance(model, LSTMConfig) and model.forget_bias is not None and not model.bias:
        raise ConfigError(f"model.forget_bias={model.forget_bias}: needs model.bias=true")
    if model.parameter_budget is not None:
        model = _sized_by_budget(model, model.parameter_budget, input_size, warnings)
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


def _sized_by_budget(model: ModelConfig, budget: int, input_size: int, warnings: list[str]) -> ModelConfig:
    try:
        hidden_size = hidden_size_for_budget(model, input_size, budget)
    except ValueError as error:
        raise ConfigError(f"model.parameter_budget={budget}: too small: {error}") from None
    (largest,) = (entry.metadata["le"] for entry in fields(model) if entry.name == "hidden_size")
    if hidden_size > largest:
        allowed = parameter_count(replace(model, hidden_size=largest), input_size)
        raise ConfigError(
            f"model.parameter_budget={budget}: must be at most {allowed:,} here, which model.hidden_size={largest:,} "
            "has, the largest allowed"
        )
    if model.hidden_size not in (64, 128, hidden_size):  # what conf/ has, and nobody chose, and what changes nothing
        warnings.append(
            f"model.hidden_size={model.hidden_size} has no effect: model.parameter_budget={budget} makes it "
            f"{hidden_size}"
        )
    return replace(model, hidden_size=hidden_size)


def _check_readout(config: Config, warnings: list[str]) -> None:
    model = config.model
    ends_differ = config.sequence.kind == SequenceKind.random_length
    if ends_differ and model.bidirectional and model.readout == Readout.last_step:
        warnings.append(
            "model.readout=last_step with model.bidirectional=true: the backward half has read one row, and a "
            "different one in sequences of different length; readout=final_hidden takes one that has read them all"
        )


def _effective_momentum(
    optimizer: OptimizerConfig, schedule: OneCycleConfig, warnings: list[str]
) -> tuple[OptimizerConfig, OneCycleConfig]:
    """One cycle writes its own momentum over the optimizer's, where that has one."""
    cycled: OptimizerConfig
    if isinstance(optimizer, AdamConfig):
        key, value, cycled = "beta1", optimizer.beta1, replace(optimizer, beta1=CYCLED_MOMENTUM)
    elif isinstance(optimizer, SGDConfig | RMSpropConfig) and optimizer.momentum > 0:
        key, value, cycled = "momentum", optimizer.momentum, replace(optimizer, momentum=CYCLED_MOMENTUM)
    else:
        if schedule.cycle_momentum:
            warnings.append(
                f"schedule.cycle_momentum=true has no effect with optimizer={optimizer.name} and "
                "optimizer.momentum=0: there is no momentum to move, and one cycle would switch it on; the run counts "
                "as schedule.cycle_momentum=false"
            )
        return optimizer, replace(schedule, cycle_momentum=False)
    if not schedule.cycle_momentum:
        return optimizer, schedule
    if value not in (0.9, CYCLED_MOMENTUM):  # 0.9 is what conf/ has, and nobody chose
        warnings.append(
            f"optimizer.{key}={value} has no effect: schedule=one_cycle moves it from {CYCLED_MOMENTUM} to 0.85 and "
            f"back; the run counts as optimizer.{key}={CYCLED_MOMENTUM} (schedule.cycle_momentum=false keeps it)"
        )
    return cycled, schedule


def _check_one_cycle(config: Config, schedule: OneCycleConfig) -> None:
    # PyTorch divides by the length of the rise, less a step.
    steps = config.training.epochs * -(-training_image_count(config) // config.training.batch_size)
    if schedule.pct_start * steps == 1:
        raise ConfigError(
            f"schedule.pct_start={schedule.pct_start}: of {steps} training steps that is exactly one, which "
            "PyTorch's OneCycleLR cannot do; a little more or less is allowed"
        )


def _check_optimizer(optimizer: OptimizerConfig) -> None:
    if isinstance(optimizer, SGDConfig) and optimizer.nesterov and optimizer.momentum == 0:
        raise ConfigError("optimizer.nesterov=true: needs optimizer.momentum greater than 0")


def _check_training(config: Config) -> None:
    training, data = config.training, config.data
    if not _DEVICE.fullmatch(training.device):
        raise ConfigError(f"training.device={training.device}: must be auto, cpu, cuda, cuda:N or mps")
    available = find_data_set(data.name).train.count
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
    if config.sweep is not None:
        check_sweep_name(config.sweep)


def check_sweep_name(name: str) -> None:
    """Refuse what is not the name of a folder.

    Raises:
        ConfigError: if it is empty, hidden, too long or has a slash.
    """
    if not name.strip() or name.startswith(".") or "/" in name or "\0" in name or len(name.encode()) > 100:
        raise ConfigError(f"sweep={name!r}: must be a folder name of at most 100 bytes, without '/' or a leading '.'")
