# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the grounding node publishes for each frame."""

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image

from affordance_ros.image.ros_image import CameraImage
from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.nodes.messages import to_image
from affordance_ros.nodes.messages import to_jpeg
from affordance_ros.nodes.topics import advertise
from affordance_ros.predictor import Grounding
from affordance_ros.viz.overlay import draw_overlay


class Outputs:
    """The publishers, which last as long as the node; pictures are made only if somebody listens.

    Args:
        node: The node to publish for.
    """

    def __init__(self, node: Node) -> None:
        self._heatmap = advertise(node, Image, '~/heatmap', 1)
        self._overlay = advertise(node, Image, '~/overlay', 1)
        self._overlay_jpeg = advertise(node, CompressedImage, '~/overlay/compressed', 1)
        self._targets = advertise(node, AffordanceTargetArray, '~/targets', 10)

    def publish_targets(self, message: AffordanceTargetArray) -> None:
        """Publish the targets in one frame."""
        self._targets.publish(message)

    def publish_pictures(
        self, message: AffordanceTargetArray, grounding: Grounding, image: CameraImage
    ) -> None:
        """Publish what people look at, as far as they listen.

        Args:
            message: The targets; the header and the command are the frame's.
            grounding: Heatmap and targets.
            image: The frame, for the overlay.
        """
        header = message.header
        if self._heatmap.get_subscription_count():
            self._heatmap.publish(to_image(grounding.heatmap, '32FC1', header=header))
        wants_raw = self._overlay.get_subscription_count() > 0
        wants_jpeg = self._overlay_jpeg.get_subscription_count() > 0
        if not (wants_raw or wants_jpeg):
            return
        overlay = draw_overlay(
            image.to_bgr(), grounding.heatmap, targets=grounding.targets, caption=message.command
        )
        if wants_raw:
            self._overlay.publish(to_image(overlay, 'bgr8', header=header))
        if wants_jpeg:
            self._overlay_jpeg.publish(to_jpeg(overlay, header=header))
