# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the grounding node publishes for each frame."""

from collections.abc import Sequence

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image

from affordance_ros.image.ros_image import CameraImage
from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.nodes.grounding.detections import DetectionOutputs
from affordance_ros.nodes.messages import to_image
from affordance_ros.nodes.messages import to_jpeg
from affordance_ros.nodes.topics import advertise
from affordance_ros.spatial.located import LocatedTarget
from affordance_ros.targets.grounding import Grounding
from affordance_ros.targets.mask import draw_mask
from affordance_ros.viz.overlay import draw_overlay


class Outputs:
    """The publishers, which last as long as the node; images are made only if somebody listens.

    Args:
        node: The node to publish for.
        detections: Where targets go as detections.
    """

    def __init__(self, node: Node, detections: DetectionOutputs) -> None:
        self._detections = detections
        self._mask = advertise(node, Image, '~/mask', 1)
        self._heatmap = advertise(node, Image, '~/heatmap', 1)
        self._overlay = advertise(node, Image, '~/overlay', 1)
        self._overlay_jpeg = advertise(node, CompressedImage, '~/overlay/compressed', 1)
        self._targets = advertise(node, AffordanceTargetArray, '~/targets', 10)

    def publish_targets(self, message: AffordanceTargetArray) -> None:
        """Publish the targets in one frame."""
        self._targets.publish(message)

    def publish_images(
        self,
        message: AffordanceTargetArray,
        located: Sequence[LocatedTarget],
        grounding: Grounding,
        image: CameraImage,
        *,
        min_score: float,
    ) -> None:
        """Publish masks, detections and what people look at, as far as anyone listens.

        Args:
            message: The targets; the header and the command are the frame's.
            located: The same targets.
            grounding: The heatmap.
            image: The frame, for the overlay.
            min_score: The least score of a target.
        """
        header = message.header
        self._detections.say_labels(
            message.command,
            max_targets=grounding.max_targets,
            min_score=min_score,
            header=header,
        )
        self._detections.publish_2d(located, message.command, header=header)
        if self._mask.get_subscription_count():
            mask = draw_mask([one.target for one in located], grounding.size)
            self._mask.publish(to_image(mask, 'mono8', header=header))
        if self._heatmap.get_subscription_count():
            self._heatmap.publish(to_image(grounding.heatmap, '32FC1', header=header))
        wants_raw = self._overlay.get_subscription_count() > 0
        wants_jpeg = self._overlay_jpeg.get_subscription_count() > 0
        if not (wants_raw or wants_jpeg):
            return
        overlay = draw_overlay(
            image.to_bgr(),
            grounding.heatmap,
            targets=tuple(one.target for one in located),
            caption=message.command,
        )
        if wants_raw:
            self._overlay.publish(to_image(overlay, 'bgr8', header=header))
        if wants_jpeg:
            self._overlay_jpeg.publish(to_jpeg(overlay, header=header))
