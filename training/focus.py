# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which region of an image an augmented crop is drawn around."""

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros_training.augment import Rectangle
from affordance_ros_training.refer_cache import ReferImage

_MIN_SHARE = 0.2  # of the largest piece of a region, for a piece to be a thing of its own
_MIN_COVERED = 0.8  # of a part's pixels, for a region to be the thing that it is a part of


def draw_focus(image: ReferImage, rng: np.random.Generator) -> Rectangle | None:
    """Draw a region of an image, and return the box of one connected piece of it.

    A region that another region of its category covers is a part, as a handle is of a cup: the
    crop is then drawn around the whole.

    Args:
        image: With its referrals.
        rng: The source of chance.

    Returns:
        The box in whole pixels, or None if nothing is referred to.
    """
    masks = [(referral, image.mask(referral)) for referral in image.referrals]
    present = [(referral, mask) for referral, mask in masks if mask.any()]
    if not present:
        return None
    chosen, mask = present[int(rng.integers(len(present)))]
    piece = _piece(mask, rng)
    wholes = [
        other
        for referral, other in present
        if referral.categories == chosen.categories
        and other.sum() > mask.sum()
        and other[piece].mean() >= _MIN_COVERED
    ]
    if wholes:
        piece = _around(min(wholes, key=lambda other: int(other.sum())), piece)
    return Rectangle(*cv2.boundingRect(piece.astype(np.uint8)))


def _piece(mask: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.bool_]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = 1 + np.flatnonzero(areas >= _MIN_SHARE * areas.max())
    return np.asarray(labels == large[rng.integers(len(large))])


def _around(mask: NDArray[np.uint8], piece: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the connected piece of a mask that holds most of another piece."""
    labels = cv2.connectedComponents(mask)[1]
    inside = labels[piece]
    return np.asarray(labels == np.bincount(inside[inside > 0]).argmax())
