"""The schema of a run's configuration: every key with its default, range, unit and meaning. Imports no torch.

Keys that come with the choice of an option (a cell, an optimizer) stand with that option in
:mod:`rnn_mnist.catalogues`. Ranges are enforced by :mod:`rnn_mnist.configuration.resolution`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, get_type_hints

from omegaconf import MISSING

from rnn_mnist.catalogues.cells import CELLS, ModelConfig
from rnn_mnist.catalogues.data_sets import DATA_SETS
from rnn_mnist.catalogues.keys import DeclaredKey, Role, declared_in, key
from rnn_mnist.catalogues.optimizers import OPTIMIZERS, OptimizerConfig
from rnn_mnist.catalogues.schedules import SCHEDULES, ScheduleConfig
from rnn_mnist.catalogues.sequences import IMAGE_SIZE, SEQUENCES, SequenceConfig
from rnn_mnist.catalogues.trackers import NONE, TRACKERS

NUM_CLASSES = 10


class Precision(StrEnum):
    """The number format of the matrix multiplications."""

    fp32 = "fp32"
    tf32 = "tf32"
    bf16 = "bf16"


@dataclass
class AugmentationConfig:
    """Random changes of each training image; 0 turns one off."""

    max_shift: float = key(0.0, "largest shift along each axis", ge=0, le=IMAGE_SIZE, unit="pixels", shares_noise=True)
    max_rotation: float = key(0.0, "largest rotation either way", ge=0, le=180, unit="degrees", shares_noise=True)
    max_scale: float = key(
        0.0, "largest relative change of size either way (0.1: from 90 % to 110 %)", ge=0, lt=1, shares_noise=True
    )
    elastic: float = key(
        0.0,
        "standard deviation of a smooth random displacement of the pixels (Simard et al. 2003)",
        ge=0,
        le=IMAGE_SIZE,
        unit="pixels",
        shares_noise=True,
        later=True,
    )
    row_dropout: float = key(
        0.0, "share of the rows that are made black, drawn anew each time", ge=0, lt=1, shares_noise=True, later=True
    )

    @property
    def active(self) -> bool:
        """Whether any change is on."""
        return bool(self.max_shift or self.max_rotation or self.max_scale or self.elastic or self.row_dropout)


@dataclass
class DataConfig:
    """The data set and its split."""

    name: str = key(MISSING, "the data set, set by the choice of data=...", label="data set")
    root: str | None = key(
        None,
        "the folder that data sets are unpacked in; null means $RNN_MNIST_DATA, else a per-user cache",
        role=Role.circumstance,
        in_names=False,
    )
    validation_size: int = key(
        5000, "images taken from the training set for validation; 0 trains on all of them", ge=0, unit="images"
    )
    split_seed: int = key(
        0, "draws the split and the training fraction, so that they are the same for every seed", ge=0, replicate=True
    )
    train_fraction: float = key(
        1.0, "share of what remains that is trained on", gt=0, le=1, scale="log", label="training fraction",
        shares_noise=True,
    )  # fmt: skip
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)


@dataclass
class CustomDataConfig(DataConfig):
    """Images that a function of the user's own brings."""

    name: str = "custom"
    loader: str = key(
        MISSING, "dotted path of the function, such as my_package.load; docs/extending.md says what it returns"
    )
    source: str | None = key(None, "digest of the loader's source file, filled in: other code is another run")


@dataclass
class TrainingConfig:
    """How long, in what portions, on what."""

    epochs: int = key(
        2, "passes over the training images", ge=1, le=100_000, scale="log", label="epochs", shares_noise=True
    )
    batch_size: int = key(
        128, "training images a step; the last, smaller batch of an epoch is used too", ge=1, scale="log",
        unit="images", shares_noise=True,
    )  # fmt: skip
    evaluation_batch_size: int = key(
        1000,
        "images a batch where nothing is learned; it changes speed and memory alone",
        ge=1,
        le=1_000_000,
        scale="log",
        unit="images",
        role=Role.circumstance,
        in_names=False,
    )
    gradient_clip_norm: float | None = key(
        None, "if set, the gradient is scaled down to at most this norm", gt=0, scale="log", shares_noise=True
    )
    label_smoothing: float = key(
        0.0, "share of the target spread evenly over the classes, in the training loss only", ge=0, lt=1,
        shares_noise=True,
    )  # fmt: skip
    weight_average: float | None = key(
        None,
        "if set, the exponential moving average of the weights is evaluated, and kept, in their place; this much of it "
        "is left after each step (0.999: about the last 1,000 steps)",
        gt=0,
        lt=1,
        shares_noise=True,
        later=True,
    )
    early_stopping_patience: int | None = key(
        None,
        "if set, training ends after this many epochs without a better one (a higher validation accuracy, or the same "
        "at a lower validation loss)",
        ge=1,
        unit="epochs",
        shares_noise=True,
    )
    precision: Precision = key(
        Precision.fp32,
        "fp32; tf32 lets an NVIDIA GPU round the factors of products to 10 bits of mantissa; bf16 is autocast",
        shares_noise=True,
    )
    device: str = key(
        "auto",
        "auto (the GPU where there is one), cpu, cuda, cuda:N or mps",
        role=Role.circumstance,
        in_names=False,
    )
    deterministic: bool = key(True, "only algorithms that give the same bits each time", shares_noise=True)
    threads: int | None = key(
        None,
        "CPU threads of PyTorch; null leaves its own choice (OMP_NUM_THREADS, else one a core)",
        ge=1,
        le=1024,
        role=Role.circumstance,
        in_names=False,
    )
    keep_memory: bool = key(
        True,
        "on the CPU, memory that a step frees stays with the process for the next one (glibc): faster, for some MiB",
        role=Role.circumstance,
        in_names=False,
    )
    cuda_graphs: bool = key(
        True,
        "on an NVIDIA GPU, a step's work is launched as one CUDA graph where it can be: several times as fast",
        role=Role.circumstance,
        in_names=False,
    )


