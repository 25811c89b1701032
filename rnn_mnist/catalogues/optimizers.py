"""The optimizers of ``torch.optim``; names and meanings of keys as there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from omegaconf import MISSING

from rnn_mnist.catalogues.catalogue import Catalogue
from rnn_mnist.catalogues.keys import key, with_default


@dataclass
class OptimizerConfig:
    """What the optimizers have in common."""

    name: str = key(
        MISSING, "the class in torch.optim, set by the choice of optimizer=...", label="optimizer", shares_noise=True
    )
    lr: float = key(
        0.01, "learning rate; the highest that the schedule reaches", gt=0, le=1000, label="learning rate",
        scale="log", shares_noise=True,
    )  # fmt: skip
    weight_decay: float = key(
        0.0, "share of each weight that is taken off it, times the learning rate", ge=0, le=1000, scale="log",
        shares_noise=True,
    )  # fmt: skip


@dataclass
class AdamConfig(OptimizerConfig):
    """``torch.optim.Adam``."""

    name: str = "adam"
    beta1: float = key(0.9, "decay of the mean of gradients", ge=0, lt=1, shares_noise=True)
    beta2: float = key(0.999, "decay of the mean of squared gradients", ge=0, lt=1, shares_noise=True)
    eps: float = key(
        1e-8, "added to the denominator, for numerical stability", gt=0, label="epsilon", scale="log", shares_noise=True
    )


@dataclass
class AdamWConfig(AdamConfig):
    """``torch.optim.AdamW``: weight decay apart from the gradient."""

    name: str = "adamw"
    weight_decay: float = with_default(OptimizerConfig, "weight_decay", 0.01)


@dataclass
class SGDConfig(OptimizerConfig):
    """``torch.optim.SGD``."""

    name: str = "sgd"
    lr: float = with_default(OptimizerConfig, "lr", 0.1)
    momentum: float = key(0.9, "share of the last step that is taken again", ge=0, lt=1, shares_noise=True)
    nesterov: bool = key(False, "whether momentum is Nesterov's", shares_noise=True)


@dataclass
class RMSpropConfig(OptimizerConfig):
    """``torch.optim.RMSprop``."""

    name: str = "rmsprop"
    lr: float = with_default(OptimizerConfig, "lr", 0.001)
    alpha: float = key(0.99, "decay of the mean of squared gradients", ge=0, lt=1, shares_noise=True)
    eps: float = with_default(AdamConfig, "eps", 1e-8)
    momentum: float = with_default(SGDConfig, "momentum", 0.0)
    centered: bool = key(False, "whether gradients are divided by their variance", shares_noise=True)


@dataclass(frozen=True)
class OptimizerSpec:
    """An optimizer.

    Attributes:
        name: of the option, ``optimizer=<name>``.
        optimizer: dotted path of its class.
        config: its keys; all but ``name`` are arguments of the class, ``beta1`` and ``beta2`` as ``betas``.
        constants: arguments that are no keys, such as ``fused`` where PyTorch has one kernel for the whole step.
        cycled: the key that a one-cycle schedule writes its own momentum over; None where there is none.
    """

    name: str
    optimizer: str
    config: type[OptimizerConfig]
    constants: Mapping[str, Any] = field(default_factory=dict)
    cycled: str | None = None

    def arguments(self, config: OptimizerConfig) -> dict[str, Any]:
        """The arguments of the class."""
        values = {entry.name: getattr(config, entry.name) for entry in fields(config) if entry.name != "name"}
        if "beta1" in values:
            values["betas"] = (values.pop("beta1"), values.pop("beta2"))
        return {**values, **self.constants}


# Fused into one kernel where PyTorch can, which changes speed alone.
_FUSED = {"fused": True}

OPTIMIZERS = Catalogue(
    "optimizers",
    OptimizerSpec,
    (
        OptimizerSpec("adam", "torch.optim.Adam", AdamConfig, _FUSED, cycled="beta1"),
        OptimizerSpec("adamw", "torch.optim.AdamW", AdamWConfig, _FUSED, cycled="beta1"),
        OptimizerSpec("sgd", "torch.optim.SGD", SGDConfig, _FUSED, cycled="momentum"),
        OptimizerSpec("rmsprop", "torch.optim.RMSprop", RMSpropConfig, cycled="momentum"),
    ),
)
