# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Rows or columns of an image and of its small maps: where a restored map can have its peaks."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.targets.activation import level_ends
from affordance_ros.targets.activation import restoring_weights

# Where points of the map are closer in the image, there is nothing to save.
_MIN_STEP_PX = 4.0
# The pixels around a point of the map depend on so many points before and behind it.
_REACH = 2


@dataclass(frozen=True)
class MapAxis:
    """One axis of an image and of its maps, the level pixels at either end taken as one.

    A peak lies near a line: the image's first pixel, a point of the map, the last pixel. There are
    L of them, and a patch of pixels around each.

    Attributes:
        length: Pixels of the image.
        ends: Level pixels that are left out at the first and at the last end.
        end_weights: (2, points) of the first and of the last pixel; see `restoring_weights`.
        inside: The points that lie inside the image.
        shares: (L - 1,) how far from one line to the next its peaks lie at most, in [0, 1].
        pixels: (L, a) the pixels of each patch.
        whole: (L, a) bool: whether a pixel's neighbours in the image are in the patch as well.
        points: (L, s) the points that the patch's pixels depend on.
        weights: (L, a, s) by how much.
    """

    length: int
    ends: tuple[int, int]
    end_weights: NDArray[np.float32]
    inside: slice
    shares: NDArray[np.float32]
    pixels: NDArray[np.int64]
    whole: NDArray[np.bool_]
    points: NDArray[np.int64]
    weights: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        weights: NDArray[np.float32],
        ends: tuple[int, int],
        inner: int,
        canvas: int,
        start: int,
    ) -> 'MapAxis | None':
        """Lay out an axis; None where its points are too close to each other.

        Args:
            weights: (pixels, points); see `restoring_weights`.
            ends: See `level_ends`.
            inner: The image's length on the canvas.
            canvas: The canvas's length.
            start: Pixels of the canvas before the image.
        """
        source, count = weights.shape
        scale = source / inner
        # From a point to the kinks of the canvas's pixels, and on to the next pixel of the image.
        farthest = 0.5 * scale + 1.0
        half = math.ceil(farthest) + 1
        # Two pixels alone have no middle one: those stay apart, as flat as they are.
        first, last = (number if number > 1 else 0 for number in ends)
        length = source - first - last
        if scale * canvas / count < _MIN_STEP_PX or length < 2 * half + 1:
            return None
        on_canvas = (np.arange(count) + 0.5) * canvas / count - 0.5
        places = (on_canvas - start + 0.5) * scale - 0.5 - first
        inside = np.flatnonzero((places > 0) & (places < length - 1))
        lines = np.array([0.0, *places[inside], length - 1.0])
        nearest = np.abs(places - lines[:, None]).argmin(axis=1)
        reach = min(2 * _REACH + 1, count)
        low = np.clip(nearest - _REACH, 0, count - reach)
        points = low[:, None] + np.arange(reach)
        lowest = np.clip(np.rint(lines).astype(np.int64) - half, 0, length - 2 * half - 1)
        pixels = lowest[:, None] + np.arange(2 * half + 1)
        whole = np.ones(pixels.shape, bool)
        whole[:, 0], whole[:, -1] = pixels[:, 0] == 0, pixels[:, -1] == length - 1
        own = weights[first : source - last]
        return cls(
            length=length,
            ends=(first, last),
            end_weights=own[[0, -1]],
            inside=slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0),
            shares=np.minimum(farthest / np.diff(lines), 1.0).astype(np.float32),
            pixels=pixels,
            whole=whole,
            points=points,
            weights=own[pixels[:, :, None], points[:, None]],
        )

    def along_lines(self, maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return maps (..., points) on the lines, (..., L)."""
        ends = maps @ self.end_weights.T
        return np.concatenate([ends[..., :1], maps[..., self.inside], ends[..., 1:]], axis=-1)

    def in_image(self, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return pixels of the image with all its level ones; of a level end the most central."""
        first, last = self.ends
        own = pixels + first
        own[pixels == 0] = first // 2
        own[pixels == self.length - 1] += last // 2
        return own


@lru_cache(maxsize=32)
def map_axes(box: Letterbox, size: tuple[int, int]) -> tuple[MapAxis, MapAxis] | None:
    """Lay out rows and columns; None where looking at the small map does not pay.

    Args:
        box: How the image lies on the canvas.
        size: (h, w) of the maps.
    """
    rows, columns = (
        MapAxis.of(*one)
        for one in zip(
            restoring_weights(box, size),
            level_ends(box, size),
            box.inner,
            box.canvas,
            (box.top, box.left),
            strict=True,
        )
    )
    return None if rows is None or columns is None else (rows, columns)
