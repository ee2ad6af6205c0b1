# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The loss of AffordanceCLIP: binary cross-entropy with logits, mean over all pixels."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F

from affordance_ros_training.config import OptimConfig

MIN_CELLS = 2.0  # the least region, in cells of the loss, that is a place and not a splinter
_LOW_LOGIT = -30.0  # a probability of nothing, and still a finite logarithm


def pixel_loss(
    logits: torch.Tensor, coverage: torch.Tensor, unknown: torch.Tensor | None = None
) -> torch.Tensor:
    """Compute the loss of each sentence.

    At the paper's resolution a pixel is in the region or not, and the loss is -log s(z) on it and
    -log(1 - s(z)) elsewhere; a partly covered cell takes its share of both.

    Args:
        logits: (N, K, h, w) at the decoder's resolution; upsampled bilinearly.
        coverage: (N, K, H, W) in [0, 1].
        unknown: (N, K, H, W) in [0, 1], the share of each cell that counts for nothing.

    Returns:
        (N, K): the mean over all pixels.
    """
    full = F.interpolate(
        logits.float(), coverage.shape[-2:], mode='bilinear', align_corners=False
    )  # (N, K, H, W)
    losses = F.binary_cross_entropy_with_logits(full, coverage, reduction='none')
    if unknown is not None:
        losses = losses * (1 - unknown)
    return losses.mean(dim=(-2, -1))


def distribution_loss(
    logits: torch.Tensor, coverage: torch.Tensor, unknown: torch.Tensor
) -> torch.Tensor:
    """Compute how far each map's distribution over the image is from the region's.

    It is KL(region || softmax of the logits over all pixels), so that a small region weighs as
    much as a large one, where the mean over pixels all but forgets it. The map's absolute scale is
    left to `pixel_loss`.

    Args:
        logits: (N, K, h, w) at the decoder's resolution; upsampled bilinearly.
        coverage: (N, K, H, W) in [0, 1].
        unknown: (N, K, H, W) in [0, 1], the share of each cell that counts for nothing.

    Returns:
        (N, K); 0 for sentences whose region covers less than MIN_CELLS.
    """
    full = F.interpolate(
        logits.float(), coverage.shape[-2:], mode='bilinear', align_corners=False
    ).flatten(2)  # (N, K, H * W)
    known = (1 - unknown).flatten(2)
    region = coverage.flatten(2) * known
    area = region.sum(dim=-1, keepdim=True)
    region = region / area.clamp(min=1e-6)
    log_heat = F.log_softmax(full.masked_fill(known < 0.5, _LOW_LOGIT), dim=-1)
    divergence = (torch.xlogy(region, region) - region * log_heat).sum(dim=-1)  # (N, K)
    return divergence * (area[..., 0] >= MIN_CELLS)


def pad_sentences(
    vectors: Sequence[torch.Tensor],
    coverages: Sequence[torch.Tensor],
    unknowns: Sequence[torch.Tensor],
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Bring images with different numbers of sentences into one batch.

    Args:
        vectors: (K_i, C) for each image.
        coverages: (K_i, H, W) uint8 for each image, 255 for fully covered.
        unknowns: Likewise, what counts for nothing.

    Returns:
        Text (N, K, C), coverage and unknown (N, K, H, W) float in [0, 1], and which sentences are
        real (N, K) bool.
    """
    most = max(len(v) for v in vectors)
    text = torch.stack([F.pad(v, (0, 0, 0, most - len(v))) for v in vectors])
    counts = torch.tensor([len(v) for v in vectors], device=text.device)
    real = torch.arange(most, device=text.device) < counts[:, None]
    return text, _pad(coverages, most, text), _pad(unknowns, most, text), real


def _pad(cells: Sequence[torch.Tensor], most: int, like: torch.Tensor) -> torch.Tensor:
    padded = torch.stack([F.pad(c, (0, 0, 0, 0, 0, most - len(c))) for c in cells])
    return padded.to(like.device).float() / 255


class TrainingError(RuntimeError):
    """Training can't go on."""


def check_loss(loss: float, *, step: int, optim: OptimConfig, kept: Path) -> None:
    """Refuse a loss that is not a number.

    Raises:
        TrainingError: With what to change.
    """
    if not math.isfinite(loss):
        raise TrainingError(
            f'the loss is {loss} at step {step}: lower optim.learning_rate '
            f'({optim.learning_rate}) or set optim.clip_norm; {kept} is from before'
        )
