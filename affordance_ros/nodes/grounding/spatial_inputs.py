# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What belongs to an image in 3D: depth and camera_info, heard and matched by stamp."""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable

from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from affordance_ros.nodes.grounding.node_config import SpatialConfig
from affordance_ros.nodes.grounding.status import SPATIAL
from affordance_ros.nodes.grounding.status import StatusReporter
from affordance_ros.nodes.latched import LatchedSubscription
from affordance_ros.nodes.topics import SENSOR_QOS
from affordance_ros.nodes.topics import camera_info_topic
from affordance_ros.nodes.topics import listen
from affordance_ros.runtime.health_inputs import SpatialFacts
from affordance_ros.spatial.rgbd import NO_STAMP
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.spatial.rgbd import read_rgbd
from affordance_ros.spatial.stamp_cache import StampCache
from affordance_ros.spatial.stamp_cache import to_ns

_KEPT_DEPTHS, _KEPT_INFOS = 30, 10  # a second of a 30 Hz camera
# Depth that has come at all is waited for only while it goes on coming.
_COMING_S = 1.0
# Single images lose their depth on the way, and the first ones come before it: what is missing is
# named only once it was missing so many times in a row.
PATIENCE = 5


class SpatialInputs:
    """Hears `depth` and `camera_info` between `listen` and `stop`, and keeps the newest.

    Args:
        node: The node that listens.
        config: How depth is matched.
        status: Where it is named why there are no points.
        wanted: Returns whether somebody wants points.
    """

    def __init__(
        self,
        node: Node,
        config: SpatialConfig,
        status: StatusReporter,
        wanted: Callable[[], bool],
    ) -> None:
        self._node = node
        self._config = config
        self._status = status
        self._wanted = wanted
        self._depths: StampCache[Image] = StampCache(_KEPT_DEPTHS, config.depth_tolerance_s)
        # Intrinsics hardly ever change, and drivers stamp them in many ways.
        self._infos: StampCache[CameraInfo] = StampCache(_KEPT_INFOS, math.inf)
        self._depth_came_at = -math.inf
        self._missing = 0
        self._without_points: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription | LatchedSubscription] = []

    @property
    def facts(self) -> SpatialFacts:
        """What came, what became of it, and where it is awaited."""
        with self._lock:
            without_points = dict(self._without_points)
        depths = self._depths.counters
        return SpatialFacts(
            depth_topic=self._node.resolve_topic_name('depth'),
            camera_info_topic=camera_info_topic(self._node),
            wanted=self._wanted(),
            tolerance_s=self._config.depth_tolerance_s,
            depth_received=depths.received,
            camera_info_received=self._infos.counters.received,
            matched=depths.matched,
            nearest_s=depths.last_gap_s,
            without_points=without_points,
        )

    def listen(self) -> None:
        """Subscribe."""
        topic = camera_info_topic(self._node)
        self._subscriptions = [
            listen(self._node, Image, 'depth', self._on_depth),
            LatchedSubscription(self._node, CameraInfo, topic, self._on_info, SENSOR_QOS),
        ]

    def stop(self) -> None:
        """Unsubscribe and forget what was kept."""
        for subscription in self._subscriptions:
            if isinstance(subscription, LatchedSubscription):
                subscription.destroy()
            else:
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
        if depth is None and stamp_ns:
            coming = time.monotonic() - self._depth_came_at < _COMING_S
            wait_s = self._config.depth_wait_s if coming else 0.0
            depth = self._depths.match(stamp_ns, wait_s=wait_s)
        if stamp_ns == 0 and self._depths.counters.received:
            rgbd: Rgbd | NoRgbd = NO_STAMP
        else:
            rgbd = read_rgbd(
                depth,
                self._infos.match(stamp_ns),
                size=size,
                frame_id=header.frame_id,
                checks=self._config.checks,
            )
        self._report(rgbd)
        return rgbd

    def _report(self, rgbd: Rgbd | NoRgbd) -> None:
        if isinstance(rgbd, Rgbd):
            self._missing = 0
            self._status.succeeded(SPATIAL)
            if rgbd.pinhole.warning:
                self._status.report('camera_info', rgbd.pinhole.warning, group=SPATIAL)
            return
        with self._lock:
            self._without_points[rgbd.cause] += 1
        self._missing += 1
        if rgbd.reason != 'unusable' and self._missing < PATIENCE:
            return
        facts = self.facts
        if not (facts.depth_received or facts.wanted):
            return  # nobody asks for points
        self._status.report(f'3D {rgbd.cause}', _explain(rgbd, facts), group=SPATIAL)

    def _on_depth(self, message: Image) -> None:
        self._depth_came_at = time.monotonic()
        self._depths.add(to_ns(message.header.stamp), message)

    def _on_info(self, message: CameraInfo) -> None:
        self._infos.add(to_ns(message.header.stamp), message)


def _explain(rgbd: NoRgbd, facts: SpatialFacts) -> str:
    if rgbd.reason == 'no_camera_info':
        return facts.no_camera_info
    if rgbd.reason == 'no_depth':
        return facts.unmatched if facts.depth_received else facts.no_depth
    return f'targets have no 3D point: {rgbd.text}'
