# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Bayer mosaics and YUV 4:2:2, the encodings of raw cameras, to BGR."""

import cv2
import numpy as np
from numpy.typing import NDArray

# ROS names a mosaic by its first two rows from the first pixel on, OpenCV from the second row's
# second pixel on.
_BAYER = {
    'bayer_rggb': cv2.COLOR_BayerBG2BGR,
    'bayer_bggr': cv2.COLOR_BayerRG2BGR,
    'bayer_gbrg': cv2.COLOR_BayerGR2BGR,
    'bayer_grbg': cv2.COLOR_BayerGB2BGR,
}
_YUV = {
    'yuv422': cv2.COLOR_YUV2BGR_UYVY,
    'uyvy': cv2.COLOR_YUV2BGR_UYVY,
    'yuv422_yuy2': cv2.COLOR_YUV2BGR_YUY2,
    'yuyv': cv2.COLOR_YUV2BGR_YUY2,
}
# Bytes of a pixel of each encoding.
BAYER_8 = {f'{pattern}8': 1 for pattern in _BAYER}
BAYER_16 = {f'{pattern}16': 2 for pattern in _BAYER}
YUV = dict.fromkeys(_YUV, 2)


def demosaic(pixels: NDArray[np.uint8], encoding: str) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 BGR of a (H, W) mosaic.

    Args:
        pixels: The mosaic, scaled to 8 bits; at least 2 x 2 pixels.
        encoding: One of sensor_msgs/image_encodings' bayer_*.

    Raises:
        ValueError: If the mosaic has less than 2 x 2 pixels.
    """
    if min(pixels.shape) < 2:
        raise ValueError(f'a mosaic of {pixels.shape[1]}x{pixels.shape[0]} pixels has no colours')
    pattern = encoding.removesuffix('16').removesuffix('8')
    return np.asarray(cv2.cvtColor(pixels, _BAYER[pattern]), np.uint8)


def yuv_to_bgr(pixels: NDArray[np.uint8], encoding: str) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 BGR of (H, W, 2) YUV 4:2:2.

    Raises:
        ValueError: If the width is odd: two pixels share their colour.
    """
    if pixels.shape[1] % 2:
        raise ValueError(f'{encoding} images have an even width, and this one has {pixels.shape}')
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), _YUV[encoding]), np.uint8)
