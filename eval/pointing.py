# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The pointing game: does the best target lie on the thing to act on?"""

import numpy as np
from numpy.typing import NDArray

from affordance_ros.targets.peaks import find_targets


def points_at(heatmap: NDArray[np.float32], gt_uint8: NDArray[np.uint8]) -> bool | None:
    """Tell whether a map's best target lies where the truth exceeds half its maximum.

    The target is the node's: the highest peak, refined below a pixel, whatever its score.

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
    best = find_targets(
        heatmap, min_score=float(heatmap.max()), min_distance_px=0.0, max_targets=1
    )[0]
    scale_y, scale_x = (g / h for g, h in zip(gt_uint8.shape, heatmap.shape, strict=True))
    x = int(np.clip(round((best.x + 0.5) * scale_x - 0.5), 0, gt_uint8.shape[1] - 1))
    y = int(np.clip(round((best.y + 0.5) * scale_y - 0.5), 0, gt_uint8.shape[0] - 1))
    return bool(2 * int(gt_uint8[y, x]) > int(gt_uint8.max()))
