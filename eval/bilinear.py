# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Bilinear resizing, by OpenCV and with torch's arithmetic in numpy.

`torch.nn.functional.interpolate(mode='bilinear', align_corners=False)` keeps scales and
coordinates in float32, where OpenCV keeps them in float64: on a noisy map the two differ by up to
5e-5 of its range. A protocol that was run in torch needs torch's.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

_Taps = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]


def resize_as_opencv(image: NDArray, height: int, width: int) -> NDArray:
    """Resize (H, W) to (height, width) by OpenCV, keeping the type."""
    if image.shape == (height, width):
        return image
    if image.min() == image.max():  # stays constant whatever the weights' last bits
        return np.full((height, width), image.flat[0])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR))


def resize_as_torch(
    image: NDArray[np.float32] | NDArray[np.uint8], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Resize a map as torch does: no corner alignment, no antialias.

    Args:
        image: (H, W) float32 or uint8.
        size: (height, width) wanted, in pixels.

    Returns:
        (height, width) float32.
    """
    if image.shape == size:
        return np.asarray(image, np.float32)
    above, below, down = _taps(image.shape[0], size[0])
    before, after, right = _taps(image.shape[1], size[1])
    # The four neighbours are gathered before any arithmetic, which then runs on `size` alone.
    upper, lower = image.take(above, axis=0), image.take(below, axis=0)  # (height, W)
    # Weights and sums in float64, rounded once: torch's own float32 sums scatter around this.
    down, up = down[:, None], 1.0 - down[:, None]
    left_side = upper.take(before, axis=1) * up + lower.take(before, axis=1) * down
    right_side = upper.take(after, axis=1) * up + lower.take(after, axis=1) * down
    left_side *= 1.0 - right
    right_side *= right
    left_side += right_side
    return np.asarray(left_side, np.float32)


def _taps(length: int, wanted: int) -> _Taps:
    """Return for each wanted pixel its two neighbours and the weight of the second."""
    scale = np.float32(length) / np.float32(wanted)
    # In float64 and rounded once, as torch's fused multiply and subtract does.
    exact = float(scale) * (np.arange(wanted) + 0.5) - 0.5
    place = np.maximum(exact, 0).astype(np.float32)
    first = np.minimum(place.astype(np.intp), length - 1)
    second = np.minimum(first + 1, length - 1)
    weight = np.clip(place - first.astype(np.float32), np.float32(0), np.float32(1))
    return first, second, weight.astype(np.float64)
