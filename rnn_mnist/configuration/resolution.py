"""What of a configuration takes effect: ranges, keys that must agree, and keys that do nothing beside others.

Imports neither torch nor Hydra.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from typing import Any

from rnn_mnist.catalogues.cells import (
    CELLS,
    CustomCellConfig,
    Initialization,
    LSTMConfig,
    ModelConfig,
    Nonlinearity,
    Readout,
    RNNConfig,
)
from rnn_mnist.catalogues.data_sets import DATA_SETS
from rnn_mnist.catalogues.keys import METADATA, Key, Role
from rnn_mnist.catalogues.optimizers import OPTIMIZERS, SGDConfig
from rnn_mnist.catalogues.schedules import ConstantConfig, CosineConfig, OneCycleConfig, StepConfig
from rnn_mnist.catalogues.sequences import IMAGE_SIZE, SEQUENCES, RandomLengthConfig
from rnn_mnist.configuration.change import Change
from rnn_mnist.configuration.identity import config_as_dict, flatten, former_ids, run_id_of, setting_id_of
from rnn_mnist.configuration.parameter_count import hidden_size_for_budget, parameter_count
from rnn_mnist.configuration.schema import SELECTED_BY, SELECTORS, Config, CustomDataConfig, declared, options
from rnn_mnist.configuration.source import source_digest
from rnn_mnist.errors import ExpectedError

_BOUND_WORDS = {"ge": "at least", "gt": "greater than", "le": "at most", "lt": "less than"}
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:(0|[1-9]\d?))?")

# The momentum that torch.optim.lr_scheduler.OneCycleLR begins with (its max_momentum).
CYCLED_MOMENTUM = 0.95


class ConfigError(ExpectedError):
    """A configuration that cannot be run; the message is one line with the key, the value and what is allowed."""


@dataclass(frozen=True)
class Resolved:
    """A configuration that can be run.

    Attributes:
        config: the *effective* configuration: what has no effect is set to the value that says so, and sizes that
            follow from others are filled in. Identity is computed from it.
        requested: the configuration as it was asked for.
        changes: a value for each key that others decide, whether or not they change it.
        given: the keys and groups that were set, and whether on the command line (else by a study).
        advice: what was accepted, takes effect, and may not be meant; a line each.
    """

    config: Config
    requested: Config
    changes: tuple[Change, ...] = ()
    given: Mapping[str, bool] = field(default_factory=dict)
    advice: tuple[str, ...] = ()

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The effective configuration as nested plain values, ready for JSON."""
        return config_as_dict(self.config)

    @cached_property
    def requested_flat(self) -> dict[str, Any]:
        """What was asked for, as plain values under dotted keys."""
        return flatten(config_as_dict(self.requested))

    @cached_property
    def run_id(self) -> str:
        """See :func:`rnn_mnist.configuration.identity.run_id`."""
        return run_id_of(flatten(self.plain))

    @cached_property
    def setting_id(self) -> str:
        """See :func:`rnn_mnist.configuration.identity.setting_id`."""
        return setting_id_of(flatten(self.plain))

    @cached_property
    def former_ids(self) -> tuple[str, ...]:
        """See :func:`rnn_mnist.configuration.identity.former_ids`."""
        return former_ids(flatten(self.plain), self.requested_flat, self.changes)

    @property
    def warnings(self) -> tuple[str, ...]:
        """A line for each key that somebody set to a value that it does not get, and the advice."""
        return (*(change.text() for change in self.changes if self._is_unmet(change)), *self.advice)

    def _is_unmet(self, change: Change) -> bool:
        if change.requested == change.effective:
            return False
        on_command_line = self.given.get(change.key)
        if on_command_line is None and change.key in SELECTED_BY:
            on_command_line = self.given.get(SELECTED_BY[change.key])
        # A key that exists to decide another is meant to override what a study has for it.
        deciders = (declared(key) for key in change.because)
        if any(each is not None and each.declared.role == Role.resolved for each in deciders):
            return on_command_line is True
        return on_command_line is not None


