# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How well a map and its best target answer one phrase, with a mask as truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.targets.target import Target
from affordance_ros_eval.metrics import evaluate_pair

SIDE = 224
MEASURES = ('kld', 'sim', 'nss', 'target_in_mask', 'maximum_in_mask', 'iou', 'iou_half_maximum')


@dataclass(frozen=True)
class MaskScore:
    """One phrase on one photo."""

    key: str
    image: str  # the photo's file name, for intervals: regions of one photo are not independent
    kind: str  # of the phrase
    text: str
    object: str
    part: str
    kld: float
    sim: float
    nss: float
    target_in_mask: float  # 1 if the best target lies in the mask
    maximum_in_mask: float  # 1 if the map's maximum does, on the map of SIDE pixels
    iou: float  # of the heat from the model's own threshold on
    iou_half_maximum: float  # of the heat from half its own maximum on
    score: float  # the best target's; 0 if there is none


def shrink_truth(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask on SIDE x SIDE pixels; a region too thin for half a pixel keeps its core."""
    share = cv2.resize(mask.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(share >= min(0.5, 0.5 * float(share.max())))


def shrink_map(heatmap: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a map on SIDE x SIDE pixels."""
    smaller = heatmap.shape[0] > SIDE
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(heatmap, (SIDE, SIDE), interpolation=method), np.float32)


def measure(
    heatmap: NDArray[np.float32],
    targets: Sequence[Target],
    mask: NDArray[np.bool_],
    *,
    threshold: float,
) -> dict[str, float]:
    """Score one map.

    KLD, SIM and NSS follow AGD20K's protocol `locate`, with the mask in place of the heatmap that
    people's points give there.

    Args:
        heatmap: (H, W) float32 in [0, 1].
        targets: Best first.
        mask: (H, W) bool, with at least one pixel.
        threshold: The model's own, from which a pixel belongs to the region.

    Returns:
        Values by the names of MEASURES, and 'score'.
    """
    small, truth = shrink_map(heatmap), shrink_truth(mask)
    scores = evaluate_pair(small, truth.astype(np.uint8) * np.uint8(255), protocol='locate')
    span = float(small.max() - small.min())
    scaled = (small - small.min()) / (span + 1e-10)
    return {
        **scores,
        'target_in_mask': float(bool(targets) and in_mask(targets[0], mask)),
        'maximum_in_mask': float(truth.flat[int(small.argmax())]),
        'iou': intersection_over_union(heatmap >= threshold, mask),
        'iou_half_maximum': intersection_over_union(scaled > 0.5, truth),
        'score': targets[0].score if targets else 0.0,
    }


def in_mask(target: Target, mask: NDArray[np.bool_]) -> bool:
    """Tell whether the pixel that a target lies on is in a mask, (H, W) bool."""
    height, width = mask.shape
    row = min(max(round(target.y), 0), height - 1)
    column = min(max(round(target.x), 0), width - 1)
    return bool(mask[row, column])


def intersection_over_union(found: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    """Return the IoU of two masks of one shape; 0 if both are empty."""
    union = int((found | mask).sum())
    return int((found & mask).sum()) / union if union else 0.0
