"""The optimizer and the learning-rate schedule of ``torch.optim`` that a configuration names."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim import lr_scheduler

from rnn_mnist.configuration.schema import (
    AdamConfig,
    CosineConfig,
    OneCycleConfig,
    OptimizerConfig,
    OptimizerName,
    RMSpropConfig,
    ScheduleConfig,
    SGDConfig,
    StepConfig,
)


def build_optimizer(config: OptimizerConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer; fused into one kernel where PyTorch can (all but RMSprop), which changes speed alone."""
    if isinstance(config, AdamConfig):
        kind = torch.optim.AdamW if config.name == OptimizerName.adamw else torch.optim.Adam
        return kind(
            parameters,
            lr=config.lr,
            betas=(config.beta1, config.beta2),
            eps=config.eps,
            weight_decay=config.weight_decay,
            fused=True,
        )
    if isinstance(config, SGDConfig):
        return torch.optim.SGD(
            parameters,
            lr=config.lr,
            momentum=config.momentum,
            nesterov=config.nesterov,
            weight_decay=config.weight_decay,
            fused=True,
        )
    if isinstance(config, RMSpropConfig):
        return torch.optim.RMSprop(
            parameters,
            lr=config.lr,
            alpha=config.alpha,
            eps=config.eps,
            momentum=config.momentum,
            centered=config.centered,
            weight_decay=config.weight_decay,
        )
    raise TypeError(f"no optimizer for {type(config).__name__}")


def build_schedule(
    config: ScheduleConfig, optimizer: torch.optim.Optimizer, *, epochs: int, steps_per_epoch: int
) -> lr_scheduler.LRScheduler:
    """The schedule, to be stepped after every training step."""
    total_steps = epochs * steps_per_epoch
    peak = optimizer.param_groups[0]["lr"]
    if isinstance(config, OneCycleConfig):
        return lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=peak,
            total_steps=total_steps,
            pct_start=config.pct_start,
            div_factor=config.div_factor,
            final_div_factor=config.final_div_factor,
            cycle_momentum=config.cycle_momentum,
        )
    if isinstance(config, CosineConfig):
        return lr_scheduler.CosineAnnealingLR(optimizer, T_max=total_steps, eta_min=peak * config.final_fraction)
    if isinstance(config, StepConfig):
        return lr_scheduler.StepLR(optimizer, step_size=config.step_size * steps_per_epoch, gamma=config.gamma)
    return lr_scheduler.ConstantLR(optimizer, factor=1.0)
