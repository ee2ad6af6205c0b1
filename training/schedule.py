# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How weights move: the rate as a function of the step, its groups, and the moving average."""

import math

import torch
from torch import nn

from affordance_ros.model.heads import FPNDecoder
from affordance_ros_training.config import OptimConfig


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


def parameter_groups(decoder: FPNDecoder, config: OptimConfig) -> list[dict[str, object]]:
    """Return AdamW's groups: the neck, and the head's few numbers with a rate of their own.

    Args:
        decoder: Neck and head.
        config: The rates.

    Returns:
        Groups whose 'rate_factor' multiplies what `learning_rate` gives.
    """
    return [
        {
            'params': list(decoder.neck.parameters()),
            'rate_factor': 1.0,
            'weight_decay': config.weight_decay,
        },
        {
            'params': [v for k, v in decoder.named_parameters() if not k.startswith('neck.')],
            'rate_factor': config.head_rate_factor,
            'weight_decay': 0.0,
        },
    ]


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


def descend(
    loss: torch.Tensor,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    *,
    clip_norm: float,
) -> float:
    """Take one step down a scaled loss.

    Args:
        loss: As `scaler` has scaled it.
        optimizer: Whose parameters move.
        scaler: fp16's, switched off for other precisions.
        clip_norm: The longest gradient; 0 for any.

    Returns:
        The gradient's norm, before it was clipped.
    """
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    scaler.unscale_(optimizer)
    parameters = [one for group in optimizer.param_groups for one in group['params']]
    norm = nn.utils.clip_grad_norm_(parameters, clip_norm or float('inf'))
    scaler.step(optimizer)
    scaler.update()
    return float(norm)
