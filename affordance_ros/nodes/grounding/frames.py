# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Where one frame lies in another at a moment, by /tf and /tf_static.

tf2_ros's buffer and listener, as any ROS node has them. Where tf2_ros is not installed (ROS 2 from
wheels has none), a listener over the package's own frame tree, which answers alike.
"""

import threading
import time
from typing import Any
from typing import Protocol

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Transform
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from rclpy.time import Time as RclpyTime

from affordance_ros.spatial.frame_tree import FrameError
from affordance_ros.spatial.frame_tree import FrameTree
from affordance_ros.spatial.rigid import Rigid
from affordance_ros.spatial.stamp_cache import to_ns

# As tf2_ros's listener has them.
_MOVING_QOS = QoSProfile(depth=100)
_STATIC_QOS = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_TURN_TOLERANCE = 1e-2  # of the squared length, as tf2's QUATERNION_NORMALIZATION_TOLERANCE


class Frames(Protocol):
    """Hears of transforms between `listen` and `stop`."""

    def listen(self) -> None:
        """Subscribe to transforms."""

    def stop(self) -> None:
        """Unsubscribe and forget what was heard."""

    def look_up(self, target: str, source: str, stamp: Time, *, wait_s: float) -> Rigid:
        """Return where the frame `source` lies in `target` at a stamp, waiting if need be.

        Raises:
            FrameError: If that is not known.
        """


def open_frames(node: Node) -> Frames:
    """Return what hears of transforms here: tf2_ros, or else the package's own.

    Raises:
        ImportError: If tf2_msgs is not installed either.
    """
    try:
        return Tf2Frames(node)
    except ImportError:
        return OwnFrames(node)


class Tf2Frames:
    """Transforms by tf2_ros.

    Args:
        node: The node that listens.
    """

    def __init__(self, node: Node) -> None:
        import tf2_ros

        self._tf2 = tf2_ros
        self._node = node
        self._buffer, self._listener = tf2_ros.Buffer(), None

    def listen(self) -> None:
        """Subscribe to transforms."""
        self._listener = self._tf2.TransformListener(self._buffer, self._node)

    def stop(self) -> None:
        """Unsubscribe and forget what was heard."""
        if self._listener is not None:
            self._listener.unregister()
        self._buffer, self._listener = self._tf2.Buffer(), None

    def look_up(self, target: str, source: str, stamp: Time, *, wait_s: float) -> Rigid:
        """Return where a frame lies in another."""
        try:
            found = self._buffer.lookup_transform(
                target, source, RclpyTime.from_msg(stamp), Duration(seconds=wait_s)
            )
        except self._tf2.ExtrapolationException as error:
            raise FrameError('too old', str(error)) from error
        except self._tf2.ConnectivityException as error:
            raise FrameError('unconnected', str(error)) from error
        except self._tf2.TransformException as error:
            raise FrameError('unknown', str(error)) from error
        motion = _to_rigid(found.transform)
        if motion is None:  # tf2 takes none that is not a motion
            raise FrameError('unknown', f'{source!r} in {target!r} is not a rigid motion')
        return motion


class OwnFrames:
    """Transforms by the package's own frame tree.

    Args:
        node: The node that listens.

    Raises:
        ImportError: If tf2_msgs is not installed.
    """

    def __init__(self, node: Node) -> None:
        from tf2_msgs.msg import TFMessage  # needed for a target frame alone

        self._message_type = TFMessage
        self._node = node
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

    def look_up(self, target: str, source: str, stamp: Time, *, wait_s: float) -> Rigid:
        """Return where a frame lies in another."""
        deadline = time.monotonic() + wait_s
        with self._heard:
            while True:
                try:
                    return self._tree.look_up(target, source, to_ns(stamp))
                except FrameError:
                    left_s = deadline - time.monotonic()
                    if left_s <= 0 or not self._heard.wait(left_s):
                        raise

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
