# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""An answer: where an image affords a command."""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from affordance_ros.targets.activation import Activation
from affordance_ros.targets.target import Target

TOO_SMALL, TOO_LARGE = 'too_small', 'too_large'


@dataclass(frozen=True)
class Grounding:
    """Where an image affords a command.

    Attributes:
        command: The command, cleaned.
        candidates: All targets, best first; empty if nothing reaches the least score.
        activation: The model's own map.
        max_targets: How many of the candidates are wanted.
        refused: How many targets are left out of the candidates because of their size, by cause.
        weak: What is below the least score, best first, where heat is smoothed: a target only if
            the thing was one before.
        min_score: The least score of a target, in [0, 1].
    """

    command: str
    candidates: tuple[Target, ...]
    activation: Activation
    max_targets: int
    refused: Mapping[str, int] = field(default_factory=dict)
    weak: tuple[Target, ...] = ()
    min_score: float = 0.0

    @property
    def targets(self) -> tuple[Target, ...]:
        """The best candidates, best first."""
        return self.candidates[: self.max_targets]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the image in pixels."""
        return self.activation.box.source

    @property
    def heatmap(self) -> NDArray[np.float32]:
        """(H, W) float32 at the image's own resolution, absolute in [0, 1].

        Made when it is first asked for. It is never stretched to its own maximum, so an image that
        affords nothing stays dark.
        """
        return self.activation.heatmap


@dataclass(frozen=True)
class SizeGate:
    """Which targets are too small or too large in the image to be what is meant.

    Attributes:
        min_area_px: The least number of pixels of a target's region.
        max_area_px: The greatest; 0 for any.
    """

    min_area_px: int = 0
    max_area_px: int = 0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.min_area_px < 0 or self.max_area_px < 0:
            raise ValueError(
                f'min_area_px {self.min_area_px} and max_area_px {self.max_area_px} must not be '
                f'negative'
            )
        if 0 < self.max_area_px < self.min_area_px:
            raise ValueError(
                f'no target has between min_area_px {self.min_area_px} and max_area_px '
                f'{self.max_area_px} pixels: raise max_area_px, or set it to 0 for any'
            )

    def split(self, targets: Sequence[Target]) -> tuple[tuple[Target, ...], Mapping[str, int]]:
        """Return the targets that pass, in order, and how many do not, by cause."""
        if not (self.min_area_px or self.max_area_px):
            return tuple(targets), {}
        causes = [self._refuse(target) for target in targets]
        passed = (t for t, cause in zip(targets, causes, strict=True) if not cause)
        return tuple(passed), Counter(cause for cause in causes if cause)

    def _refuse(self, target: Target) -> str:
        """Return why a target does not pass; '' where it does, or where it has no region."""
        if target.region is None:
            return ''
        if target.region.area_px < self.min_area_px:
            return TOO_SMALL
        return TOO_LARGE if 0 < self.max_area_px < target.region.area_px else ''
