# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Pinhole geometry: x right, y down, z forward; pixel centres at integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.meshes import Floats


def camera_matrix(width: int, height: int, fov_y_deg: float) -> Floats:
    """Return the (3, 3) intrinsics of a camera with square pixels and a centred axis."""
    focal = height / 2 / np.tan(np.deg2rad(fov_y_deg) / 2)
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])


def look_at(eye: Floats, target: Floats) -> Floats:
    """Return the (4, 4) pose (world from camera) of a camera at `eye` that sees `target`."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    pose[:3, 3] = eye
    return pose


def project(points: Floats, matrix: Floats, pose: Floats) -> tuple[Floats, Floats]:
    """Project (N, 3) world points.

    Returns:
        (N, 2) pixels x, y and (N,) depths in metres along the axis.
    """
    local = (points - pose[:3, 3]) @ pose[:3, :3]
    depth = local[:, 2]
    safe = np.where(np.abs(depth) < 1e-9, 1e-9, depth)
    pixels = local[:, :2] / safe[:, None] * [matrix[0, 0], matrix[1, 1]] + matrix[:2, 2]
    return pixels, depth


def unproject(depth: NDArray[np.float32], matrix: Floats, pose: Floats) -> Floats:
    """Return the (H, W, 3) world points of an (H, W) depth image in metres."""
    v, u = np.mgrid[: depth.shape[0], : depth.shape[1]]
    x = (u - matrix[0, 2]) / matrix[0, 0] * depth
    y = (v - matrix[1, 2]) / matrix[1, 1] * depth
    return np.stack([x, y, depth], -1) @ pose[:3, :3].T + pose[:3, 3]
