# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Rare encodings (bayer, YUV 4:2:2) through cv_bridge, imported when one first comes."""

import numpy as np
from sensor_msgs.msg import Image

from affordance_ros.image.ros_image import CameraImage
from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import tight_rows
from affordance_ros.nodes.messages import byte_array


def convert_rare(message: Image) -> CameraImage:
    """Convert a checked image of an encoding that no view can serve.

    Raises:
        ImageError: If cv_bridge is not installed or can't convert this encoding.
    """
    try:
        from cv_bridge import CvBridge  # brings an OpenCV of its own, so only on demand
    except ImportError as error:
        raise ImageError(
            'cv_bridge',
            f'images with encoding {message.encoding} need cv_bridge, which can not be imported '
            f'({error}): install ros-$ROS_DISTRO-cv-bridge, or let the camera publish bgr8',
        ) from error
    # Not every cv_bridge heeds the step, so it gets tight rows.
    tight = Image(header=message.header, height=message.height, width=message.width)
    tight.encoding, tight.is_bigendian = message.encoding, message.is_bigendian
    data = tight_rows(message)
    tight.step = len(data) // message.height
    # Assigned as a whole: not every rosidl hands out an array.array to fill.
    tight.data = byte_array(np.frombuffer(data, np.uint8))
    try:
        pixels = CvBridge().imgmsg_to_cv2(tight, 'bgr8')
    except Exception as error:
        # Each cv_bridge raises errors of its own: CvBridgeError, KeyError, cv2.error, ...
        raise ImageError(
            f'cv_bridge {message.encoding}',
            f'the installed cv_bridge can not convert {message.encoding} to bgr8 '
            f'({type(error).__name__}: {error}): let the camera publish bgr8',
        ) from error
    return CameraImage(np.asarray(pixels, np.uint8), 'bgr')
