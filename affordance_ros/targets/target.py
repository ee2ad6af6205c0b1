# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A target: a thing to act on, its place and its region."""

from dataclasses import dataclass
from dataclasses import field

from affordance_ros.targets.region import Region
from affordance_ros.targets.region import Regions


@dataclass(frozen=True)
class Target:
    """A thing to act on.

    Attributes:
        x: Column in pixels of the input image, sub-pixel, 0 at the centre of the leftmost pixel.
        y: Row in pixels, 0 at the centre of the topmost pixel.
        score: The heat there, in [0, 1].
        track_id: The number that the thing keeps over frames; 0 where nobody follows it.
        regions: What draws its region; None where there is none.
        peak: What the target is there.
    """

    x: float
    y: float
    score: float
    track_id: int = 0
    regions: Regions | None = field(default=None, repr=False, compare=False)
    peak: int = field(default=0, repr=False, compare=False)

    @property
    def label(self) -> str:
        """What people read beside it: its number, if it has one, and its score."""
        return f'#{self.track_id} {self.score:.2f}' if self.track_id else f'{self.score:.2f}'

    @property
    def region(self) -> Region | None:
        """The pixels that belong to the thing; None where only its place is known."""
        if self.regions is None:
            return None
        return self.regions.draw(self.peak, self.x, self.y, self.score)