def resolve(config: Config, given: Mapping[str, bool] | None = None) -> Resolved:
    """Refuse what cannot be run, and resolve what has no effect.

    Args:
        config: as it was asked for.
        given: the keys and groups that were set, and whether on the command line; for the warnings.

    Raises:
        ConfigError: naming the key, the value and what is allowed.
    """
    requested = config
    _check_options(config)
    for key, value, about in _numbers(config):
        _check_bounds(key, value, about)
    _check_training(config)
    images = _known_images(config)
    if images is not None:
        check_image_counts(config, images)
    changes: list[Change] = []
    advice: list[str] = []
    config = _without_negative_zeros(config)
    # In this order: what a schedule does depends on the steps, and these on nothing that it changes.
    for step in (_model, _data, _sequence, _training, _schedule, _momentum):
        config = step(config, changes)
    if images is not None:
        _check_one_cycle(config, images)
    _advise(config, advice)
    return Resolved(config, requested, tuple(changes), given or {}, tuple(advice))


def _known_images(config: Config) -> int | None:
    """Training images, where they are known before the data are loaded."""
    counts = DATA_SETS[config.data.name].counts
    return None if counts is None else counts[0]


def training_image_count(config: Config, images: int) -> int:
    """Images that a run trains on: of so many the validation split is taken off, and of the rest the fraction."""
    return _fraction_of(images - config.data.validation_size, config.data.train_fraction)


def _fraction_of(remaining: int, fraction: float) -> int:
    return max(1, round(remaining * fraction))


def _check_options(config: Config) -> None:
    for group, selector in SELECTORS.items():
        section = getattr(config, group)
        chosen = getattr(section, selector)
        node = options(group).get(chosen)
        if node is None:
            raise ConfigError(f"{group}.{selector}={chosen}: must be one of {', '.join(options(group))}")
        if not isinstance(section, node):
            own = getattr(type(section)(), selector)
            raise ConfigError(f"{group}.{selector}={chosen}: choose it with {group}={chosen} ({group}={own} is set)")


