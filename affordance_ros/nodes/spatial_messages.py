# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""From points and clouds to ROS messages."""

import sys
from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Point
from geometry_msgs.msg import PointStamped
from geometry_msgs.msg import Pose
from geometry_msgs.msg import PoseStamped
from geometry_msgs.msg import Quaternion
from geometry_msgs.msg import Vector3
from numpy.typing import NDArray
from sensor_msgs.msg import PointCloud2
from sensor_msgs.msg import PointField
from std_msgs.msg import ColorRGBA
from std_msgs.msg import Header
from visualization_msgs.msg import Marker
from visualization_msgs.msg import MarkerArray

from affordance_ros.nodes.messages import byte_array
from affordance_ros.spatial.approach import approach_quaternion
from affordance_ros.spatial.cloud import FIELDS
from affordance_ros.spatial.cloud import POINT_STEP
from affordance_ros.spatial.cloud import Cloud
from affordance_ros.spatial.extent import Extent
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.located import LocatedTarget

_BEST, _OTHER = (0.1, 0.9, 0.2), (1.0, 0.6, 0.1)  # RGB
_SPHERE_M, _TEXT_M = 0.015, 0.02
_ARROW_M, _SHAFT_M, _HEAD_M = 0.08, 0.004, 0.01
_THINNEST_M = 0.001


def to_point(position: NDArray[np.float64], *, header: Header) -> PointStamped:
    """Make a geometry_msgs/PointStamped of (3,) metres in the header's frame."""
    return PointStamped(header=header, point=_point(position))


def to_pose(
    position: NDArray[np.float64], normal: NDArray[np.float64], *, header: Header
) -> PoseStamped:
    """Make the pose of a gripper that comes to a surface, at the point that it comes to.

    Args:
        position: (3,) metres in the header's frame, an optical one.
        normal: (3,) unit normal out of the surface. +x of the pose points against it, into the
            surface; see `approach_quaternion` for the other axes.
        header: The image's header.
    """
    x, y, z, w = approach_quaternion(normal)
    pose = Pose(position=_point(position), orientation=Quaternion(x=x, y=y, z=z, w=w))
    return PoseStamped(header=header, pose=pose)


def to_cloud(cloud: Cloud, *, header: Header) -> PointCloud2:
    """Make a sensor_msgs/PointCloud2 in this machine's byte order."""
    height, width = cloud.points.shape[:2]
    message = PointCloud2(header=header, height=height, width=width, is_dense=cloud.is_dense)
    message.fields = [
        PointField(name=name, offset=offset, datatype=PointField.FLOAT32, count=1)
        for name, offset in FIELDS
    ]
    message.is_bigendian = sys.byteorder == 'big'
    message.point_step, message.row_step = POINT_STEP, POINT_STEP * width
    message.data = byte_array(np.ascontiguousarray(cloud.points))
    return message


def to_markers(located: Sequence[LocatedTarget], command: str, *, header: Header) -> MarkerArray:
    """Draw targets for RViz: ball, approach, number and score, and the box around its surface.

    The first marker removes those of the frame before, so that none stays where nothing is.

    Args:
        located: The targets, best first; those without a point are left out.
        command: What they answer.
        header: The image's.
    """
    markers = [Marker(header=header, action=Marker.DELETEALL)]
    for rank, one in enumerate(located):
        if isinstance(one.point, NoPoint):
            continue
        caption = f'{command} {one.target.label}' if rank == 0 else one.target.label
        markers += _markers(one.point, one.extent, caption, header=header, rank=rank)
    return MarkerArray(markers=markers)


def _markers(
    point: SurfacePoint, extent: Extent | None, caption: str, *, header: Header, rank: int
) -> list[Marker]:
    red, green, blue = _OTHER if rank else _BEST
    colour = ColorRGBA(r=red, g=green, b=blue, a=0.9)

    def marker(namespace: str, kind: int, scale: tuple[float, float, float]) -> Marker:
        made = Marker(header=header, ns=namespace, id=rank, type=kind, action=Marker.ADD)
        made.scale = Vector3(x=scale[0], y=scale[1], z=scale[2])
        made.color = colour
        made.pose.orientation.w = 1.0
        return made

    ball = marker('targets', Marker.SPHERE, (_SPHERE_M,) * 3)
    ball.pose.position = _point(point.position)
    text = marker('scores', Marker.TEXT_VIEW_FACING, (0.0, 0.0, _TEXT_M))
    text.pose.position = _point(point.position - [0.0, 1.5 * _TEXT_M, 0.0])  # up in the image
    text.text = caption
    made = [ball, text]
    if point.normal is not None:
        arrow = marker('approach', Marker.ARROW, (_SHAFT_M, _HEAD_M, _HEAD_M))
        arrow.points = [_point(point.position + _ARROW_M * point.normal), _point(point.position)]
        made.append(arrow)
    if extent is not None:
        x, y, z = np.maximum(extent.size, _THINNEST_M).tolist()  # RViz warns of a side of 0
        box = marker('extents', Marker.CUBE, (x, y, z))
        box.pose.position = _point(extent.centre)
        box.color = ColorRGBA(r=red, g=green, b=blue, a=0.2)
        made.append(box)
    return made


def _point(position: NDArray[np.float64]) -> Point:
    x, y, z = position.tolist()
    return Point(x=x, y=y, z=z)
