# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The messages that the bag tool writes, serialised by rosbags: needs no ROS."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.typesys import Stores
from rosbags.typesys import get_types_from_msg
from rosbags.typesys import get_typestore

from affordance_ros.bag.vision_definitions import DETECTIONS_2D
from affordance_ros.bag.vision_definitions import DETECTIONS_3D
from affordance_ros.bag.vision_definitions import VISION_DEFINITIONS
from affordance_ros.spatial.detections import Detection
from affordance_ros.spatial.detections import detections_2d
from affordance_ros.spatial.detections import detections_3d
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.located import LocatedTarget
from affordance_ros.text.commands import BoundCommand

IMAGE = 'sensor_msgs/msg/Image'
TARGETS = 'affordance_ros/msg/AffordanceTargetArray'
# The files under msg/ without their comments: an installation by pip has no msg/, and a test holds
# the two equal by their type hashes.
DEFINITIONS = {
    'affordance_ros/msg/AffordanceTarget': """\
uint32 track_id
float32 x
float32 y
float32 score
sensor_msgs/RegionOfInterest bbox
uint32 area_px
bool has_point
geometry_msgs/Point point
bool has_extent
float32 distance_m
float32 area_m2
geometry_msgs/Vector3 extent_m
""",
    TARGETS: """\
std_msgs/Header header
string command
uint32 command_id
uint32 image_width
uint32 image_height
affordance_ros/AffordanceTarget[] targets
""",
}


class OutputMessages:
    """Makes serialised messages; every one carries the header of its input image."""

    def __init__(self) -> None:
        self.store = get_typestore(Stores.LATEST)
        for name, text in (DEFINITIONS | VISION_DEFINITIONS).items():
            self.store.register(get_types_from_msg(text, name))

    def image(self, pixels: NDArray[Any], encoding: str, *, header: Any) -> memoryview:
        """Make a sensor_msgs/Image of a (H, W) or (H, W, C) array in this machine's byte order."""
        tight = np.ascontiguousarray(pixels)
        message = self._make(
            IMAGE,
            header=header,
            height=tight.shape[0],
            width=tight.shape[1],
            encoding=encoding,
            is_bigendian=int(sys.byteorder == 'big'),
            step=tight.strides[0],
            data=tight.reshape(-1).view(np.uint8),
        )
        return self.store.serialize_cdr(message, IMAGE)

    def targets(
        self,
        located: Sequence[LocatedTarget],
        command: BoundCommand,
        *,
        size: tuple[int, int],
        header: Any,
    ) -> memoryview:
        """Make the targets' message of a frame.

        Args:
            located: The frame's targets, best first.
            command: What they answer.
            size: The image's (height, width) in pixels.
            header: The image's.
        """
        message = self._make(
            TARGETS,
            header=header,
            command=command.text,
            command_id=command.id,
            image_height=size[0],
            image_width=size[1],
            targets=[self._target(one) for one in located],
        )
        return self.store.serialize_cdr(message, TARGETS)

    def detections_2d(
        self, located: Sequence[LocatedTarget], command: BoundCommand, *, header: Any
    ) -> memoryview:
        """Make a vision_msgs/Detection2DArray, as the node's `to_detections_2d`."""
        detections = [
            self._make(
                'vision_msgs/msg/Detection2D',
                header=header,
                results=[self._hypothesis(one, command)],
                bbox=self._make(
                    'vision_msgs/msg/BoundingBox2D',
                    center=self._make(
                        'vision_msgs/msg/Pose2D',
                        position=self._make('vision_msgs/msg/Point2D', *one.centre[:2]),
                        theta=0.0,
                    ),
                    size_x=one.size[0],
                    size_y=one.size[1],
                ),
                id=one.id,
            )
            for one in detections_2d(located)
        ]
        message = self._make(DETECTIONS_2D, header, detections)
        return self.store.serialize_cdr(message, DETECTIONS_2D)

    def detections_3d(
        self, located: Sequence[LocatedTarget], command: BoundCommand, *, header: Any
    ) -> memoryview:
        """Make a vision_msgs/Detection3DArray, as the node's `to_detections_3d`."""
        detections = [
            self._make(
                'vision_msgs/msg/Detection3D',
                header=header,
                results=[self._hypothesis(one, command)],
                bbox=self._make(
                    'vision_msgs/msg/BoundingBox3D',
                    center=self._pose(one.centre, (0.0, 0.0, 0.0, 1.0)),
                    size=self._make('geometry_msgs/msg/Vector3', *one.size),
                ),
                id=one.id,
            )
            for one in detections_3d(located)
        ]
        message = self._make(DETECTIONS_3D, header, detections)
        return self.store.serialize_cdr(message, DETECTIONS_3D)

    def _hypothesis(self, detection: Detection, command: BoundCommand) -> Any:
        return self._make(
            'vision_msgs/msg/ObjectHypothesisWithPose',
            hypothesis=self._make(
                'vision_msgs/msg/ObjectHypothesis', command.text, detection.score
            ),
            pose=self._make(
                'geometry_msgs/msg/PoseWithCovariance',
                pose=self._pose(detection.position, detection.orientation),
                covariance=np.zeros(36),
            ),
        )

    def _pose(self, position: Sequence[float], orientation: Sequence[float]) -> Any:
        return self._make(
            'geometry_msgs/msg/Pose',
            position=self._make('geometry_msgs/msg/Point', *position),
            orientation=self._make('geometry_msgs/msg/Quaternion', *orientation),
        )

    def _target(self, located: LocatedTarget) -> Any:
        target, point, extent = located.target, located.point, located.extent
        region = target.region
        box = (0, 0, 0, 0) if region is None else region.bbox
        x, y, z = (0.0,) * 3 if isinstance(point, NoPoint) else point.position.tolist()
        along_x, along_y, along_z = (0.0,) * 3 if extent is None else extent.size.tolist()
        return self._make(
            'affordance_ros/msg/AffordanceTarget',
            track_id=target.track_id,
            x=target.x,
            y=target.y,
            score=target.score,
            bbox=self._make(
                'sensor_msgs/msg/RegionOfInterest',
                x_offset=box[0],
                y_offset=box[1],
                height=box[3],
                width=box[2],
                do_rectify=False,
            ),
            area_px=0 if region is None else region.area_px,
            has_point=not isinstance(point, NoPoint),
            point=self._make('geometry_msgs/msg/Point', x=x, y=y, z=z),
            has_extent=extent is not None,
            distance_m=0.0 if extent is None else extent.distance_m,
            area_m2=0.0 if extent is None else extent.area_m2,
            extent_m=self._make('geometry_msgs/msg/Vector3', x=along_x, y=along_y, z=along_z),
        )

    def _make(self, name: str, *values: Any, **fields: Any) -> Any:
        return self.store.types[name](*values, **fields)
