# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What turns a head's logits into chances, fitted after training; needs no torch."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Calibration:
    """A monotone map of logits, and the level from which a pixel belongs to the region.

    The heat becomes `ceiling * sigmoid(scale * logit + bias)`, so that the score of a target is
    the chance that it lies in the right region. `affordance-eval calibrate` fits bias and ceiling
    (Platt scaling with an upper asymptote: where even the hottest targets are often wrong, a plain
    logistic curve could only say so by flattening every map).
    """

    scale: float = 1.0
    bias: float = 0.0
    ceiling: float = 1.0  # the highest chance there is
    mask_threshold: float = 0.5  # of the heat

    def __post_init__(self) -> None:
        """Refuse what is not monotone, or not a number."""
        if not 0 < self.scale < math.inf or not math.isfinite(self.bias):
            raise ValueError(
                f'the calibration has scale {self.scale} and bias {self.bias}: the scale must be '
                f'positive, and both finite'
            )
        if not 0 < self.ceiling <= 1:
            raise ValueError(f'ceiling is {self.ceiling}: it must lie within (0, 1]')
        if not 0 < self.mask_threshold < 1:
            raise ValueError(f'mask_threshold is {self.mask_threshold}: it must lie within (0, 1)')

    @property
    def changes_logits(self) -> bool:
        """Whether it does anything to a logit."""
        return (self.scale, self.bias, self.ceiling) != (1.0, 0.0, 1.0)

    def chance(self, logits: NDArray) -> NDArray[np.float64]:
        """Return the heat of logits of any shape, in [0, ceiling]."""
        exponent = -(self.scale * np.asarray(logits, np.float64) + self.bias)
        return np.asarray(self.ceiling / (1 + np.exp(np.clip(exponent, -700, 700))))
