# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the grounding node listens to while it is active."""

from collections.abc import Callable

from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String

from affordance_ros.image.bit_depth import BitDepth
from affordance_ros.image.compressed import decode_compressed
from affordance_ros.image.ros_image import CameraImage
from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import check_message
from affordance_ros.image.ros_image import read_message
from affordance_ros.nodes.grounding.graph import gather_facts
from affordance_ros.nodes.grounding.ground_request import Frame
from affordance_ros.nodes.grounding.ground_request import NodeMailbox
from affordance_ros.nodes.grounding.status import StatusReporter
from affordance_ros.nodes.latched import LatchedSubscription
from affordance_ros.nodes.topics import listen
from affordance_ros.runtime.frame_gaps import FrameGaps
from affordance_ros.runtime.health_inputs import HealthInputs
from affordance_ros.runtime.health_inputs import SpatialFacts
from affordance_ros.runtime.latency import LatencyMonitor
from affordance_ros.runtime.mailbox import RequestCounters
from affordance_ros.spatial.stamp_cache import to_ns


class Inputs:
    """The subscriptions, from their making until `destroy`; callbacks only check and keep.

    Args:
        node: The node that listens.
        image_transport: 'raw' or 'compressed'.
        mailbox: Where usable frames go.
        latency: Told of every frame that comes.
        status: Where unusable ones are named.
        on_command: Takes the text of a command.
    """

    def __init__(
        self,
        node: Node,
        *,
        image_transport: str,
        mailbox: NodeMailbox,
        latency: LatencyMonitor,
        status: StatusReporter,
        on_command: Callable[[str], object],
    ) -> None:
        self._node = node
        self._mailbox = mailbox
        self._latency = latency
        self._status = status
        self._gaps = FrameGaps()
        # image_transport's convention: the compressed topic lies below the raw one, whatever that
        # was remapped to.
        topic = node.resolve_topic_name('image')
        compressed = image_transport == 'compressed'
        self._images = listen(
            node,
            CompressedImage if compressed else Image,
            f'{topic}/compressed' if compressed else topic,
            self._on_compressed_image if compressed else self._on_raw_image,
        )
        self._commands = LatchedSubscription(
            node,
            String,
            'task_command',
            lambda message: on_command(message.data),
            QoSProfile(depth=10),
        )

    def destroy(self) -> None:
        """Stop listening."""
        self._node.destroy_subscription(self._images)
        self._commands.destroy()

    def facts(
        self, *, max_rate_hz: float, requests: RequestCounters, spatial: SpatialFacts
    ) -> HealthInputs:
        """Return what the watchdog needs to know.

        Args:
            max_rate_hz: The rate limit, 0 for none.
            requests: What became of the requests.
            spatial: What is known of depth and camera_info.
        """
        return gather_facts(
            self._node,
            self._images,
            counters=self._mailbox.counters,
            has_command=self._mailbox.command is not None,
            max_rate_hz=max_rate_hz,
            requests=requests,
            spatial=spatial,
            loss=self._gaps.loss,
        )

    def _on_compressed_image(self, message: CompressedImage) -> None:
        self._count(message.header)
        self._mailbox.offer(message, transport_s=self._age_s(message.header))

    def _on_raw_image(self, message: Image) -> None:
        self._count(message.header)
        try:
            check_message(message)
        except ImageError as error:
            # Refused at once, so that a broken frame never replaces a good one that waits.
            self._mailbox.refuse(error.cause)
            self._status.report_unusable(error)
        else:
            self._mailbox.offer(message, transport_s=self._age_s(message.header))

    def _count(self, header: Header) -> None:
        self._latency.frame_received()
        self._gaps.add(to_ns(header.stamp))

    def _age_s(self, header: Header) -> float:
        now_ns = self._node.get_clock().now().nanoseconds
        return float(now_ns - to_ns(header.stamp)) / 1e9


def decode(message: Frame, bit_depth: BitDepth) -> CameraImage:
    """Return the pixels of a frame that was kept.

    Args:
        message: The frame.
        bit_depth: What scales images of 16 bits.

    Raises:
        ImageError: If they can't be read.
    """
    if isinstance(message, CompressedImage):
        return decode_compressed(message, bit_depth)
    return read_message(message, bit_depth)
