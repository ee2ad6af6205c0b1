# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What belongs to an image in 3D: depth and camera_info, heard and matched by stamp."""

import math
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from affordance_ros.nodes.grounding.node_config import SpatialConfig
from affordance_ros.nodes.grounding.status import StatusReporter
from affordance_ros.nodes.topics import camera_info_topic
from affordance_ros.nodes.topics import listen_to_sensor
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.spatial.rgbd import read_rgbd
from affordance_ros.spatial.stamp_cache import StampCache
from affordance_ros.spatial.stamp_cache import StampCounters
from affordance_ros.spatial.stamp_cache import to_ns

_KEPT_DEPTHS, _KEPT_INFOS = 30, 10  # a second of a 30 Hz camera
# Depth that has come at all is waited for only while it goes on coming.
_COMING_S = 1.0
# Single images lose their depth on the way, and the first ones come before it: what is missing is
# named only once it was missing so many times in a row.
PATIENCE = 5


@dataclass(frozen=True)
class SpatialCounters:
    """What came and what became of it since the node was configured.

    Attributes:
        depth: Depth images received, and images that found theirs (matched) or not (unmatched).
        camera_info: The same of CameraInfo messages.
        without_points: Images whose targets all went out without a point although depth was being
            received, by the cause.
    """

    depth: StampCounters
    camera_info: StampCounters
    without_points: Mapping[str, int]


class SpatialInputs:
    """Hears `depth` and `camera_info` between `listen` and `stop`, and keeps the newest.

    Args:
        node: The node that listens.
        config: How depth is matched.
        status: Where it is named why there are no points.
    """

    def __init__(self, node: Node, config: SpatialConfig, status: StatusReporter) -> None:
        self._node = node
        self._config = config
        self._status = status
        self._depths: StampCache[Image] = StampCache(_KEPT_DEPTHS, config.depth_tolerance_s)
        # Intrinsics hardly ever change, and drivers stamp them in many ways.
        self._infos: StampCache[CameraInfo] = StampCache(_KEPT_INFOS, math.inf)
        self._depth_came_at = -math.inf
        self._missing = 0
        self._without_points: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []

    @property
    def counters(self) -> SpatialCounters:
        """A copy of the counts."""
        with self._lock:
            without_points = dict(self._without_points)
        return SpatialCounters(self._depths.counters, self._infos.counters, without_points)

    def listen(self) -> None:
        """Subscribe."""
        self._subscriptions = [
            listen_to_sensor(self._node, Image, 'depth', self._on_depth),
            listen_to_sensor(self._node, CameraInfo, camera_info_topic(self._node), self._on_info),
        ]

    def stop(self) -> None:
        """Unsubscribe and forget what was kept."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()
        self._depths.clear()
        self._infos.clear()
        self._depth_came_at = -math.inf

    def find_exact(self, header: Header) -> Image | None:
        """Return the depth of an image's very stamp, if it has come.

        To be asked when the image is taken: a slow model must not outlast what is kept.
        """
        return self._depths.exact(to_ns(header.stamp))

    def rgbd(self, header: Header, *, size: tuple[int, int], depth: Image | None) -> Rgbd | NoRgbd:
        """Return what an image shows in 3D, and name on the status what keeps it from being known.

        Args:
            header: The image's.
            size: (height, width) of the image in pixels.
            depth: What `find_exact` gave; where it gave nothing, the nearest within the tolerance
                is taken, and waited for while depth is being received.
        """
        stamp_ns = to_ns(header.stamp)
        if depth is None:
            coming = time.monotonic() - self._depth_came_at < _COMING_S
            wait_s = self._config.depth_wait_s if coming else 0.0
            depth = self._depths.match(stamp_ns, wait_s=wait_s)
        rgbd = read_rgbd(depth, self._infos.match(stamp_ns), size=size)
        if self._depths.counters.received:  # else nobody asks for points
            self._report(rgbd)
        return rgbd

    def _report(self, rgbd: Rgbd | NoRgbd) -> None:
        if isinstance(rgbd, Rgbd):
            self._missing = 0
            if rgbd.pinhole.warning:
                self._status.name_once('camera_info warning', rgbd.pinhole.warning)
            return
        with self._lock:
            self._without_points[rgbd.cause] += 1
        self._missing += 1
        if rgbd.reason == 'unusable' or self._missing >= PATIENCE:
            text = self._advice(rgbd)
            self._status.name_once(f'3D {rgbd.cause}', f'targets have no 3D point: {text}')

    def _advice(self, rgbd: NoRgbd) -> str:
        if rgbd.reason == 'no_camera_info':
            topic = camera_info_topic(self._node)
            return f"depth comes, but no camera_info on {topic}: remap it to the image's"
        if rgbd.reason != 'no_depth':
            return rgbd.text
        gap_s = self._depths.counters.last_gap_s
        nearest = '' if gap_s is None else f' (the nearest is {gap_s:.3g} s away)'
        return (
            f'depth comes, but none within {self._config.depth_tolerance_s:g} s of the '
            f"image's stamp{nearest}: let the camera stamp both alike, or raise depth_tolerance_s"
        )

    def _on_depth(self, message: Image) -> None:
        self._depth_came_at = time.monotonic()
        self._depths.add(to_ns(message.header.stamp), message)

    def _on_info(self, message: CameraInfo) -> None:
        self._infos.add(to_ns(message.header.stamp), message)
