# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets as vision_msgs has them, free of messages: the node and the bag tool both use this."""

from collections.abc import Sequence
from dataclasses import dataclass

from affordance_ros.spatial.approach import approach_quaternion
from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.located import LocatedTarget

_UPRIGHT = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Detection:
    """What a Detection2D or Detection3D says; in pixels of the image, z 0, or in metres.

    Attributes:
        id: The target's `track_id`.
        score: Its heat, in [0, 1].
        position: x, y, z of its place.
        orientation: x, y, z, w of the approach; upright where there is none.
        centre: x, y, z of the middle of its region's box, which lies along the axes.
        size: That box's sides; 0 where they are not known.
    """

    id: str
    score: float
    position: tuple[float, float, float]
    orientation: tuple[float, float, float, float]
    centre: tuple[float, float, float]
    size: tuple[float, float, float]


def detections_2d(located: Sequence[LocatedTarget]) -> list[Detection]:
    """Return the targets with their places and their regions' boxes in pixels."""
    detections = []
    for one in located:
        target, centre, size = one.target, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
        if target.region is not None:
            box = target.region.bbox
            centre = (box.x + (box.width - 1) / 2, box.y + (box.height - 1) / 2, 0.0)
            size = (float(box.width), float(box.height), 0.0)
        place = (target.x, target.y, 0.0)
        detections.append(
            Detection(str(target.track_id), target.score, place, _UPRIGHT, centre, size)
        )
    return detections


def detections_3d(located: Sequence[LocatedTarget]) -> list[Detection]:
    """Return the targets that have a point, in metres in the camera's optical frame."""
    detections = []
    for one in located:
        if not isinstance(one.point, SurfacePoint):
            continue
        x, y, z = one.point.position.tolist()
        centre, size, orientation = (x, y, z), (0.0, 0.0, 0.0), _UPRIGHT
        if one.point.normal is not None:
            orientation = approach_quaternion(one.point.normal)
        if one.extent is not None:
            centre, size = tuple(one.extent.centre.tolist()), tuple(one.extent.size.tolist())
        target = one.target
        detections.append(
            Detection(str(target.track_id), target.score, (x, y, z), orientation, centre, size)
        )
    return detections
