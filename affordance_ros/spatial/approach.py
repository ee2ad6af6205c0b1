# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""From a surface's normal to the orientation in which a gripper would come to it."""

import numpy as np
from numpy.typing import NDArray


def approach_quaternion(normal: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Turn a surface normal into a grasp frame's orientation.

    +x points into the surface, the approach of GPD's grasp frames; +y lies as level in the image
    as that allows, the axis along which its fingers close; +z makes it right-handed. The turn
    about x is a free choice, which a planner may change.

    Args:
        normal: (3,) unit normal, out of the surface, in the optical frame.

    Returns:
        x, y, z, w of the unit quaternion, w >= 0.
    """
    approach = -np.asarray(normal, np.float64)
    up = np.array([0.0, -1.0, 0.0])
    if abs(approach @ up) > 0.99:  # looking along up: the camera's forward takes its place
        up = np.array([0.0, 0.0, 1.0])
    side = np.cross(up, approach)
    side /= np.linalg.norm(side)
    return _quaternion(np.column_stack([approach, side, np.cross(approach, side)]))


def _quaternion(rotation: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return x, y, z, w of a rotation matrix, exact at half turns too.

    It is the eigenvector of the greatest eigenvalue of a symmetric matrix: Bar-Itzhack, New method
    for extracting the quaternion from a rotation matrix, 2000.
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    lower = np.array(
        [
            [xx - yy - zz, 0.0, 0.0, 0.0],
            [yx + xy, yy - xx - zz, 0.0, 0.0],
            [zx + xz, zy + yz, zz - xx - yy, 0.0],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    vector = np.linalg.eigh(lower)[1][:, -1]  # eigh reads the lower triangle alone
    x, y, z, w = (vector if vector[3] >= 0 else -vector).tolist()
    return x, y, z, w
