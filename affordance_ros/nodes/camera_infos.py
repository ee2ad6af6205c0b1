# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A recorded CameraInfo, published again whole, or scaled with its image."""

from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import RegionOfInterest
from std_msgs.msg import Header

_ROI = ('x_offset', 'y_offset', 'height', 'width', 'do_rectify')


def copy_info(info: Any, *, header: Header) -> CameraInfo:
    """Return a CameraInfo with every field of one that was read by rosbags.

    Args:
        info: sensor_msgs/CameraInfo, or anything with its fields.
        header: The header of the copy.
    """
    copied = CameraInfo(header=header, height=int(info.height), width=int(info.width))
    copied.distortion_model = info.distortion_model
    for name in 'dkrp':
        setattr(copied, name, np.asarray(getattr(info, name), np.float64).tolist())
    copied.binning_x, copied.binning_y = int(info.binning_x), int(info.binning_y)
    copied.roi = RegionOfInterest(**{name: getattr(info.roi, name) for name in _ROI})
    return copied


def scale_info(info: CameraInfo, before: tuple[int, int], after: tuple[int, int]) -> CameraInfo:
    """Return the CameraInfo of an image that was scaled.

    Region of interest and binning are worked into K and P, so that the result is of a full image.
    Distortion does not depend on the size.

    Args:
        info: The image's, as it was.
        before: Its (height, width) in pixels as it was.
        after: Its (height, width) now.
    """
    scaled = copy_info(info, header=info.header)
    scaled.height, scaled.width = after
    scaled.binning_x = scaled.binning_y = 0
    scaled.roi = RegionOfInterest()
    k, p = np.array(info.k).reshape(3, 3), np.array(info.p).reshape(3, 4)
    binning = (max(1, info.binning_x), max(1, info.binning_y))
    offsets = (info.roi.x_offset, info.roi.y_offset)
    for row, (bins, offset, old, new) in enumerate(
        zip(binning, offsets, before[::-1], after[::-1], strict=True)
    ):
        scale = new / old / bins
        for matrix in (k, p):
            if matrix[0, 0] == 0:
                continue  # not calibrated
            matrix[row] *= scale
            # x goes to (x - offset + 0.5) * scale - 0.5.
            matrix[row, 2] += (0.5 - offset) * scale - 0.5
    scaled.k, scaled.p = k.ravel().tolist(), p.ravel().tolist()
    return scaled
