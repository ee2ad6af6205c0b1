# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The surface that an image shows: depth and camera_info that came with it, or why there is none.

The node and the bag tool both use this, so that their points are equal.
"""

import math
from dataclasses import dataclass
from dataclasses import replace

from affordance_ros.image.ros_image import ImageMessage
from affordance_ros.spatial.depth import DepthError
from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.lift import REASONS
from affordance_ros.spatial.pinhole import CameraInfoMessage
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.pinhole import PinholeError
from affordance_ros.spatial.plausible import FrameIdError
from affordance_ros.spatial.plausible import RgbdChecks
from affordance_ros.spatial.plausible import check_centre
from affordance_ros.spatial.plausible import check_depth
from affordance_ros.spatial.plausible import check_frames
from affordance_ros.spatial.plausible import frame_of


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

# Drivers that never set stamps leave them at 0: whatever came last would be taken for the image's.
NO_STAMP = NoRgbd(
    'unusable',
    'no_stamp',
    "the image has stamp 0, so that its depth can not be told from another image's: let the "
    'camera driver set header.stamp',
)
NO_DEPTH = NoRgbd('no_depth', 'no_depth', REASONS['no_depth'])


def read_rgbd(
    depth: ImageMessage | None,
    info: CameraInfoMessage | None,
    *,
    size: tuple[int, int],
    frame_id: str = '',
    checks: RgbdChecks | None = None,
) -> Rgbd | NoRgbd:
    """Put depth and camera_info together; what is wrong with them is an answer, not an error.

    Args:
        depth: sensor_msgs/Image that belongs to the image, or None where none came. It must
            outlive what is returned.
        info: sensor_msgs/CameraInfo of the image, or None.
        size: (height, width) of the image in pixels.
        frame_id: The image's; '' for any.
        checks: Limits on what is likely.
    """
    checks = checks or RgbdChecks()
    if depth is None:
        return NO_DEPTH
    if info is None:
        return NoRgbd('no_camera_info', 'no_camera_info', REASONS['no_camera_info'])
    try:
        if not checks.allow_other_frames:
            check_frames(frame_id.removeprefix('/'), frame_of(depth), frame_of(info))
        view = DepthImage.view(depth)
        pinhole = Pinhole.from_info(info, size)
        pinhole.resized(view.size)  # so that another aspect ratio is named without a target too
        check_centre(info)
        check_depth(view, max_depth_m=checks.max_depth_m)
    except (DepthError, FrameIdError, PinholeError) as error:
        return NoRgbd('unusable', error.cause, str(error))
    return Rgbd(replace(view, max_m=checks.max_depth_m or math.inf), pinhole)
