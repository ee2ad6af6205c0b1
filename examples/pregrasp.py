# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""From the best target to a pre-grasp pose: where a gripper waits before it goes in.

    python examples/pregrasp.py --ros-args -p standoff_m:=0.12 -p tool_axis:=z

Hears `grounding/targets` and `grounding/target_pose`, publishes `~/pose` (PoseStamped, in the
frame of what it heard), which MoveIt takes as it is:

    move_group.set_pose_target(pose); move_group.plan()

The way from there to the target is `standoff_m` along the tool's axis. The surface's direction is
a hint from one view: let the planner try some angles about the tool's axis and around it.
"""

import sys

import numpy as np
import rclpy
from geometry_msgs.msg import Point
from geometry_msgs.msg import PoseStamped
from geometry_msgs.msg import Quaternion
from numpy.typing import NDArray
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from std_msgs.msg import Header

from affordance_ros.msg import AffordanceTargetArray

Vector = NDArray[np.float64]

# Turns a tool whose own x axis is the way it goes in to one whose own x, y or z axis is.
_HALF = np.sqrt(0.5)
TOOL_TURNS = {
    'x': np.array([0.0, 0.0, 0.0, 1.0]),
    'y': np.array([0.0, 0.0, -_HALF, _HALF]),  # about z by -90 degrees: y goes where x was
    'z': np.array([0.0, _HALF, 0.0, _HALF]),  # about y by +90 degrees: z goes where x was
}


class PreGrasp(Node):
    """Publishes a pre-grasp pose for every frame whose best target has a 3D point.

    Parameters: `standoff_m` from the target to the pose; `min_score` of a target to act on;
    `tool_axis`, x, y or z, that points out of the gripper; `approach`, `surface` to go in along
    `target_pose` (whose x axis points into the surface), or `view` to go in along the line of
    sight, which needs `targets` alone.
    """

    def __init__(self) -> None:
        super().__init__('pregrasp')
        self._standoff_m = self.declare_parameter('standoff_m', 0.10).value
        self._min_score = self.declare_parameter('min_score', 0.5).value
        self._turn = TOOL_TURNS[self.declare_parameter('tool_axis', 'z').value]
        self._by_surface = self.declare_parameter('approach', 'surface').value == 'surface'
        self._targets: AffordanceTargetArray | None = None
        self._target_pose: PoseStamped | None = None
        self._publisher = self.create_publisher(PoseStamped, '~/pose', 10)
        subscribe = self.create_subscription
        subscribe(AffordanceTargetArray, 'grounding/targets', self._on_targets, 10)
        if self._by_surface:
            subscribe(PoseStamped, 'grounding/target_pose', self._on_target_pose, 10)

    def _on_targets(self, message: AffordanceTargetArray) -> None:
        best = message.targets[0] if message.targets else None
        if best is None or not best.has_point or best.score < self._min_score:
            return
        if self._by_surface:
            self._targets = message
            self._publish_if_paired()
            return
        point = to_array(best.point)
        self._publish(message.header, point, looking_along(point))

    def _on_target_pose(self, message: PoseStamped) -> None:
        self._target_pose = message
        self._publish_if_paired()

    def _publish_if_paired(self) -> None:
        """Publish once both messages of one frame are there, whichever comes first."""
        targets, pose = self._targets, self._target_pose
        if targets is None or pose is None or targets.header.stamp != pose.header.stamp:
            return
        self._targets = self._target_pose = None
        turn = pose.pose.orientation
        self._publish(
            pose.header,
            to_array(pose.pose.position),
            np.array([turn.x, turn.y, turn.z, turn.w]),
        )

    def _publish(self, header: Header, target: Vector, turn: Vector) -> None:
        pose = PoseStamped(header=header)
        x, y, z = target - self._standoff_m * rotate(turn, np.array([1.0, 0.0, 0.0]))
        pose.pose.position = Point(x=x, y=y, z=z)
        x, y, z, w = multiply(turn, self._turn)
        pose.pose.orientation = Quaternion(x=x, y=y, z=z, w=w)
        self._publisher.publish(pose)


def to_array(point: Point) -> Vector:
    """Return x, y, z."""
    return np.array([point.x, point.y, point.z])


def multiply(p: Vector, q: Vector) -> Vector:
    """Multiply two quaternions (x, y, z, w): first turn by q, then by p."""
    vector = p[3] * q[:3] + q[3] * p[:3] + np.cross(p[:3], q[:3])
    return np.array([*vector, p[3] * q[3] - p[:3] @ q[:3]])


def rotate(turn: Vector, vector: Vector) -> Vector:
    """Turn a vector (3,) by a unit quaternion (x, y, z, w)."""
    across = 2.0 * np.cross(turn[:3], vector)
    return vector + turn[3] * across + np.cross(turn[:3], across)


def looking_along(point: Vector) -> Vector:
    """Return the shortest turn, as (x, y, z, w), of the x axis to the line of sight to a point.

    A camera sees nothing behind itself, so in its optical frame (z ahead) this is never the turn
    by 180 degrees that has no shortest axis.
    """
    direction = point / np.linalg.norm(point)
    turn = np.array([*np.cross([1.0, 0.0, 0.0], direction), 1.0 + direction[0]])
    return turn / np.linalg.norm(turn)


def main() -> None:
    """Spin the node until Ctrl-C."""
    rclpy.init(args=sys.argv)
    node = PreGrasp()
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
