# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Heat averaged over the latest images, following the motion between them.

Things that are hot in one image and not in the next stay warm in the average.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.activation import sigmoid
from affordance_ros.targets.instances import image_on_map
from affordance_ros.targets.motion import Motion
from affordance_ros.targets.motion import shrink

# Seconds by default: see docs/targets.md for how it was chosen.
USUAL_S = 3.0
# A thing that was a target stays one down to that share of the least score.
KEEP_SHARE = 0.68
# Optical flow is computed on grey images of that width and height.
_FLOW_SIZE = (160, 120)
# Where the image before, moved, differs from the new one by more grey values, something else is
# seen. (A camera that turns by 2 degrees an image leaves 8 in 99 % of the cells, 21 at most.)
_CHANGED = 20.0
_BLUR_SIGMA_PX = 1.5  # against noise, and edges that are off by part of a pixel
# Flow there and back that ends farther from where it began found nothing. Where that is half of
# the image, the camera has leapt, and the average starts afresh. (Turning by 2 degrees an image
# leaves 1 % of the cells, by 9 degrees 4 to 27; a leap more than 65.)
_ASTRAY_PX = 2.0
_LEAST_FOUND = 0.5
# What is seen for the first time weighs as much as if it had been seen for so long, and no image
# more than that, also after a pause.
_FIRST_S = 0.8
# The average stays on its key image until what that shows has moved far on the small one, or is
# old and has moved or changed. (Flow from image to image misses slow motion: by 30 images a second
# heat would trail behind.)
_KEY_FAR_PX = 2.0
_KEY_OLD_S, _KEY_MOVED_PX = 0.19, 1.0
# The average is kept that far from 0 and 1, whose logits are infinite.
_MARGIN = 1e-6


class HeatSmoother:
    """An exponential average of one command's heat, image by image.

    An average over time, of what each place has shown so far, in which heat that is `seconds` old
    weighs 1/e as much as the newest. It follows the motion by dense optical flow (Kroeger et al.,
    Fast Optical Flow using Dense Inverse Search, ECCV 2016). What comes into view, and what is
    put there or taken away, has its present heat at once. The average starts afresh with another
    command, scene or image size, where the camera leaps, and where a stamp does not increase.

    Args:
        seconds: The time constant in seconds, finite: heat that old weighs 1/e as much as the
            newest; 0 for no average.

    Raises:
        ValueError: If it is negative or not finite.
    """

    def __init__(self, seconds: float = USUAL_S) -> None:
        self.seconds = seconds
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self.forget()

    @property
    def seconds(self) -> float:
        """The time constant; may be changed at any time."""
        return self._seconds

    @seconds.setter
    def seconds(self, seconds: float) -> None:
        if not 0.0 <= seconds < math.inf:
            raise ValueError(f'heat_smoothing_s {seconds} must be finite and not negative')
        self._seconds = seconds

    def forget(self) -> None:
        """Start afresh with the next image."""
        self._motion = Motion()
        self._key: _Key | None = None
        self._about: tuple[str, Letterbox] | None = None
        self._stamp_s = -math.inf

    def update(
        self, activation: Activation, *, command: str, image: NDArray[np.uint8], stamp_s: float
    ) -> Activation:
        """Average the next image's heat with that of the images before.

        Args:
            activation: The image's.
            command: What it answers.
            image: (H, W, 3) or (H, W) uint8.
            stamp_s: The image's, in seconds.

        Returns:
            An activation map of the average, or the given one where there is none.
        """
        if not self._seconds:
            if self._key is not None:
                self.forget()
            return activation
        heat, box = sigmoid(activation.logits), activation.box
        grey = np.rint(shrink(image, _FLOW_SIZE)).astype(np.uint8)
        same = (
            self._motion.update(grey).same_scene
            and self._about == (command, box)
            and stamp_s > self._stamp_s
        )
        passed_s = stamp_s - self._stamp_s
        lasted_s = np.float32(min(passed_s, _FIRST_S))
        self._about, self._stamp_s = (command, box), stamp_s
        key, self._key = self._key, _Key(grey, heat, np.full_like(heat, _FIRST_S), stamp_s)
        if not same or key is None or key.heat.shape != heat.shape:
            return activation
        cells = _cells(box, heat.shape)
        key.weight *= math.exp(-passed_s / self._seconds)
        back, forth = (
            self._flow.calc(*pair, None) for pair in ((grey, key.grey), (key.grey, grey))
        )
        now = _find(grey, key.grey, back, forth, cells)
        if now.found < _LEAST_FOUND:
            return activation
        earlier = np.where(now.same, _sample(key.weight, now.at, cv2.INTER_LINEAR), 0.0)
        weight = np.where(earlier > 0.0, earlier + lasted_s, np.float32(_FIRST_S))
        # Cubic, since each bilinear step of many would make hills flatter.
        before = np.clip(_sample(key.heat, now.at, cv2.INTER_CUBIC), 0.0, 1.0)
        mean = heat + (before - heat) * (earlier / weight)
        old = stamp_s - key.stamp_s >= _KEY_OLD_S
        if now.moved_px > _KEY_FAR_PX or (old and (now.changed or now.moved_px > _KEY_MOVED_PX)):
            self._key = _Key(grey, mean, weight, stamp_s)
        else:
            self._key = key
            then = _find(key.grey, grey, forth, back, cells)
            gained = np.where(then.same, lasted_s, np.float32(0.0))
            key.weight += gained
            own = _sample(heat, then.at, cv2.INTER_CUBIC)
            key.heat += (own - key.heat) * (gained / key.weight)
        # The difference, so that heat which stays the same stays so to the last digit.
        return Activation(activation.logits + (_logits(mean) - _logits(heat)), box)


