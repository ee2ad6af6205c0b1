# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Steady targets: the best one stays the best while it is seen, so that an arm is not sent about.

Targets are only put in another order: places and scores are always those of the frame itself.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.targets.peaks import Target

_THUMBNAIL = (16, 12)


@dataclass(frozen=True)
class HysteresisConfig:
    """How the best target is held.

    Attributes:
        frames: The held target gives way once another has beaten it in so many frames in a row;
            0 switches the filter off.
        margin: By how much the other's score must be higher.
        max_distance_px: How far the held target may move from one frame to the next, in pixels of
            the image, and still be the same one.
        scene_change: The mean change of grey values from frame to frame, as a share of their
            range, that counts as another scene. Of a camera that turns slowly it is below 0.04,
            between unlike photos above 0.19.
    """

    frames: int = 0
    margin: float = 0.1
    max_distance_px: float = 20.0
    scene_change: float = 0.1

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.frames < 0:
            raise ValueError(f'frames {self.frames} must not be negative')
        if self.margin < 0:
            raise ValueError(f'margin {self.margin} must not be negative')
        if not self.max_distance_px > 0:
            raise ValueError(f'max_distance_px {self.max_distance_px} must be positive')
        if not 0.0 < self.scene_change <= 1.0:
            raise ValueError(f'scene_change {self.scene_change} must lie in (0, 1]')


class HysteresisFilter:
    """Hysteresis on the best target, frame by frame. Off by default.

    Latency: none on places and scores. A switch to a better target comes `frames` - 1 frames after
    the first frame in which it was better by the margin (at 10 Hz with `frames` = 5, 0.4 s), and
    never while it is better by less. It is immediate where the held target is gone, the command
    changes or the scene changes.

    Args:
        config: How the best target is held.
    """

    def __init__(self, config: HysteresisConfig | None = None) -> None:
        self._config = config or HysteresisConfig()
        self._held: Target | None = None
        self._beaten = 0
        self._command_id = 0
        self._thumbnail: NDArray[np.float32] | None = None

    @property
    def config(self) -> HysteresisConfig:
        """How the best target is held."""
        return self._config

    def update(
        self, targets: Sequence[Target], *, command_id: int, image: NDArray[np.uint8]
    ) -> tuple[Target, ...]:
        """Put the held target first.

        Args:
            targets: The frame's, best first.
            command_id: The number of the command that they answer.
            image: (H, W, 3) or (H, W) uint8, the frame that they were found in.

        Returns:
            The same targets: the held one first, the others best first.
        """
        if not self._config.frames:
            return tuple(targets)
        if self._scene_changed(image) or command_id != self._command_id:
            self._held = None
        self._command_id = command_id
        held = self._find(targets)
        best = targets[0] if targets else None
        if held is None or best is None:
            held = best
            self._beaten = 0
        elif best.score > held.score + self._config.margin:
            self._beaten += 1
            if self._beaten >= self._config.frames:
                held = best
                self._beaten = 0
        else:
            self._beaten = 0
        self._held = held
        if held is None:
            return ()
        return (held, *(target for target in targets if target is not held))

    def _find(self, targets: Sequence[Target]) -> Target | None:
        """Return the target nearest to where the held one was, if it is near enough."""
        if self._held is None or not targets:
            return None
        x, y = self._held.x, self._held.y
        nearest = min(targets, key=lambda target: math.hypot(target.x - x, target.y - y))
        near = math.hypot(nearest.x - x, nearest.y - y) <= self._config.max_distance_px
        return nearest if near else None

    def _scene_changed(self, image: NDArray[np.uint8]) -> bool:
        small = cv2.resize(image, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)
        before, self._thumbnail = self._thumbnail, small
        if before is None or before.shape != small.shape:
            return True
        # Less each frame's own mean: a camera that adapts its exposure sees the same scene.
        change = np.abs((small - small.mean()) - (before - before.mean())).mean() / 255.0
        return bool(change > self._config.scene_change)
