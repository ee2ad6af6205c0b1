# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which pixels of a depth image show a target's region, also where depth has another size."""

import numpy as np
from numpy.typing import NDArray

from affordance_ros.targets.region import Region
from affordance_ros.targets.target import Target


def mask_of_depth(
    region: Region,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    *,
    depth_size: tuple[int, int],
    image_size: tuple[int, int],
) -> NDArray[np.bool_]:
    """Look a region up at some rows and columns of the depth image.

    Args:
        region: Of the image.
        rows: (h,) rows of the depth image.
        columns: (w,) columns.
        depth_size: (height, width) of the depth image in pixels.
        image_size: (height, width) of the image.

    Returns:
        (h, w) bool: whether the image's pixel there belongs to the region.
    """
    picked, known = [], []
    for pixels, start, length, size, full in zip(
        (rows, columns),
        (region.bbox.y, region.bbox.x),
        region.mask.shape,
        depth_size,
        image_size,
        strict=True,
    ):
        # The pixel of the image whose area holds the middle of depth's.
        index = ((pixels + 0.5) * full / size).astype(np.int64) - start
        known.append((index >= 0) & (index < length))
        picked.append(np.clip(index, 0, length - 1))
    return np.asarray(region.mask[np.ix_(*picked)] & np.logical_and.outer(*known))


def depth_window(
    region: Region, *, depth_size: tuple[int, int], image_size: tuple[int, int]
) -> tuple[slice, slice]:
    """Return the rows and columns of the depth image that a region's box covers."""
    rows, columns = (
        slice(
            min(int((start + 0.5) * size / full), size - 1),
            min(int((start + count - 0.5) * size / full), size - 1) + 1,
        )
        for start, count, size, full in zip(
            (region.bbox.y, region.bbox.x),
            (region.bbox.height, region.bbox.width),
            depth_size,
            image_size,
            strict=True,
        )
    )
    return rows, columns


def to_depth(
    target: Target, *, depth_size: tuple[int, int], image_size: tuple[int, int]
) -> tuple[float, float]:
    """Return x and y of a target's place in pixels of the depth image."""
    (height, width), (image_height, image_width) = depth_size, image_size
    x = (target.x + 0.5) * width / image_width - 0.5
    return x, (target.y + 0.5) * height / image_height - 0.5
