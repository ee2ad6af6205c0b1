# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Affordance heatmaps: visible points, each a Gaussian, as AGD20K's were made of clicks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.catalogue import Catalogue
from affordance_ros_tabletop.frame import Frame

# Least standard deviation of a point's Gaussian, as a share of the image's shorter side.
SIGMA_SHARE = 6.0 / 224
# On a thing seen so close that its points lie apart, the Gaussians grow with their spacing.
SIGMA_PER_SPACING = 0.75
# An object counts as affording an action in an image if so many of its points are seen.
MIN_POINTS = 3


@dataclass(frozen=True)
class Affordance:
    """One action in one image.

    Attributes:
        action: AGD20K's name of it.
        owners: indices of the objects that visibly afford it.
        noun: the type that shows the most of its points.
        nouns: the types of all owners.
        heatmap: (H, W) float32 in 0..1 with a maximum of 1.
    """

    action: str
    owners: tuple[int, ...]
    noun: str
    nouns: frozenset[str]
    heatmap: NDArray[np.float32]


def splat(
    pixels: NDArray[np.float32], shape: tuple[int, int], least_sigma: float
) -> NDArray[np.float32]:
    """Sum Gaussians at points, wide enough to run into each other.

    Args:
        pixels: (P, 2) x, y.
        shape: H, W of the result.
        least_sigma: standard deviation in pixels; where the points lie apart it is
            `SIGMA_PER_SPACING` of their usual distance to their nearest neighbour.

    Returns:
        (H, W) float32 with a maximum of 1.
    """
    apart = np.linalg.norm(pixels[:, None] - pixels[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    spacing = float(np.median(apart.min(1))) if len(pixels) > 1 else 0.0
    sigma = max(least_sigma, SIGMA_PER_SPACING * spacing)
    height, width = shape
    down = np.exp(-((np.arange(height)[None] - pixels[:, 1:]) ** 2) / (2 * sigma**2))
    along = np.exp(-((np.arange(width)[None] - pixels[:, :1]) ** 2) / (2 * sigma**2))
    total = down.T @ along
    return (total / total.max()).astype(np.float32)


def affordances(frame: Frame, catalogue: Catalogue) -> list[Affordance]:
    """Return the actions that an image visibly affords, in the catalogue's order."""
    points, result = frame.points, []
    height, width = frame.depth.shape
    for index, action in enumerate(catalogue.actions):
        mine = points.visible & (points.action == index)
        numbers = np.bincount(points.owner[mine], minlength=len(frame.objects))
        owners = tuple(int(k) for k in np.flatnonzero(numbers >= MIN_POINTS))
        if not owners:
            continue
        # Every object that affords the action peaks at 1, near or far, however many its points.
        maps = [
            splat(
                points.pixel[mine & (points.owner == k)],
                (height, width),
                SIGMA_SHARE * min(height, width),
            )
            for k in owners
        ]
        result.append(
            Affordance(
                action,
                owners,
                frame.objects[int(numbers.argmax())].noun,
                frozenset(frame.objects[k].noun for k in owners),
                np.maximum.reduce(maps),
            )
        )
    return result
