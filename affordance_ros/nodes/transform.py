"""Points and poses in another frame than the camera's, by tf2."""

from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import Point
from geometry_msgs.msg import PointStamped
from geometry_msgs.msg import Pose
from geometry_msgs.msg import PoseStamped
from geometry_msgs.msg import Quaternion
from geometry_msgs.msg import Transform
from numpy.typing import NDArray
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

# tf is broadcast at 50 Hz and more as a rule, so the transform of an image's stamp comes soon.
_WAIT = Duration(seconds=0.05)


class TransformError(ValueError):
    """A point can't be brought into the target frame."""


@dataclass(frozen=True)
class FrameChange:
    """The way from one frame into another.

    Attributes:
        header: The stamp and the frame that things are moved into.
        transform: Of the frame that they come from, in that frame.
    """

    header: Header
    transform: Transform

    def move_point(self, point: PointStamped) -> PointStamped:
        """Return a point in the new frame."""
        return PointStamped(header=self.header, point=transform_point(point.point, self.transform))

    def move_pose(self, pose: PoseStamped) -> PoseStamped:
        """Return a pose in the new frame."""
        return PoseStamped(header=self.header, pose=transform_pose(pose.pose, self.transform))

    def move_markers(self, markers: MarkerArray) -> MarkerArray:
        """Return markers in the new frame; they are moved themselves, not copied."""
        for marker in markers.markers:
            marker.header = self.header
            if marker.points:  # an arrow from one point to another, in the pose of no turn
                marker.points = [transform_point(p, self.transform) for p in marker.points]
            else:
                marker.pose = transform_pose(marker.pose, self.transform)
        return markers


class FrameTransformer:
    """Looks up how to get from the camera into the target frame, between `listen` and `stop`.

    Args:
        node: The node that listens to /tf and /tf_static.
        target_frame: Where points and poses go.

    Raises:
        TransformError: If tf2_ros is not installed.
    """

    def __init__(self, node: Node, target_frame: str) -> None:
        try:
            import tf2_ros  # not everywhere, and needed for a target frame alone
        except ImportError as error:
            raise TransformError(
                f'target_frame {target_frame!r} needs tf2_ros, which can not be imported '
                f'({error}): install ros-$ROS_DISTRO-tf2-ros-py, or leave target_frame empty'
            ) from error
        self._tf2_ros = tf2_ros
        self._node = node
        self._target_frame = target_frame
        self._buffer = tf2_ros.Buffer()
        self._listener = None

    def listen(self) -> None:
        """Subscribe to transforms."""
        self._listener = self._tf2_ros.TransformListener(self._buffer, self._node)

    def stop(self) -> None:
        """Unsubscribe and forget what was heard."""
        if self._listener is not None:
            self._listener.unregister()
            self._listener = None
        self._buffer.clear()

    def look_up(self, header: Header) -> FrameChange:
        """Return the way from an image's frame into the target frame, at the image's stamp.

        Waits a moment at most; not to be called by a callback, since those bring the transforms.

        Raises:
            TransformError: If there is no such transform.
        """
        try:
            found = self._buffer.lookup_transform(
                self._target_frame, header.frame_id, Time.from_msg(header.stamp), timeout=_WAIT
            )
        # A stamp before the epoch is a ValueError of rclpy's Time.
        except (self._tf2_ros.TransformException, ValueError) as error:
            raise TransformError(
                f'there is no transform from {header.frame_id!r} to target_frame '
                f"{self._target_frame!r} at the image's stamp ({error})"
            ) from error
        target = Header(stamp=header.stamp, frame_id=self._target_frame)
        return FrameChange(target, found.transform)


def transform_point(point: Point, transform: Transform) -> Point:
    """Return R p + t: where a point lies in the transform's parent frame."""
    x, y, z = (_matrix(transform.rotation) @ [point.x, point.y, point.z]).tolist()
    shift = transform.translation
    return Point(x=x + shift.x, y=y + shift.y, z=z + shift.z)


def transform_pose(pose: Pose, transform: Transform) -> Pose:
    """Return a pose in the transform's parent frame."""
    p, q = transform.rotation, pose.orientation
    # Hamilton's product p q: first the pose's own turn, then the transform's.
    turn = Quaternion(
        x=p.w * q.x + p.x * q.w + p.y * q.z - p.z * q.y,
        y=p.w * q.y - p.x * q.z + p.y * q.w + p.z * q.x,
        z=p.w * q.z + p.x * q.y - p.y * q.x + p.z * q.w,
        w=p.w * q.w - p.x * q.x - p.y * q.y - p.z * q.z,
    )
    return Pose(position=transform_point(pose.position, transform), orientation=turn)


def _matrix(turn: Quaternion) -> NDArray[np.float64]:
    """Return the (3, 3) rotation matrix of a unit quaternion."""
    x, y, z, w = turn.x, turn.y, turn.z, turn.w
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
