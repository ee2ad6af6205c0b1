# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Points and poses in another frame than the camera's, by what /tf and /tf_static tell."""

from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import Point
from geometry_msgs.msg import PointStamped
from geometry_msgs.msg import Pose
from geometry_msgs.msg import PoseStamped
from geometry_msgs.msg import Quaternion
from rclpy.node import Node
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from affordance_ros.nodes.grounding.frames import open_frames
from affordance_ros.spatial.frame_tree import FrameError
from affordance_ros.spatial.rigid import Rigid
from affordance_ros.spatial.rigid import product

# tf is broadcast at 50 Hz and more as a rule, so the transform of an image's stamp comes soon.
_WAIT_S = 0.05


class TransformError(ValueError):
    """A point can't be brought into the target frame.

    Attributes:
        cause: `FrameError`'s; empty where transforms can't be heard at all.
    """

    def __init__(self, message: str, cause: str = '') -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True)
class FrameChange:
    """The way from one frame into another.

    Attributes:
        header: The stamp and the frame that things are moved into.
        motion: From the places of the frame that they come from.
    """

    header: Header
    motion: Rigid

    def move_point(self, point: PointStamped) -> PointStamped:
        """Return a point in the new frame."""
        return PointStamped(header=self.header, point=_move_point(point.point, self.motion))

    def move_pose(self, pose: PoseStamped) -> PoseStamped:
        """Return a pose in the new frame."""
        return PoseStamped(header=self.header, pose=_move_pose(pose.pose, self.motion))

    def move_markers(self, markers: MarkerArray) -> MarkerArray:
        """Return markers in the new frame; they are moved themselves, not copied."""
        for marker in markers.markers:
            marker.header = self.header
            if marker.points:  # an arrow from one point to another, in the pose of no turn
                marker.points = [_move_point(p, self.motion) for p in marker.points]
            else:
                marker.pose = _move_pose(marker.pose, self.motion)
        return markers


class FrameTransformer:
    """Looks up how to get from the camera into the target frame, between `listen` and `stop`.

    Args:
        node: The node that listens to /tf and /tf_static.
        target_frame: Where points and poses go.

    Raises:
        TransformError: If transforms can't be heard here.
    """

    def __init__(self, node: Node, target_frame: str) -> None:
        try:
            self._frames = open_frames(node)
        except ImportError as error:
            raise TransformError(
                f'target_frame {target_frame!r} needs tf2_ros or tf2_msgs, and neither can be '
                f'imported ({error}): install ros-$ROS_DISTRO-tf2-ros-py, or leave target_frame '
                f'empty'
            ) from error
        self._target_frame = target_frame

    def listen(self) -> None:
        """Subscribe to transforms."""
        self._frames.listen()

    def stop(self) -> None:
        """Unsubscribe and forget what was heard."""
        self._frames.stop()

    def look_up(self, header: Header) -> FrameChange:
        """Return the way from an image's frame into the target frame, at the image's stamp.

        Waits a moment at most; not to be called by a callback, since those bring the transforms.

        Raises:
            TransformError: If there is no such transform.
        """
        # tf2 refuses names with tf1's leading slash, which some drivers still send.
        target = self._target_frame.removeprefix('/')
        source = header.frame_id.removeprefix('/')
        try:
            found = self._frames.look_up(target, source, header.stamp, wait_s=_WAIT_S)
        except FrameError as error:
            raise TransformError(
                f'there is no transform from {source!r} to target_frame {target!r} at the '
                f"image's stamp: {error}",
                error.cause,
            ) from error
        return FrameChange(Header(stamp=header.stamp, frame_id=target), found)


def _move_point(point: Point, motion: Rigid) -> Point:
    x, y, z = motion.apply([point.x, point.y, point.z]).tolist()
    return Point(x=x, y=y, z=z)


def _move_pose(pose: Pose, motion: Rigid) -> Pose:
    own = pose.orientation
    x, y, z, w = product(motion.turn, np.array([own.x, own.y, own.z, own.w])).tolist()
    turn = Quaternion(x=x, y=y, z=z, w=w)
    return Pose(position=_move_point(pose.position, motion), orientation=turn)
