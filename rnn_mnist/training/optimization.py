"""The optimizer and the learning-rate schedule of ``torch.optim`` that a configuration names."""

from collections.abc import Iterable
from pkgutil import resolve_name

import torch
from torch import nn
from torch.optim import lr_scheduler

from rnn_mnist.catalogues.optimizers import OPTIMIZERS, OptimizerConfig
from rnn_mnist.catalogues.schedules import SCHEDULES, Extent, ScheduleConfig


def build_optimizer(config: OptimizerConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer of the catalogue, over these parameters."""
    spec = OPTIMIZERS[config.name]
    optimizer: torch.optim.Optimizer = resolve_name(spec.optimizer)(parameters, **spec.arguments(config))
    return optimizer


def build_schedule(
    config: ScheduleConfig, optimizer: torch.optim.Optimizer, *, epochs: int, steps_per_epoch: int
) -> lr_scheduler.LRScheduler:
    """The schedule of the catalogue, to be stepped after every training step."""
    spec = SCHEDULES[config.name]
    extent = Extent(optimizer.param_groups[0]["lr"], epochs * steps_per_epoch, steps_per_epoch)
    schedule: lr_scheduler.LRScheduler = resolve_name(spec.scheduler)(optimizer, **spec.arguments(config, extent))
    return schedule
