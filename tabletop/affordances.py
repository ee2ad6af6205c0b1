"""Affordance heatmaps: visible points, each a Gaussian, as AGD20K's were made of clicks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tabletop.catalogue import Catalogue
from tabletop.frame import Frame

# Standard deviation of a point's Gaussian as a share of the picture's shorter side.
SIGMA_SHARE = 6.5 / 224
# An object counts as affording an action in a picture if so many of its points are seen.
MIN_POINTS = 3


@dataclass(frozen=True)
class Affordance:
    """One action in one picture.

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
    pixels: NDArray[np.float32], shape: tuple[int, int], sigma: float
) -> NDArray[np.float32]:
    """Sum Gaussians at (P, 2) pixels x, y on an (H, W) image, scaled to a maximum of 1."""
    height, width = shape
    down = np.exp(-((np.arange(height)[None] - pixels[:, 1:]) ** 2) / (2 * sigma**2))
    along = np.exp(-((np.arange(width)[None] - pixels[:, :1]) ** 2) / (2 * sigma**2))
    total = down.T @ along
    return (total / total.max()).astype(np.float32)


def affordances(frame: Frame, catalogue: Catalogue) -> list[Affordance]:
    """Return the actions that a picture visibly affords, in the catalogue's order."""
    points, result = frame.points, []
    for index, action in enumerate(catalogue.actions):
        mine = points.visible & (points.action == index)
        numbers = np.bincount(points.owner[mine], minlength=len(frame.objects))
        owners = tuple(int(k) for k in np.flatnonzero(numbers >= MIN_POINTS))
        if not owners:
            continue
        seen = mine & np.isin(points.owner, owners)
        sigma = SIGMA_SHARE * min(frame.depth.shape)
        height, width = frame.depth.shape
        result.append(Affordance(
            action, owners, frame.objects[int(numbers.argmax())].noun,
            frozenset(frame.objects[k].noun for k in owners),
            splat(points.pixel[seen], (height, width), sigma),
        ))
    return result
