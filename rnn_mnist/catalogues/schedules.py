"""The schedules of the learning rate, of ``torch.optim.lr_scheduler``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from rnn_mnist.catalogues.catalogue import Catalogue
from rnn_mnist.catalogues.keys import key


@dataclass
class ScheduleConfig:
    """How the learning rate moves; ``optimizer.lr`` is its highest value."""

    name: str = key(
        MISSING, "how the learning rate moves, set by the choice of schedule=...", label="schedule", shares_noise=True
    )


@dataclass
class ConstantConfig(ScheduleConfig):
    """The rate stays."""

    name: str = "constant"


@dataclass
class CosineConfig(ScheduleConfig):
    """Half a cosine from ``optimizer.lr`` to a share of it (Loshchilov, Hutter 2017, arXiv:1608.03983)."""

    name: str = "cosine"
    final_fraction: float = key(0.0, "share of optimizer.lr that the cosine falls to", ge=0, le=1, shares_noise=True)


@dataclass
class OneCycleConfig(ScheduleConfig):
    """``torch.optim.lr_scheduler.OneCycleLR`` (Smith and Topin 2018, arXiv:1708.07120), names as there."""

    name: str = "one_cycle"
    pct_start: float = key(
        0.3, "share of the steps in which the rate rises to optimizer.lr", gt=0, lt=1, shares_noise=True
    )
    div_factor: float = key(
        25.0, "the first rate is optimizer.lr divided by this", ge=1, scale="log", shares_noise=True
    )
    final_div_factor: float = key(
        1e4, "the last rate is the first one divided by this", ge=1, scale="log", shares_noise=True
    )
    cycle_momentum: bool = key(
        True,
        "whether momentum (Adam: beta1) falls from 0.95 to 0.85 while the rate rises, and back; the optimizer's own "
        "value then has no effect and counts as 0.95. Off where the optimizer has no momentum, which one cycle would "
        "switch on",
        shares_noise=True,
    )


@dataclass
class StepConfig(ScheduleConfig):
    """The rate falls in steps."""

    name: str = "step"
    step_size: int = key(1, "epochs between two steps", ge=1, unit="epochs", shares_noise=True)
    gamma: float = key(0.1, "what each step multiplies the rate by", gt=0, le=1, shares_noise=True)


@dataclass(frozen=True)
class Extent:
    """How long a run is: the highest learning rate, steps in all and steps of an epoch."""

    peak: float
    total_steps: int
    steps_per_epoch: int


@dataclass(frozen=True)
class ScheduleSpec:
    """A schedule.

    Attributes:
        name: of the option, ``schedule=<name>``.
        scheduler: dotted path of its class; it is stepped after every training step.
        config: its keys.
        arguments: of the class, from the configuration and the extent of the run.
    """

    name: str
    scheduler: str
    config: type[ScheduleConfig]
    arguments: Callable[[Any, Extent], dict[str, Any]]


SCHEDULES = Catalogue(
    "schedules",
    ScheduleSpec,
    (
        ScheduleSpec(
            "constant", "torch.optim.lr_scheduler.ConstantLR", ConstantConfig, lambda _config, _run: {"factor": 1.0}
        ),
        ScheduleSpec(
            "cosine",
            "torch.optim.lr_scheduler.CosineAnnealingLR",
            CosineConfig,
            lambda config, run: {"T_max": run.total_steps, "eta_min": run.peak * config.final_fraction},
        ),
        ScheduleSpec(
            "one_cycle",
            "torch.optim.lr_scheduler.OneCycleLR",
            OneCycleConfig,
            lambda config, run: {
                "max_lr": run.peak,
                "total_steps": run.total_steps,
                "pct_start": config.pct_start,
                "div_factor": config.div_factor,
                "final_div_factor": config.final_div_factor,
                "cycle_momentum": config.cycle_momentum,
            },
        ),
        ScheduleSpec(
            "step",
            "torch.optim.lr_scheduler.StepLR",
            StepConfig,
            lambda config, run: {"step_size": config.step_size * run.steps_per_epoch, "gamma": config.gamma},
        ),
    ),
)
