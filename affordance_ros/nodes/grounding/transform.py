# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Points and poses in another frame than the camera's, by what /tf and /tf_static tell."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from geometry_msgs.msg import Point
from geometry_msgs.msg import PointStamped
from geometry_msgs.msg import Pose
from geometry_msgs.msg import PoseStamped
from geometry_msgs.msg import Quaternion
from geometry_msgs.msg import Transform
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from affordance_ros.spatial.frame_tree import FrameError
from affordance_ros.spatial.frame_tree import FrameTree
from affordance_ros.spatial.rigid import Rigid
from affordance_ros.spatial.rigid import product
from affordance_ros.spatial.stamp_cache import to_ns

# tf is broadcast at 50 Hz and more as a rule, so the transform of an image's stamp comes soon.
_WAIT_S = 0.05
# As tf2_ros's listener has them.
_MOVING_QOS = QoSProfile(depth=100)
_STATIC_QOS = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_TURN_TOLERANCE = 1e-2  # of the squared length, as tf2's QUATERNION_NORMALIZATION_TOLERANCE


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
        TransformError: If tf2_msgs is not installed.
    """

    def __init__(self, node: Node, target_frame: str) -> None:
        try:
            from tf2_msgs.msg import TFMessage  # needed for a target frame alone
        except ImportError as error:
            raise TransformError(
                f'target_frame {target_frame!r} needs tf2_msgs, which can not be imported '
                f'({error}): install ros-$ROS_DISTRO-tf2-msgs, or leave target_frame empty'
            ) from error
        self._message_type = TFMessage
        self._node = node
        self._target_frame = target_frame
        self._tree = FrameTree()
        self._heard = threading.Condition()  # callbacks tell, the worker looks up
        self._subscriptions: list[Subscription] = []

    def listen(self) -> None:
        """Subscribe to transforms."""
        for topic, qos, callback in (
            ('/tf', _MOVING_QOS, self._on_moving),
            ('/tf_static', _STATIC_QOS, self._on_static),
        ):
            self._subscriptions.append(
                self._node.create_subscription(
                    self._message_type,
                    topic,
                    callback,
                    qos,
                    callback_group=MutuallyExclusiveCallbackGroup(),
                )
            )

    def stop(self) -> None:
        """Unsubscribe and forget what was heard."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()
        with self._heard:
            self._tree.clear()

    def look_up(self, header: Header) -> FrameChange:
        """Return the way from an image's frame into the target frame, at the image's stamp.

        Waits a moment at most; not to be called by a callback, since those bring the transforms.

        Raises:
            TransformError: If there is no such transform.
        """
        deadline = time.monotonic() + _WAIT_S
        with self._heard:
            while True:
                try:
                    found = self._tree.look_up(
                        self._target_frame, header.frame_id, to_ns(header.stamp)
                    )
                    break
                except FrameError as error:
                    left_s = deadline - time.monotonic()
                    if left_s <= 0 or not self._heard.wait(left_s):
                        raise TransformError(
                            f'there is no transform from {header.frame_id!r} to target_frame '
                            f"{self._target_frame!r} at the image's stamp: {error}",
                            error.cause,
                        ) from error
        target = Header(stamp=header.stamp, frame_id=self._target_frame)
        return FrameChange(target, found)

    def _on_moving(self, message: Any) -> None:
        self._add(message, static=False)

    def _on_static(self, message: Any) -> None:
        self._add(message, static=True)

    def _add(self, message: Any, *, static: bool) -> None:
        with self._heard:
            for one in message.transforms:
                child, parent = one.child_frame_id, one.header.frame_id
                motion = _to_rigid(one.transform)
                if motion is None or child == parent:
                    self._node.get_logger().warning(
                        f'a transform of frame {child!r} in {parent!r} is ignored: it must be '
                        f'finite, turn by a unit quaternion, and be of two frames',
                        throttle_duration_sec=10.0,
                    )
                    continue
                stamp_ns = None if static else to_ns(one.header.stamp)
                self._tree.add(child, parent, motion, stamp_ns=stamp_ns)
            self._heard.notify_all()


def _to_rigid(transform: Transform) -> Rigid | None:
    """Return the motion of a transform; None where it is none."""
    shift, turn = transform.translation, transform.rotation
    numbers = np.array([turn.x, turn.y, turn.z, turn.w])
    place = np.array([shift.x, shift.y, shift.z])
    square = float(numbers @ numbers)
    if not np.isfinite(place).all() or not abs(square - 1.0) < _TURN_TOLERANCE:
        return None
    return Rigid(numbers / np.sqrt(square), place)


def _move_point(point: Point, motion: Rigid) -> Point:
    x, y, z = motion.apply([point.x, point.y, point.z]).tolist()
    return Point(x=x, y=y, z=z)


def _move_pose(pose: Pose, motion: Rigid) -> Pose:
    own = pose.orientation
    x, y, z, w = product(motion.turn, np.array([own.x, own.y, own.z, own.w])).tolist()
    turn = Quaternion(x=x, y=y, z=z, w=w)
    return Pose(position=_move_point(pose.position, motion), orientation=turn)