@dataclass
class _Key:
    """An image that the average lies on.

    Attributes:
        grey: It, small.
        heat: (h, w) float32, the average.
        weight: (h, w) float32, its weight in seconds.
        stamp_s: The image's.
    """

    grey: NDArray[np.uint8]
    heat: NDArray[np.float32]
    weight: NDArray[np.float32]
    stamp_s: float


class _Found(NamedTuple):
    """Where the cells of one image are in another.

    Attributes:
        at: (h, w, 2) float32, columns and rows in cells.
        same: (h, w), whether it is in view there and looks the same.
        changed: Whether something in view looks different.
        found: The share of cells in view that flow finds.
        moved_px: How far things have moved in the mean, in pixels of the small image.
    """

    at: NDArray[np.float32]
    same: NDArray[np.bool_]
    changed: bool
    found: float
    moved_px: float


def _find(
    grey: NDArray[np.uint8],
    other: NDArray[np.uint8],
    flow: NDArray[np.float32],
    back: NDArray[np.float32],
    cells: '_Cells',
) -> _Found:
    """Return where the cells of one small image are in another one, by the flow there and back."""
    change = cv2.subtract(grey, _sample(other, flow + _PIXELS), dtype=cv2.CV_32F)
    # Less the mean: a camera that adapts its exposure sees the same things.
    change = cv2.GaussianBlur(change - change.mean(), (0, 0), _BLUR_SIGMA_PX)
    moved = _sample(flow, cells.on_grey)
    at = np.asarray(cells.places + moved / cells.grey_per_cell, np.float32)
    in_view = ((at >= cells.first) & (at <= cells.last)).all(axis=-1)
    astray_px = np.abs(moved + _sample(back, cells.on_grey + moved)).max(axis=-1)
    found = in_view & (astray_px <= _ASTRAY_PX)
    alike = np.abs(_sample(change, cells.on_grey)) <= _CHANGED
    return _Found(
        at,
        found & alike,
        changed=bool((in_view & ~alike).any()),
        found=np.count_nonzero(found) / max(np.count_nonzero(in_view), 1),
        moved_px=float(np.abs(moved).max(axis=-1).mean()),
    )


def _sample(
    values: NDArray[Any], at: NDArray[np.float32], method: int = cv2.INTER_LINEAR
) -> NDArray[Any]:
    """Return values at places, (..., 2) columns and rows."""
    return np.asarray(cv2.remap(values, at, None, method, borderMode=cv2.BORDER_REPLICATE))


def _logits(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    kept = np.clip(heat, _MARGIN, 1.0 - _MARGIN)
    return np.asarray(np.log(kept / (1.0 - kept)))


_PIXELS = np.dstack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in _FLOW_SIZE)))


class _Cells(NamedTuple):
    """How a map's cells lie on the small grey image; x before y.

    Attributes:
        places: (h, w, 2) float32, the cells' own columns and rows.
        on_grey: (h, w, 2) float32, their places on the grey image.
        grey_per_cell: (2,) float32, how many of its pixels a cell has.
        first: (2,) float32, where the image begins, in cells.
        last: (2,) float32, where it ends.
    """

    places: NDArray[np.float32]
    on_grey: NDArray[np.float32]
    grey_per_cell: NDArray[np.float32]
    first: NDArray[np.float32]
    last: NDArray[np.float32]


@lru_cache(maxsize=16)
def _cells(box: Letterbox, shape: tuple[int, ...]) -> _Cells:
    """Return how a map of a shape, on a letterbox, lies on the small grey image."""
    first, per_cell = image_on_map(box, shape)  # of pixels of the image
    source = np.array(box.source[::-1])
    places = np.dstack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in shape[::-1])))
    share = np.array(_FLOW_SIZE) / source
    return _Cells(
        places,
        (((places - first) * per_cell + 0.5) * share - 0.5).astype(np.float32),
        (per_cell * share).astype(np.float32),
        (first - 0.5 / per_cell).astype(np.float32),
        (first + (source - 0.5) / per_cell).astype(np.float32),
    )
