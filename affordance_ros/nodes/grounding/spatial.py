# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The 3D half of the grounding node: depth and camera_info in, points, poses and clouds out."""

import threading
from collections import Counter
from collections.abc import Sequence

from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.nodes.grounding.detections import DetectionOutputs
from affordance_ros.nodes.grounding.node_config import SpatialConfig
from affordance_ros.nodes.grounding.spatial_inputs import SpatialInputs
from affordance_ros.nodes.grounding.spatial_outputs import SpatialOutputs
from affordance_ros.nodes.grounding.status import StatusReporter
from affordance_ros.nodes.grounding.transform import FrameTransformer
from affordance_ros.nodes.topics import is_remapped
from affordance_ros.runtime.health_inputs import SpatialFacts
from affordance_ros.spatial.located import LocatedTarget
from affordance_ros.spatial.located import Selection
from affordance_ros.spatial.located import select
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.targets.activation import HeatSource
from affordance_ros.targets.grounding import Grounding


class Spatial:
    """Lasts as long as the node: `configure`, then `listen` and `stop` any number of times.

    Args:
        node: The node.
        status: Where it is named why there are no points.
        detections: Where targets go as detections.
    """

    def __init__(self, node: Node, status: StatusReporter, detections: DetectionOutputs) -> None:
        self._node = node
        self._status = status
        self._outputs = SpatialOutputs(node, status, detections)
        self._config = SpatialConfig()
        self._inputs = SpatialInputs(node, self._config, status, self._wanted)
        self._transformer: FrameTransformer | None = None
        self._refused: Counter[str] = Counter()
        self._counting = threading.Lock()

    @property
    def facts(self) -> SpatialFacts:
        """What came of depth and camera_info since `configure`, and what became of it."""
        return self._inputs.facts

    def _wanted(self) -> bool:
        """Return whether somebody wants points, so that missing depth is worth a word."""
        remapped = is_remapped(self._node, 'depth')
        return remapped or bool(self._config.target_frame) or self._outputs.listened_to

    def configure(self, config: SpatialConfig) -> None:
        """Take over parameters while nothing is heard.

        Raises:
            TransformError: If a target frame is set and neither tf2_ros nor tf2_msgs is installed.
        """
        frame = config.target_frame
        self._transformer = FrameTransformer(self._node, frame) if frame else None
        self._inputs = SpatialInputs(self._node, config, self._status, self._wanted)
        self._config = config
        with self._counting:
            self._refused.clear()

    def use(self, config: SpatialConfig) -> None:
        """Take over what may change while the node runs: gates, and what the cloud holds."""
        self._config = config

    def listen(self) -> None:
        """Subscribe to depth, camera_info and, for a target frame, to transforms."""
        self._inputs.listen()
        if self._transformer is not None:
            self._transformer.listen()

    def stop(self) -> None:
        """Unsubscribe and forget what was kept."""
        self._inputs.stop()
        if self._transformer is not None:
            self._transformer.stop()

    def find_exact(self, header: Header) -> Image | None:
        """Return the depth of an image's very stamp, if it has come; see `SpatialInputs`."""
        return self._inputs.find_exact(header)

    def rgbd(self, header: Header, *, size: tuple[int, int], depth: Image | None) -> Rgbd | NoRgbd:
        """Return what an image shows in 3D; see `SpatialInputs`."""
        return self._inputs.rgbd(header, size=size, depth=depth)

    @property
    def refused(self) -> dict[str, int]:
        """How many targets did not pass a gate since `configure`, by cause."""
        with self._counting:
            return dict(self._refused)

    def select(self, grounding: Grounding, rgbd: Rgbd | NoRgbd) -> Selection:
        """Locate an answer's best targets, passing over those that a gate refuses."""
        selection = select(grounding, rgbd, self._config.gate)
        if selection.refused:
            with self._counting:
                self._refused.update(selection.refused)
        return selection

    def publish(
        self,
        message: AffordanceTargetArray,
        located: Sequence[LocatedTarget],
        *,
        source: HeatSource,
        rgbd: Rgbd | NoRgbd,
    ) -> None:
        """Publish what one frame's answer says in 3D.

        Args:
            message: The targets, as they were published.
            located: The same targets.
            source: The answer's heatmap, which is made only if a cloud is wanted.
            rgbd: What the image shows.
        """
        self._outputs.publish_targets(message, located, self._transformer)
        self._outputs.publish_cloud(
            source, rgbd, located=located, header=message.header, config=self._config
        )