def _numbers(config: Any, prefix: str = "") -> Iterator[tuple[str, Any, Key | None]]:
    for entry in fields(config):
        value = getattr(config, entry.name)
        if is_dataclass(value):
            yield from _numbers(value, f"{prefix}{entry.name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{entry.name}", value, entry.metadata.get(METADATA)


def _check_bounds(key: str, value: float, about: Key | None) -> None:
    bounds = (about.bounds if about else None) or {}
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


def _without_negative_zeros(config: Any) -> Any:
    """-0.0 computes what 0.0 does, and is written differently."""
    values = {}
    for entry in fields(config):
        value = getattr(config, entry.name)
        if is_dataclass(value):
            values[entry.name] = _without_negative_zeros(value)
        elif isinstance(value, float) and value == 0:
            values[entry.name] = 0.0
    return replace(config, **values)


def _model(config: Config, changes: list[Change]) -> Config:
    model, input_size = config.model, config.features
    if isinstance(model, CustomCellConfig):
        model = replace(model, source=source_digest("model.module", model.module))
    if isinstance(model, LSTMConfig) and model.forget_bias is not None and not model.bias:
        raise ConfigError(f"model.forget_bias={model.forget_bias}: needs model.bias=true")
    if model.parameter_budget is not None:
        hidden_size = _size_by_budget(model, model.parameter_budget, input_size)
        because = {"model.parameter_budget": model.parameter_budget}
        changes.append(Change("model.hidden_size", model.hidden_size, hidden_size, because, "the budget decides it"))
        model = replace(model, hidden_size=hidden_size)
    if model.projection_size >= model.hidden_size:
        raise ConfigError(
            f"model.proj_size={model.projection_size}: must be less than model.hidden_size={model.hidden_size} "
            "(0: no projection)"
        )
    if model.init == Initialization.identity and not isinstance(model, RNNConfig):
        raise ConfigError(f"model.init=identity: only for model=rnn, not model={model.cell}")
    if model.num_layers == 1:
        because = {"model.num_layers": 1}
        changes.append(Change("model.dropout", model.dropout, 0.0, because, "dropout acts between layers"))
        model = replace(model, dropout=0.0)
    return replace(config, model=model)


def _size_by_budget(model: ModelConfig, budget: int, input_size: int) -> int:
    spec = CELLS[model.cell]
    if spec.name == "custom":
        raise ConfigError(f"model.parameter_budget={budget}: not for model=custom, whose parameters only it can count")
    try:
        hidden_size = hidden_size_for_budget(model, input_size, budget)
    except ValueError as error:
        raise ConfigError(f"model.parameter_budget={budget}: too small: {error}") from None
    (about,) = (entry.metadata[METADATA] for entry in fields(model) if entry.name == "hidden_size")
    largest = int(about.bounds["le"])
    if hidden_size > largest:
        allowed = parameter_count(replace(model, hidden_size=largest), input_size)
        raise ConfigError(
            f"model.parameter_budget={budget}: must be at most {allowed:,} here, which model.hidden_size={largest:,} "
            "has, the largest allowed"
        )
    return hidden_size


def _data(config: Config, changes: list[Change]) -> Config:
    data, images = config.data, _known_images(config)
    if isinstance(data, CustomDataConfig):
        data = replace(data, source=source_digest("data.loader", data.loader))
    if images is None:
        return replace(config, data=data)
    remaining = images - data.validation_size
    count = _fraction_of(remaining, data.train_fraction)
    fraction = plainest_fraction(remaining, count)
    if fraction != data.train_fraction:
        because = {"data.train_fraction": data.train_fraction, "data.validation_size": data.validation_size}
        reason = f"of {remaining:,} images both are {count:,}"
        changes.append(Change("data.train_fraction", data.train_fraction, fraction, because, reason))
        data = replace(data, train_fraction=fraction)
    if data.validation_size == 0 and count == remaining:
        whole = {"data.validation_size": 0, "data.train_fraction": fraction}
        changes.append(Change("data.split_seed", data.split_seed, 0, whole, "nothing is split"))
        data = replace(data, split_seed=0)
    return replace(config, data=data)


def plainest_fraction(remaining: int, count: int) -> float:
    """The fraction with the fewest decimals that takes this many of the remaining images."""
    for digits in range(18):
        fraction = round(count / remaining, digits)
        if 0 < fraction <= 1 and _fraction_of(remaining, fraction) == count:
            return fraction
    return count / remaining


def _sequence(config: Config, changes: list[Change]) -> Config:
    sequence = config.sequence
    if isinstance(sequence, RandomLengthConfig) and sequence.min_rows == IMAGE_SIZE:
        because = {"sequence.min_rows": IMAGE_SIZE}
        changes.append(Change("sequence.length_seed", sequence.length_seed, 0, because, "all lengths are 28"))
        sequence = replace(sequence, length_seed=0)
    return replace(config, sequence=sequence)


def _training(config: Config, changes: list[Change]) -> Config:
    training = config.training
    patience = training.early_stopping_patience
    # The earliest it could end is after epoch 1 + patience, and there must be an epoch left to save.
    if patience is not None and patience >= training.epochs - 1:
        because = {"training.early_stopping_patience": patience, "training.epochs": training.epochs}
        reason = "the epochs are over before it"
        changes.append(Change("training.early_stopping_patience", patience, None, because, reason))
        training = replace(training, early_stopping_patience=None)
    return replace(config, training=training)


def _schedule(config: Config, changes: list[Change]) -> Config:
    schedule, reason = config.schedule, ""
    because: dict[str, Any] = {}
    if isinstance(schedule, CosineConfig) and schedule.final_fraction == 1:
        because, reason = {"schedule.final_fraction": 1.0}, "the rate falls to itself"
    elif isinstance(schedule, StepConfig) and schedule.gamma == 1:
        because, reason = {"schedule.gamma": 1.0}, "each step multiplies the rate by 1"
    elif isinstance(schedule, StepConfig) and schedule.step_size >= config.training.epochs:
        because = {"schedule.step_size": schedule.step_size, "training.epochs": config.training.epochs}
        reason = "the first step would come after the last epoch"
    if not because:
        return config
    because = {"schedule.name": schedule.name, **because}
    changes.append(Change("schedule.name", schedule.name, "constant", because, reason))
    return replace(config, schedule=ConstantConfig())


def _momentum(config: Config, changes: list[Change]) -> Config:
    """One cycle writes its own momentum over the optimizer's, where that has one."""
    optimizer, schedule = config.optimizer, config.schedule
    if not isinstance(schedule, OneCycleConfig):
        return config
    cycled = OPTIMIZERS[optimizer.name].cycled
    value = getattr(optimizer, cycled) if cycled else None
    if cycled is None or (cycled == "momentum" and value == 0):
        because = {"optimizer.name": optimizer.name, **({f"optimizer.{cycled}": value} if cycled else {})}
        reason = "there is no momentum to move, and one cycle would switch it on"
        changes.append(
            Change("schedule.cycle_momentum", schedule.cycle_momentum, effective=False, because=because, reason=reason)
        )
        return replace(config, schedule=replace(schedule, cycle_momentum=False))
    if not schedule.cycle_momentum:
        return config
    because = {"schedule.name": schedule.name, "schedule.cycle_momentum": True}
    reason = f"one cycle moves it from {CYCLED_MOMENTUM} to 0.85 and back"
    changes.append(Change(f"optimizer.{cycled}", value, CYCLED_MOMENTUM, because, reason))
    moved: dict[str, Any] = {cycled: CYCLED_MOMENTUM}
    return replace(config, optimizer=replace(optimizer, **moved))


def _check_one_cycle(config: Config, images: int) -> None:
    if not isinstance(config.schedule, OneCycleConfig):
        return
    # PyTorch divides by the length of the rise, less a step.
    steps = config.training.epochs * -(-training_image_count(config, images) // config.training.batch_size)
    if config.schedule.pct_start * steps == 1:
        raise ConfigError(
            f"schedule.pct_start={config.schedule.pct_start}: of {steps} training steps that is exactly one, which "
            "PyTorch's OneCycleLR cannot do; a little more or less is allowed"
        )


def _check_training(config: Config) -> None:
    training, optimizer = config.training, config.optimizer
    if isinstance(optimizer, SGDConfig) and optimizer.nesterov and optimizer.momentum == 0:
        raise ConfigError("optimizer.nesterov=true: needs optimizer.momentum greater than 0")
    if not _DEVICE.fullmatch(training.device):
        raise ConfigError(f"training.device={training.device}: must be auto, cpu, cuda, cuda:N or mps")
    if training.early_stopping_patience is not None and config.data.validation_size == 0:
        raise ConfigError(
            f"training.early_stopping_patience={training.early_stopping_patience}: needs data.validation_size "
            "greater than 0"
        )
    if config.sweep is not None:
        check_sweep_name(config.sweep)


def check_image_counts(config: Config, images: int) -> None:
    """Refuse splits and batches that so many training images do not have.

    Raises:
        ConfigError: naming the key, the value and what is allowed.
    """
    training, data = config.training, config.data
    if data.validation_size >= images:
        raise ConfigError(f"data.validation_size={data.validation_size}: must be less than {data.name}'s {images:,}")
    train_images = training_image_count(config, images)
    if training.batch_size > train_images:
        raise ConfigError(f"training.batch_size={training.batch_size}: more than the {train_images:,} training images")


def _advise(config: Config, advice: list[str]) -> None:
    model = config.model
    if (
        isinstance(model, RNNConfig)
        and model.init == Initialization.identity
        and model.nonlinearity != Nonlinearity.relu
    ):
        advice.append(
            f"model.init=identity is meant for model.nonlinearity=relu (Le et al. 2015), not {model.nonlinearity}"
        )
    ends_differ = SEQUENCES[config.sequence.kind].lengths is not None
    if ends_differ and model.bidirectional and model.readout == Readout.last_step:
        advice.append(
            "model.readout=last_step with model.bidirectional=true: the backward half has read one row, and a "
            "different one in sequences of different length; readout=final_hidden takes one that has read them all"
        )


def check_sweep_name(name: str) -> None:
    """Refuse what is not the name of a folder.

    Raises:
        ConfigError: if it is empty, hidden, too long or has a slash.
    """
    if not name.strip() or name.startswith(".") or "/" in name or "\0" in name or len(name.encode()) > 100:
        raise ConfigError(f"sweep={name!r}: must be a folder name of at most 100 bytes, without '/' or a leading '.'")
