# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets as vision_msgs detections, where vision_msgs is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geometry_msgs.msg import Point
from geometry_msgs.msg import Pose
from geometry_msgs.msg import Quaternion
from geometry_msgs.msg import Vector3
from rclpy.node import Node
from std_msgs.msg import Header

from affordance_ros.nodes.grounding.status import LATCHED
from affordance_ros.nodes.topics import advertise
from affordance_ros.spatial.detections import Detection
from affordance_ros.spatial.detections import detections_2d
from affordance_ros.spatial.detections import detections_3d
from affordance_ros.spatial.located import LocatedTarget
from affordance_ros.targets.mask import MAX_LABELS

try:
    from vision_msgs import msg as vision
except ImportError:  # a robot may do without: then there are no detections, and all else works
    vision = None


class DetectionOutputs:
    """The publishers of detections and label names, which last as long as the node.

    Args:
        node: The node to publish for.
    """

    def __init__(self, node: Node) -> None:
        self._labels_said: tuple[object, ...] = ()
        self._flat = self._solid = self._labels = None
        if vision is None:
            node.get_logger().info('no detections: vision_msgs is not installed')
            return
        self._flat = advertise(node, vision.Detection2DArray, '~/detections', 10)
        self._solid = advertise(node, vision.Detection3DArray, '~/detections_3d', 10)
        self._labels = node.create_publisher(vision.LabelInfo, '~/label_info', LATCHED)

    def publish_2d(
        self, located: Sequence[LocatedTarget], command: str, *, header: Header
    ) -> None:
        """Publish an image's targets with their boxes in pixels, if somebody listens."""
        if self._flat is not None and self._flat.get_subscription_count():
            self._flat.publish(to_detections_2d(located, command, header=header))

    def publish_3d(
        self, located: Sequence[LocatedTarget], command: str, *, header: Header
    ) -> None:
        """Publish the targets that have a point, with boxes in metres, if somebody listens."""
        if self._solid is not None and self._solid.get_subscription_count():
            self._solid.publish(to_detections_3d(located, command, header=header))

    def say_labels(
        self, command: str, *, max_targets: int, min_score: float, header: Header
    ) -> None:
        """Say what the values of ~/mask mean, when that has changed."""
        labels = (command, max_targets, min_score)
        if self._labels is None or labels == self._labels_said:
            return
        self._labels_said = labels
        message = vision.LabelInfo(header=header, threshold=min_score)
        message.class_map = [
            vision.VisionClass(class_id=number, class_name=command)
            for number in range(1, min(max_targets, MAX_LABELS) + 1)
        ]
        self._labels.publish(message)


def to_detections_2d(located: Sequence[LocatedTarget], command: str, *, header: Header) -> Any:
    """Make a vision_msgs/Detection2DArray: boxes and, as the results' poses, places in pixels."""
    detections = []
    for one in detections_2d(located):
        made = vision.Detection2D(header=header, id=one.id, results=[_hypothesis(one, command)])
        x, y, _ = one.centre
        made.bbox.center.position.x, made.bbox.center.position.y = x, y
        made.bbox.size_x, made.bbox.size_y, _ = one.size
        detections.append(made)
    return vision.Detection2DArray(header=header, detections=detections)


def to_detections_3d(located: Sequence[LocatedTarget], command: str, *, header: Header) -> Any:
    """Make a vision_msgs/Detection3DArray of the targets that have a point.

    The results' poses are the points, with the approach where there is one, in the camera's
    optical frame; the boxes lie along its axes.
    """
    detections = []
    for one in detections_3d(located):
        made = vision.Detection3D(header=header, id=one.id, results=[_hypothesis(one, command)])
        made.bbox.center = _pose(one.centre, (0.0, 0.0, 0.0, 1.0))
        x, y, z = one.size
        made.bbox.size = Vector3(x=x, y=y, z=z)
        detections.append(made)
    return vision.Detection3DArray(header=header, detections=detections)


def _hypothesis(detection: Detection, command: str) -> Any:
    made = vision.ObjectHypothesisWithPose()
    made.hypothesis.class_id, made.hypothesis.score = command, detection.score
    made.pose.pose = _pose(detection.position, detection.orientation)
    return made


def _pose(position: Sequence[float], orientation: Sequence[float]) -> Pose:
    x, y, z = position
    made = Pose(position=Point(x=x, y=y, z=z))
    x, y, z, w = orientation
    made.orientation = Quaternion(x=x, y=y, z=z, w=w)
    return made
