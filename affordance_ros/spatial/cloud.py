# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A point cloud that carries the heatmap: x, y, z and heat, laid out as readers expect it.

Four float32 without a gap, 16 bytes a point. sensor_msgs_py reads fields by their offsets (its
older versions only where no byte is left between points), PCL matches them by name and type; 16
bytes keep every point aligned.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.region_mask import mask_of_depth
from affordance_ros.targets.region import Region

# Name and offset in bytes; each is one float32 (sensor_msgs/PointField FLOAT32).
FIELDS = (('x', 0), ('y', 4), ('z', 8), ('heat', 12))
POINT_STEP = 16


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points in the camera's optical frame.

    Attributes:
        points: (height, width, 4) float32 in this machine's byte order: x, y, z in metres, heat in
            [0, 1]. Height is 1 where the cloud is not organised.
        is_dense: Whether every point is valid; in an organised cloud x, y and z are NaN where
            depth is unknown or the heat is below the threshold.
    """

    points: NDArray[np.float32]
    is_dense: bool


def make_cloud(
    heatmap: NDArray[np.float32],
    *,
    depth: DepthImage,
    pinhole: Pinhole,
    min_heat: float = 0.0,
    region: Region | None = None,
    organised: bool = True,
) -> Cloud:
    """Lift a heatmap onto the scene.

    Args:
        heatmap: (H, W) float32 in [0, 1].
        depth: Depth registered to the image, of its size or of the same aspect ratio. The cloud
            has the depth's resolution: heat is interpolated, depth never.
        pinhole: The image's.
        min_heat: Points with less heat are left out; 0 keeps the whole scene.
        region: The pixels to take; None takes all.
        organised: Whether the cloud keeps the image's rows and columns, with NaN for what is left
            out; else it has the valid points alone, row by row.

    Raises:
        PinholeError: If the aspect ratios of depth and image differ.
    """
    grid = pinhole.resized(depth.size)
    height, width = depth.size
    heat = heatmap
    if heatmap.shape != depth.size:
        heat = np.asarray(cv2.resize(heatmap, (width, height), interpolation=cv2.INTER_LINEAR))
    z = depth.metres()
    if min_heat > 0:
        z[heat < min_heat] = np.nan
    if region is not None:
        wanted = mask_of_depth(
            region,
            np.arange(height),
            np.arange(width),
            depth_size=depth.size,
            image_size=pinhole.size,
        )
        z[~wanted] = np.nan
    points = np.empty((height, width, 4), np.float32)
    points[..., 0] = z * ((np.arange(width) - grid.cx) / grid.fx).astype(np.float32)
    points[..., 1] = z * ((np.arange(height) - grid.cy) / grid.fy).astype(np.float32)[:, None]
    points[..., 2] = z
    points[..., 3] = heat
    valid = np.isfinite(z)
    if organised:
        return Cloud(points, bool(valid.all()))
    # By index: ten times faster than by mask.
    return Cloud(points.reshape(-1, 4).take(np.flatnonzero(valid), axis=0)[None], True)
