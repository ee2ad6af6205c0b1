# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How an image has shifted since the one before, and whether it shows another scene."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

# Enough to follow a camera's motion, and 0.1 ms.
_SIZE = (64, 48)
_COARSE = (16, 12)
# A peak of the phase correlation as low as that is noise.
_MIN_RESPONSE = 0.1
# Grey values that differ by less, as a share of their range, are those of a camera that stands.
_STILL = 0.005


class Shift(NamedTuple):
    """What has become of the image."""

    x: float  # pixels by which what it shows has moved to the right
    y: float  # and down
    same_scene: bool  # False where it shows something else


class Motion:
    """Compares each image with the one before, at a small size.

    Args:
        scene_change: The mean change of grey values from image to image, as a share of their
            range, that counts as another scene. Of a camera that turns slowly it is below 0.04,
            between unlike photos above 0.19.
    """

    def __init__(self, scene_change: float = 0.1) -> None:
        if not 0.0 < scene_change <= 1.0:
            raise ValueError(f'scene_change {scene_change} must lie in (0, 1]')
        self._scene_change = scene_change
        self._before: NDArray[np.float32] | None = None
        self._source: tuple[int, ...] = ()
        self._window = cv2.createHanningWindow(_SIZE, cv2.CV_32F)

    def update(self, image: NDArray[np.uint8]) -> Shift:
        """Compare an image with the one before.

        Args:
            image: (H, W, 3) or (H, W) uint8.
        """
        before, source = self._before, self._source
        small = shrink(image, _SIZE)
        self._before, self._source = small, image.shape[:2]
        if before is None or source != image.shape[:2]:
            return Shift(0.0, 0.0, same_scene=False)
        change = _change(before, small, 0, 0)
        if change < _STILL:
            return Shift(0.0, 0.0, same_scene=True)
        # Some versions of OpenCV put the window on the images themselves.
        (x, y), response = cv2.phaseCorrelate(before.copy(), small.copy(), self._window)
        if response < _MIN_RESPONSE:
            x = y = 0.0
        if min(change, _change(before, small, round(x), round(y))) > self._scene_change:
            return Shift(0.0, 0.0, same_scene=False)
        height, width = image.shape[:2]
        return Shift(x * width / _SIZE[0], y * height / _SIZE[1], same_scene=True)


def _change(before: NDArray[np.float32], now: NDArray[np.float32], x: int, y: int) -> float:
    """Return how much grey values differ where the shifted images overlap, as a share."""
    height, width = now.shape
    one = before[max(-y, 0) : height - max(y, 0), max(-x, 0) : width - max(x, 0)]
    other = now[max(y, 0) : height - max(-y, 0), max(x, 0) : width - max(-x, 0)]
    # Coarsely, since texture differs with every shift by a part of a pixel.
    one, other = (cv2.resize(a, _COARSE, interpolation=cv2.INTER_AREA) for a in (one, other))
    # Less each image's own mean: a camera that adapts its exposure sees the same scene.
    return float(np.abs((one - one.mean()) - (other - other.mean())).mean()) / 255.0


def shrink(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a small grey image of a width and height; of colours, green serves.

    Args:
        image: (H, W, 3) or (H, W) uint8.
        size: Its width and height.
    """
    # Every third pixel or so first: averaging all of a large image takes longer than the rest.
    step = max(1, min(image.shape[0] // (3 * size[1]), image.shape[1] // (3 * size[0])))
    sparse = image[::step, ::step] if image.ndim == 2 else image[::step, ::step, 1]
    small = cv2.resize(np.ascontiguousarray(sparse), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)