@dataclass
class Config:
    """One run, whole."""

    model: ModelConfig = MISSING
    sequence: SequenceConfig = MISSING
    data: DataConfig = MISSING
    optimizer: OptimizerConfig = MISSING
    schedule: ScheduleConfig = MISSING
    training: TrainingConfig = field(default_factory=TrainingConfig)
    seed: int = key(0, "governs initialization, shuffling, dropout and augmentation", ge=0, lt=2**32, replicate=True)
    sweep: str | None = key(
        None,
        "the folder of a sweep under outputs/; null names it by the command's overrides",
        role=Role.circumstance,
        in_names=False,
    )
    resume: bool = key(
        True,
        "whether a completed run is skipped and an interrupted one continued; false trains anew",
        role=Role.circumstance,
        in_names=False,
    )
    reuse: bool = key(
        True,
        "whether a sweep takes over runs that another one under outputs/ has completed; false trains them here",
        role=Role.circumstance,
        in_names=False,
    )
    # A name or a list of names, which no other annotation of OmegaConf's allows.
    tracker: Any = key(
        NONE,
        "where the run is written besides its own files; several as tracker=[tensorboard,mlflow], and one of your own "
        "as the dotted path of its class",
        role=Role.circumstance,
        in_names=False,
    )
    question: str | None = key(None, "what a named study asks; printed with its sweep", role=Role.circumstance)

    @property
    def features(self) -> int:
        """Features of one time step of the sequences."""
        return SEQUENCES[self.sequence.kind].shape[1]


SELECTORS: Mapping[str, str] = {
    "model": "cell",
    "sequence": "kind",
    "data": "name",
    "optimizer": "name",
    "schedule": "name",
}
"""Each group and the key within it that names the chosen option."""

SELECTED_BY: Mapping[str, str] = {f"{group}.{name}": group for group, name in SELECTORS.items()}
"""The same by dotted key: ``model.cell`` is set by ``model=...``."""


def options(group: str) -> dict[str, type]:
    """The options of a group of :data:`SELECTORS`, each with the dataclass of its keys."""
    catalogues: dict[str, Mapping[str, Any]] = {
        "model": CELLS,
        "sequence": SEQUENCES,
        "optimizer": OPTIMIZERS,
        "schedule": SCHEDULES,
    }
    if group == "data":
        return {name: CustomDataConfig if name == "custom" else DataConfig for name in DATA_SETS}
    return {name: spec.config for name, spec in catalogues[group].items()}


def chosen(group: str, name: str) -> Any:
    """The section of an option, all keys at their defaults; KeyError if there is no such option."""
    return options(group)[name](**{SELECTORS[group]: name})


def declared_keys() -> dict[str, dict[str, DeclaredKey]]:
    """Every key by its dotted name, in order, as each option declares it; a key of no group stands under ``""``."""
    found: dict[str, dict[str, DeclaredKey]] = {}
    for entry in fields(Config):
        section: type = get_type_hints(Config)[entry.name]
        if entry.name in SELECTORS:
            selector = next(iter(declared_in(section, f"{entry.name}.")))
            found[selector.name] = {"": replace(selector, choices=tuple(options(entry.name)), kind="enumeration")}
            for option, node in options(entry.name).items():
                for each in declared_in(node, f"{entry.name}."):
                    if each.name != selector.name:
                        found.setdefault(each.name, {})[option] = each
        elif is_dataclass(section):
            found |= {each.name: {"": each} for each in declared_in(section, f"{entry.name}.")}
        else:
            found |= {each.name: {"": each} for each in declared_in(Config) if each.name == entry.name}
    trackers = found["tracker"][""]
    found["tracker"] = {"": replace(trackers, choices=(NONE, *TRACKERS), kind="enumeration")}
    return found


@lru_cache(maxsize=1)
def _first_declarations() -> dict[str, DeclaredKey]:
    return {name: next(iter(by_option.values())) for name, by_option in declared_keys().items()}


def declared(name: str) -> DeclaredKey | None:
    """What is declared of a key (of its first option, where several have it), or None if there is none of that name."""
    return _first_declarations().get(name)


def keys_where(holds: Callable[[DeclaredKey], bool]) -> tuple[str, ...]:
    """The names of the keys for which something holds."""
    return tuple(name for name, each in _first_declarations().items() if holds(each))


def config_from_dict(content: Mapping[str, Any]) -> Config:
    """A configuration from nested plain values, as a manifest holds them. Values are taken as they are.

    Raises:
        KeyError, TypeError: if an option or a key is not known here.
    """
    sections: dict[str, Any] = {}
    for name, value in content.items():
        if name in SELECTORS:
            node = options(name)[value[SELECTORS[name]]]
            sections[name] = _from_dict(node, value)
        elif is_dataclass(get_type_hints(Config)[name]):
            sections[name] = _from_dict(get_type_hints(Config)[name], value)
        else:
            sections[name] = value
    return Config(**sections)


def _from_dict(node: Any, content: Mapping[str, Any]) -> Any:
    types = get_type_hints(node)
    values = {}
    for name, value in content.items():
        kind = types[name]
        if is_dataclass(kind):
            value = _from_dict(kind, value)
        elif isinstance(kind, type) and issubclass(kind, StrEnum):
            value = kind(value)
        values[name] = value
    return node(**values)
