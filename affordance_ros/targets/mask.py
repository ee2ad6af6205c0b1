# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The label image of an answer: which pixels belong to which target."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from affordance_ros.targets.target import Target

MAX_LABELS = 254  # in 8 bits; vision_msgs keeps 255 for what has no label


def draw_mask(targets: Sequence[Target], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw the targets' regions.

    Args:
        targets: Best first; those after the 254th have no label.
        size: (height, width) of the image in pixels.

    Returns:
        (H, W) uint8, k where the k-th target is, counted from 1, and 0 elsewhere. Where a better
        target's region covers another's, it is the better one's.
    """
    mask = np.zeros(size, np.uint8)
    for label, target in reversed(list(enumerate(targets[:MAX_LABELS], start=1))):
        if target.region is not None:
            mask[target.region.bbox.slices][target.region.mask] = label
    return mask
