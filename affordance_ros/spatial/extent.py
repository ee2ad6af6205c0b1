# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How large and how far a target's region is in metres: its own surface, not what lies behind."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.lift import PointConfig
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.plane import connected_surface
from affordance_ros.spatial.region_mask import depth_window
from affordance_ros.spatial.region_mask import mask_of_depth
from affordance_ros.spatial.region_mask import to_depth
from affordance_ros.targets.target import Target

# A large region is read in steps: so many rows and columns tell its size well enough.
_MAX_SIDE = 64


@dataclass(frozen=True, eq=False)
class Extent:
    """A target's region in 3D, in the camera's optical frame.

    Attributes:
        centre: (3,) float64 metres, the middle of the smallest upright box around its surface.
        size: (3,) float64 metres, that box's sides along x, y and z.
        distance_m: The median depth of its surface, along the optical axis.
        area_m2: The area of its surface as seen from the camera, that is, of its projection.
    """

    centre: NDArray[np.float64]
    size: NDArray[np.float64]
    distance_m: float
    area_m2: float


def measure(
    target: Target, *, depth: DepthImage, pinhole: Pinhole, config: PointConfig | None = None
) -> Extent | None:
    """Measure a target's region.

    Of its pixels those count from which the target's own is reached in steps that depth noise and
    a steep slope explain. So what shows beside a handle does not make it larger.

    Args:
        target: One of an image's.
        depth: Depth registered to the image, of its size or of the same aspect ratio.
        pinhole: The image's.
        config: How much noise there is.

    Returns:
        The extent; None where the target has no region or too little depth is known there.
    """
    if target.region is None:
        return None
    config = config or PointConfig()
    grid = pinhole.resized(depth.size)
    window = depth_window(target.region, depth_size=grid.size, image_size=pinhole.size)
    step = -(-max(cut.stop - cut.start for cut in window) // _MAX_SIDE)
    rows, columns = (np.arange(cut.start, cut.stop, step) for cut in window)
    z = depth.metres(*(slice(cut.start, cut.stop, step) for cut in window))
    inside = np.isfinite(z) & mask_of_depth(
        target.region, rows, columns, depth_size=grid.size, image_size=pinhole.size
    )
    if not inside.any():
        return None
    x, y = to_depth(target, depth_size=grid.size, image_size=pinhole.size)
    known = np.argwhere(inside)
    away = np.hypot(rows[known[:, 0]] - y, columns[known[:, 1]] - x)
    seed = tuple(known[away.argmin()].tolist())
    noise_m = config.noise_at(float(z[seed]))
    step_m = config.step_at(float(z[seed]), noise_m, step / grid.fx)
    surface = connected_surface(z, inside, seed, step_m=step_m)
    if np.count_nonzero(surface) < config.min_pixels:
        return None
    row, column = np.nonzero(surface)
    far = z[surface].astype(np.float64)
    points = grid.deproject(columns[column], rows[row], far)
    low, high = points.min(axis=0), points.max(axis=0)
    return Extent(
        centre=(low + high) / 2,
        size=high - low,
        distance_m=float(np.median(far)),
        area_m2=float((far**2).sum()) * step**2 / (grid.fx * grid.fy),
    )
