"""The learning rate as a function of the step, and the moving average of the weights."""

import math

import torch
from torch import nn

from training.config import OptimConfig


def learning_rate(step: int, *, config: OptimConfig, steps_per_epoch: int) -> float:
    """Return the rate for a step; a pure function, so that a run can be entered anywhere.

    Args:
        step: From 0.
        config: The schedule.
        steps_per_epoch: Steps in an epoch.
    """
    warmup = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    if config.schedule == 'cosine':
        factor = 0.5 * (1 + math.cos(math.pi * step / (config.epochs * steps_per_epoch)))
    else:
        passed = sum(step >= epoch * steps_per_epoch for epoch in config.milestones)
        factor = config.gamma**passed
    return config.learning_rate * warmup * factor


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, *, decay: float, step: int) -> None:
    """Move an average of the weights towards the weights.

    Args:
        average: A copy of the model.
        model: The model.
        decay: What remains of the average; less in the first steps, whose weights mean little.
        step: From 0.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    for mean, value in zip(average.parameters(), model.parameters(), strict=True):
        mean.lerp_(value, share)
