# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Hearing the camera and the grounding node, frame by frame."""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from functools import partial
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image

from affordance_ros.image.ros_image import read_message
from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.msg import GroundingStatus
from affordance_ros.nodes.grounding.status import LATCHED
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.rgbd import read_rgbd
from affordance_ros.spatial.rigid import matrix
from affordance_ros.spatial.stamp_cache import to_ns
from affordance_ros.targets.target import Target
from affordance_ros.viz.rerun_log import Recording
from scripts.demo.processes import wait_for


@dataclass
class Answer:
    """What came back for one frame and one command."""

    image: np.ndarray
    targets: AffordanceTargetArray
    overlay: np.ndarray
    latency_ms: float


@dataclass
class Frame:
    """What has been heard of one frame, by its stamp."""

    name: str = ''
    image: np.ndarray | None = None
    targets: AffordanceTargetArray | None = None
    overlay: np.ndarray | None = None
    heatmap: np.ndarray | None = None
    depth: Image | None = None
    info: CameraInfo | None = None
    pose: PoseStamped | None = None
    latency_ms: float = 0.0


@dataclass
class Listener:
    """Hears the camera and the grounding node, and pairs what belongs to one frame.

    Frames of a known source are named by what they show, so that every command is laid out over
    the same ones; live frames by the second in which they came.
    """

    node: Node
    known: dict[bytes, str]
    heatmaps: bool = False
    status: GroundingStatus = field(default_factory=GroundingStatus)
    frames: dict[int, Frame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Subscribe."""
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        subscribe = self.node.create_subscription
        subscribe(Image, 'image', self._on_image, qos_profile_sensor_data)
        subscribe(AffordanceTargetArray, 'grounding/targets', self._on_targets, 10)
        subscribe(Image, 'grounding/overlay', self._on_overlay, 10)
        subscribe(GroundingStatus, 'grounding/status', self._on_status, LATCHED)
        if self.heatmaps:
            subscribe(Image, 'grounding/heatmap', self._on_heatmap, 10)
            for kind, topic, name in (
                (Image, 'depth', 'depth'),
                (CameraInfo, 'camera_info', 'info'),
                (PoseStamped, 'grounding/target_pose', 'pose'),
            ):
                subscribe(kind, topic, partial(self._keep, name), qos_profile_sensor_data)

    def wait_for(self, condition: Callable[[], bool], what: str, *, timeout_s: float) -> None:
        """Listen until a condition holds; raises as the function of this name."""
        wait_for(self.executor, condition, what, timeout_s=timeout_s)

    def answers(self, command_id: int) -> dict[str, Answer]:
        """Return the first whole answer for each name under a command's number."""
        found: dict[str, Answer] = {}
        start_ns = 0
        for stamp_ns, frame in sorted(self.frames.items()):
            if frame.targets is None or frame.targets.command_id != command_id:
                continue
            start_ns = start_ns or stamp_ns
            if frame.image is None or frame.overlay is None:
                continue
            name = frame.name or f'second {(stamp_ns - start_ns) // 10**9 + 1}'
            answer = Answer(frame.image, frame.targets, frame.overlay, frame.latency_ms)
            found.setdefault(name, answer)
        return found

    def record(self, command_id: int, recording: Recording) -> None:
        """Record every whole answer under a command's number."""
        for stamp_ns, frame in sorted(self.frames.items()):
            targets = frame.targets
            if frame.image is None or frame.overlay is None or targets is None:
                continue
            if targets.command_id != command_id:
                continue
            size = frame.image.shape[:2]
            recording.log(
                frame.image,
                text=targets.command,
                targets=[Target(t.x, t.y, t.score, t.track_id) for t in targets.targets],
                overlay_bgr=frame.overlay,
                heatmap=frame.heatmap,
                stamp_ns=stamp_ns,
                rgbd=read_rgbd(frame.depth, frame.info, size=size),
                points=heard_points(targets, frame.pose),
            )

    def _frame(self, message: Any) -> Frame:
        return self.frames.setdefault(to_ns(message.header.stamp), Frame())

    def _keep(self, name: str, message: Any) -> None:
        setattr(self._frame(message), name, message)

    def _on_image(self, message: Image) -> None:
        frame = self._frame(message)
        frame.image = read_message(message).to_bgr().copy()
        frame.name = self.known.get(frame.image.tobytes(), '')

    def _on_targets(self, message: AffordanceTargetArray) -> None:
        frame = self._frame(message)
        frame.targets = message
        now_ns = self.node.get_clock().now().nanoseconds
        frame.latency_ms = (now_ns - to_ns(message.header.stamp)) / 1e6

    def _on_overlay(self, message: Image) -> None:
        self._frame(message).overlay = read_message(message).to_bgr().copy()

    def _on_heatmap(self, message: Image) -> None:
        size = (message.height, message.width)
        self._frame(message).heatmap = np.frombuffer(message.data, np.float32).reshape(size)

    def _on_status(self, message: GroundingStatus) -> None:
        self.status = message


def heard_points(
    targets: AffordanceTargetArray, pose: PoseStamped | None
) -> list[SurfacePoint | NoPoint]:
    """Return the targets' points as the node gave them; the best one's normal is its pose's."""
    points: list[SurfacePoint | NoPoint] = [
        SurfacePoint(np.array([t.point.x, t.point.y, t.point.z]), None)
        if t.has_point
        else NoPoint('no_depth')
        for t in targets.targets
    ]
    if pose is not None and points and isinstance(points[0], SurfacePoint):
        turn = pose.pose.orientation
        into = matrix(np.array([turn.x, turn.y, turn.z, turn.w]))[:, 0]
        points[0] = SurfacePoint(points[0].position, -into)
    return points
