# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Activation maps as the model gives them, brought to the image's resolution where it is asked."""

from functools import cached_property
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.letterbox import Letterbox


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return heat in [0, 1]."""
    # Clipped where float32's exp would overflow; the sigmoid is 0 or 1 to the last digit there.
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -80.0, 80.0))), np.float32)


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
        restored = self.box.restore(self.logits)
        height, width = self.logits.shape
        rows, columns = level_ends(self.box, (height, width))
        # Level by their formula; rounding made them ragged, and a peak on them has no middle then.
        restored[: rows[0]], restored[-1 - rows[1] :] = restored[rows[0]], restored[-1 - rows[1]]
        restored[:, : columns[0]] = restored[:, columns[0], None]
        restored[:, -1 - columns[1] :] = restored[:, -1 - columns[1], None]
        return restored


@lru_cache(maxsize=32)
def restoring_weights(
    box: Letterbox, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return `box.restore` as weights: the restored map is `rows @ logits @ columns.T`.

    Args:
        box: How the image lies on the canvas.
        size: (h, w) of the logits.

    Returns:
        (H, h) and (W, w) float32.
    """
    rows, columns = (
        linear_weights(source, inner) @ linear_weights(canvas, small)[window]
        for source, inner, canvas, small, window in zip(
            box.source, box.inner, box.canvas, size, box.window, strict=True
        )
    )
    return rows.astype(np.float32), columns.astype(np.float32)


@lru_cache(maxsize=32)
def level_ends(box: Letterbox, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many rows and columns of a restored map repeat those at their ends.

    Beyond the outermost points of a map, bilinear interpolation has nothing to look at but them.

    Args:
        box: How the image lies on the canvas.
        size: (h, w) of the logits.

    Returns:
        For rows and for columns: how many pixels at the first end, and how many at the last end,
        equal the next one towards the middle.
    """
    rows, columns = (_level_ends(weights) for weights in restoring_weights(box, size))
    return rows, columns


def _level_ends(weights: NDArray[np.float32]) -> tuple[int, int]:
    counts = []
    for towards_middle in (weights, weights[::-1]):
        same = np.isclose(towards_middle, towards_middle[0], rtol=0.0, atol=1e-6).all(axis=1)
        run = len(weights) if same.all() else int(same.argmin())
        counts.append(run - 1)
    first, last = counts
    return (first, 0) if first == len(weights) - 1 else (first, last)


def linear_weights(to: int, length: int) -> NDArray[np.float64]:
    """Return the weights of cv2.INTER_LINEAR from one length to another, (to, length)."""
    places = np.clip((np.arange(to) + 0.5) * length / to - 0.5, 0, length - 1)
    low = np.minimum(places.astype(int), max(length - 2, 0))
    weights = np.zeros((to, length))
    weights[np.arange(to), low] = 1 - (places - low)
    if length > 1:
        weights[np.arange(to), low + 1] = places - low
    return weights
