# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What turns a head's logits into chances, fitted after training; needs no torch."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Calibration:
    """A monotone map of logits, and the level from which a pixel belongs to the region.

    `affordance-eval calibrate` fits it, so that the score of a target is the chance that it lies
    in the right region (Platt scaling).
    """

    scale: float = 1.0  # logits become scale * logit + bias
    bias: float = 0.0
    mask_threshold: float = 0.5  # of the heat, after scale and bias

    def __post_init__(self) -> None:
        """Refuse what is not monotone, or not a number."""
        if not 0 < self.scale < math.inf or not math.isfinite(self.bias):
            raise ValueError(
                f'the calibration has scale {self.scale} and bias {self.bias}: the scale must be '
                f'positive, and both finite'
            )
        if not 0 < self.mask_threshold < 1:
            raise ValueError(f'mask_threshold is {self.mask_threshold}: it must lie within (0, 1)')

    @property
    def changes_logits(self) -> bool:
        """Whether it does anything to a logit."""
        return (self.scale, self.bias) != (1.0, 0.0)

    def then(self, other: 'Calibration') -> 'Calibration':
        """Return this calibration followed by another one."""
        return Calibration(
            scale=other.scale * self.scale,
            bias=other.scale * self.bias + other.bias,
            mask_threshold=other.mask_threshold,
        )
