# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Regions of a frame that words can name: objects, parts of objects, and unions of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.catalogue import Catalogue
from affordance_ros_tabletop.frame import Frame

MIN_PART_PX = 15


def region(
    frame: Frame, owners: Iterable[int], part_value: int | None = None
) -> NDArray[np.bool_]:
    """Return the (H, W) mask of some objects, or of one part of each.

    Args:
        frame: the scene.
        owners: indices into `frame.objects`.
        part_value: value in the part mask, or None for the whole objects.
    """
    mask = np.isin(frame.instance, [k + 1 for k in owners])
    return mask if part_value is None else mask & (frame.part == part_value)


def visible_parts(frame: Frame, catalogue: Catalogue, owner: int) -> list[str]:
    """Return the named parts of an object of which enough is visible."""
    inside = frame.part[frame.instance == owner + 1]
    counts = np.bincount(inside, minlength=len(catalogue.parts) + 1)
    names = catalogue.types[frame.objects[owner].noun].parts
    return [p for p in names if counts[catalogue.part_value(p)] >= MIN_PART_PX]


def box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return x, y, width, height of a mask in pixels; all zero for an empty one."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return 0, 0, 0, 0
    return (
        int(columns[0]),
        int(rows[0]),
        int(columns[-1] - columns[0] + 1),
        int(rows[-1] - rows[0] + 1),
    )
