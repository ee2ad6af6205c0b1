# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Located targets over a sequence of images: numbered, and the best one held.

The node and the bag tool both use this, so that their numbers are equal.
"""

import numpy as np
from numpy.typing import NDArray

from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.located import LocatedTarget
from affordance_ros.spatial.located import Selection
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.targets.hysteresis import HysteresisConfig
from affordance_ros.targets.hysteresis import HysteresisFilter
from affordance_ros.targets.tracks import Place
from affordance_ros.targets.tracks import TrackConfig
from affordance_ros.targets.tracks import Tracker


class Follower:
    """Numbers an image's targets as those of the images before, and keeps the best one first.

    Args:
        tracks: When a target is one that was seen before.
        hysteresis: How the best target is held.
    """

    def __init__(
        self, tracks: TrackConfig | None = None, hysteresis: HysteresisConfig | None = None
    ) -> None:
        self._tracker = Tracker(tracks)
        self._best = HysteresisFilter(hysteresis)

    def configure(self, tracks: TrackConfig, hysteresis: HysteresisConfig) -> None:
        """Follow in another way from the next image on."""
        self._tracker.config = tracks
        if hysteresis != self._best.config:
            self._best = HysteresisFilter(hysteresis)

    def update(
        self,
        selection: Selection,
        *,
        command: str,
        image: NDArray[np.uint8],
        stamp_s: float,
        rgbd: Rgbd | NoRgbd,
    ) -> tuple[LocatedTarget, ...]:
        """Number the targets of the next image and put the held one first.

        Args:
            selection: The image's.
            command: What they answer.
            image: (H, W, 3) or (H, W) uint8.
            stamp_s: The image's, in seconds.
            rgbd: What the image shows in 3D.

        Returns:
            The targets, and weak ones on things that were targets before; as many as are wanted.
        """
        both = selection.targets + selection.weak
        numbered = self._tracker.update(
            [one.target for one in both],
            min_score=selection.min_score,
            command=command,
            image=image,
            stamp_s=stamp_s,
            places=[_place(one, rgbd) for one in both],
        )
        tracked = [
            one.with_track(target.track_id)
            for one, target in zip(both, numbered, strict=True)
            if target.track_id
        ]
        tracked = tracked[: selection.max_targets]
        return tuple(tracked[k] for k in self._best.order([one.target for one in tracked]))


def _place(located: LocatedTarget, rgbd: Rgbd | NoRgbd) -> Place | None:
    """Return how far a target is, if that is known."""
    if isinstance(rgbd, NoRgbd):
        return None
    if isinstance(located.point, SurfacePoint):
        distance_m = float(located.point.position[2])
    elif located.extent is not None:
        distance_m = located.extent.distance_m
    else:
        return None
    return Place(distance_m, distance_m / rgbd.pinhole.fx)
