# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets with and without points, and messages of them as something else reads them."""

import numpy as np

from affordance_ros.spatial.extent import Extent
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.located import LocatedTarget
from affordance_ros.targets.target import Target
from tests.support.drawn_targets import target_of

SIZE = (24, 32)
POINTS = [
    SurfacePoint(np.array([0.1, -0.2, 0.7]), np.array([0.0, 0.0, -1.0])),
    NoPoint('hole'),
    SurfacePoint(np.array([0.0, 0.1, 0.5]), None),
]
MASK = np.zeros(SIZE, bool)
MASK[1:4, 2:7] = True
EXTENT = Extent(np.array([0.0, 0.0, 0.72]), np.array([0.1, 0.2, 0.03]), 0.71, 0.012)
LOCATED = [
    LocatedTarget(target_of(3, 2, MASK, 0.9, track_id=4), POINTS[0], EXTENT),
    LocatedTarget(target_of(3, 2, MASK, 0.65, track_id=5), POINTS[1]),
    LocatedTarget(Target(6.0, 4.0, 0.4), POINTS[2]),
]


def through_rosbags(message, name, types=None):
    """Serialise by rclpy and read with rosbags, which has no code in common with it."""
    from rclpy.serialization import serialize_message
    from rosbags.typesys import Stores
    from rosbags.typesys import get_typestore

    store = get_typestore(Stores.ROS2_KILTED)
    store.register(types or {})
    return store.deserialize_cdr(serialize_message(message), name)
