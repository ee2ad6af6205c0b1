# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the grounding node publishes in 3D for each frame."""

from collections.abc import Sequence
from dataclasses import replace

from geometry_msgs.msg import PointStamped
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.nodes.grounding.detections import DetectionOutputs
from affordance_ros.nodes.grounding.node_config import SpatialConfig
from affordance_ros.nodes.grounding.spatial_inputs import PATIENCE
from affordance_ros.nodes.grounding.status import TRANSFORM
from affordance_ros.nodes.grounding.status import StatusReporter
from affordance_ros.nodes.grounding.transform import FrameChange
from affordance_ros.nodes.grounding.transform import FrameTransformer
from affordance_ros.nodes.grounding.transform import TransformError
from affordance_ros.nodes.spatial_messages import to_cloud
from affordance_ros.nodes.spatial_messages import to_markers
from affordance_ros.nodes.spatial_messages import to_point
from affordance_ros.nodes.spatial_messages import to_pose
from affordance_ros.nodes.topics import advertise
from affordance_ros.spatial.cloud import make_cloud
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.located import LocatedTarget
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.targets.activation import HeatSource


class SpatialOutputs:
    """The publishers, which last as long as the node; markers and clouds are made on demand.

    Args:
        node: The node to publish for.
        status: Where a missing transform is named.
        detections: Where targets go as detections.
    """

    def __init__(self, node: Node, status: StatusReporter, detections: DetectionOutputs) -> None:
        self._detections = detections
        self._status = status
        self._missing = 0  # transforms, in a row
        self._point = advertise(node, PointStamped, '~/target_point', 10)
        self._pose = advertise(node, PoseStamped, '~/target_pose', 10)
        self._markers = advertise(node, MarkerArray, '~/markers', 1)
        self._cloud = advertise(node, PointCloud2, '~/cloud', 1)

    @property
    def listened_to(self) -> bool:
        """True while somebody listens to what depth alone gives."""
        return any(p.get_subscription_count() for p in (self._point, self._pose, self._cloud))

    def publish_targets(
        self,
        message: AffordanceTargetArray,
        located: Sequence[LocatedTarget],
        transformer: FrameTransformer | None,
    ) -> None:
        """Publish the best target's point and pose, if it has them, markers and detections.

        Args:
            message: The targets, as they were published.
            located: The same targets.
            transformer: Into the target frame, for point, pose and markers; None leaves them in
                the camera's.
        """
        self._detections.publish_3d(located, message.command, header=message.header)
        change = None
        if transformer is not None and any(isinstance(t.point, SurfacePoint) for t in located):
            try:
                change = transformer.look_up(message.header)
                self._missing = 0
                self._status.succeeded(TRANSFORM)
            except TransformError as error:
                self._missing += 1
                if self._missing >= PATIENCE:
                    self._status.report(f'transform {error.cause}', str(error), group=TRANSFORM)
                located = [replace(t, point=NoPoint('no_transform')) for t in located]
        if located and isinstance(located[0].point, SurfacePoint):
            self._publish_best(located[0].point, message.header, change)
        if self._markers.get_subscription_count():
            markers = to_markers(located, message.command, header=message.header)
            self._markers.publish(change.move_markers(markers) if change else markers)

    def publish_cloud(
        self,
        source: HeatSource,
        rgbd: Rgbd | NoRgbd,
        *,
        located: Sequence[LocatedTarget],
        header: Header,
        config: SpatialConfig,
    ) -> None:
        """Publish the cloud, in the camera's frame, if somebody listens.

        Args:
            source: The answer's heatmap.
            rgbd: What the image shows.
            located: The targets, best first.
            header: The image's.
            config: What the cloud holds.
        """
        if isinstance(rgbd, NoRgbd) or not self._cloud.get_subscription_count():
            return
        region = None
        if config.cloud_best_target:
            if not located:
                return
            region = located[0].target.region
        cloud = make_cloud(
            source.heatmap,
            depth=rgbd.depth,
            pinhole=rgbd.pinhole,
            min_heat=config.cloud_min_heat,
            region=region,
            organised=config.cloud_organized,
        )
        self._cloud.publish(to_cloud(cloud, header=header))

    def _publish_best(
        self, best: SurfacePoint, header: Header, change: FrameChange | None
    ) -> None:
        point = to_point(best.position, header=header)
        self._point.publish(change.move_point(point) if change else point)
        if best.normal is not None:
            pose = to_pose(best.position, best.normal, header=header)
            self._pose.publish(change.move_pose(pose) if change else pose)
