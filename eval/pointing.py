# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The pointing game: does the best target lie on the thing to act on?"""

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.targets.refine import Quadratics
from affordance_ros.targets.refine import neighbours


def points_at(heatmap: NDArray[np.float32], gt_uint8: NDArray[np.uint8]) -> bool | None:
    """Tell whether a map's best target lies where the truth exceeds half its maximum.

    The target is the highest peak, of a level top the middle, refined below a pixel.

    Args:
        heatmap: (H, W) float32.
        gt_uint8: (H', W') uint8; pixel centres are at integers, so a target's x becomes
            (x + 0.5) * W' / W - 0.5.

    Returns:
        None if the truth is all zero; False if the map is constant and so points nowhere.
    """
    if not gt_uint8.any():
        return None
    if heatmap.min() == heatmap.max():
        return False
    top_x, top_y = _top(heatmap)
    scale_y, scale_x = (g / h for g, h in zip(gt_uint8.shape, heatmap.shape, strict=True))
    x = int(np.clip(round((top_x + 0.5) * scale_x - 0.5), 0, gt_uint8.shape[1] - 1))
    y = int(np.clip(round((top_y + 0.5) * scale_y - 0.5), 0, gt_uint8.shape[0] - 1))
    return bool(2 * int(gt_uint8[y, x]) > int(gt_uint8.max()))


def _top(heatmap: NDArray[np.float32]) -> tuple[float, float]:
    """Return column and row of a map's highest peak."""
    tops = heatmap == heatmap.max()
    _, labels = cv2.connectedComponents(tops.astype(np.uint8), connectivity=8)
    rows, columns = np.nonzero(labels == labels[tops][0])
    middle = int(np.hypot(rows - rows.mean(), columns - columns.mean()).argmin())
    place = rows[middle : middle + 1], columns[middle : middle + 1]
    near = neighbours(heatmap[None], np.zeros(1, np.int64), *place)
    ((step_x, step_y),) = Quadratics(near).tops().tolist()
    return float(place[1][0]) + step_x, float(place[0][0]) + step_y
