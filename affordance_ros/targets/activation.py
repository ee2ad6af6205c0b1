# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Activation maps as the model gives them, brought to the image's resolution where it is asked."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.letterbox import Letterbox


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return heat in [0, 1]."""
    # Cut off where float32's exp would overflow; the sigmoid is 0 to the last digit there.
    return np.asarray(1.0 / (1.0 + np.exp(-np.maximum(logits, np.float32(-80.0)))), np.float32)


def logit(heat: float) -> float:
    """Return the logit of heat in [0, 1]; infinite at its ends."""
    if heat <= 0.0:
        return -math.inf
    return math.log(heat / (1.0 - heat)) if heat < 1.0 else math.inf


class HeatSource(Protocol):
    """What can make a heatmap."""

    @property
    def heatmap(self) -> NDArray[np.float32]:
        """(H, W) float32 in [0, 1]; may be made only now."""


class Activation:
    """One command's activation map.

    Args:
        logits: (h, w) float32, over the whole canvas.
        box: How the image lies on the canvas.
    """

    def __init__(self, logits: NDArray[np.float32], box: Letterbox) -> None:
        self.logits = logits
        self.box = box

    @cached_property
    def heatmap(self) -> NDArray[np.float32]:
        """(H, W) float32 in [0, 1] at the image's resolution, made when it is first asked for."""
        return sigmoid(self.restore())

    def restore(self) -> NDArray[np.float32]:
        """Return the logits at the image's resolution, (H, W) float32."""
        return self.box.restore(self.logits)


def highest_maps(logits: NDArray[np.float32], groups: Sequence[int]) -> NDArray[np.float32]:
    """Return the highest map of each group, (K, h, w), of maps (sum of groups, h, w)."""
    if len(logits) == len(groups):
        return logits
    starts = np.cumsum([0, *groups[:-1]])
    return np.asarray(np.maximum.reduceat(logits, starts, axis=0), np.float32)
