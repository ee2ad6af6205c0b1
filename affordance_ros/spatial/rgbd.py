# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The surface that an image shows: depth and camera_info that came with it, or why there is none.

The node and the bag tool both use this, so that their points are equal.
"""

from dataclasses import dataclass

from affordance_ros.image.ros_image import ImageMessage
from affordance_ros.spatial.depth import DepthError
from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.lift import REASONS
from affordance_ros.spatial.pinhole import CameraInfoMessage
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.pinhole import PinholeError


@dataclass(frozen=True, eq=False)
class Rgbd:
    """What an image shows, in 3D.

    Attributes:
        depth: Registered to the image, of its size or of the same aspect ratio.
        pinhole: The image's.
    """

    depth: DepthImage
    pinhole: Pinhole


@dataclass(frozen=True)
class NoRgbd:
    """Why no target of an image has a point.

    Attributes:
        reason: A key of `REASONS`: 'no_depth', 'no_camera_info' or 'unusable'.
        cause: A short key, by which equal failures are counted together.
        text: What is wrong and what to do, for people.
    """

    reason: str
    cause: str
    text: str


# How far depth's stamp may be from its image's, in seconds, where nobody says it.
DEPTH_TOLERANCE_S = 0.02

NO_DEPTH = NoRgbd('no_depth', 'no_depth', REASONS['no_depth'])


def read_rgbd(
    depth: ImageMessage | None, info: CameraInfoMessage | None, *, size: tuple[int, int]
) -> Rgbd | NoRgbd:
    """Put depth and camera_info together; what is wrong with them is an answer, not an error.

    Args:
        depth: sensor_msgs/Image that belongs to the image, or None where none came. It must
            outlive what is returned.
        info: sensor_msgs/CameraInfo of the image, or None.
        size: (height, width) of the image in pixels.
    """
    if depth is None:
        return NO_DEPTH
    if info is None:
        return NoRgbd('no_camera_info', 'no_camera_info', REASONS['no_camera_info'])
    try:
        view = DepthImage.view(depth)
        pinhole = Pinhole.from_info(info, size)
        pinhole.resized(view.size)  # so that another aspect ratio is named without a target too
    except (DepthError, PinholeError) as error:
        return NoRgbd('unusable', error.cause, str(error))
    return Rgbd(view, pinhole)
