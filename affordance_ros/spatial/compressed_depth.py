# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Depth as compressed_depth_image_transport and compressed_image_transport write it.

The first puts 12 bytes (an enum and two floats) before a PNG of 16 bits: millimetres for 16UC1,
and for 32FC1 the quantised inverse depth, depth = a / (value - b).
"""

import struct
import sys
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.compressed import CompressedMessage
from affordance_ros.image.compressed import encoding_of
from affordance_ros.image.decode import EncodedImageError
from affordance_ros.image.decode import decode_image
from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import bytes_of
from affordance_ros.spatial.depth import DepthError

_HEADER = struct.Struct('<iff')


@dataclass(frozen=True, eq=False)
class DepthMessage:
    """The fields of sensor_msgs/Image, decoded."""

    header: Any
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: bytes


def decode_depth(message: CompressedMessage) -> DepthMessage:
    """Decode a CompressedImage that holds depth.

    Raises:
        DepthError: If it is not PNG (JPEG loses depth, RVL is not read), or not whole.
    """
    try:
        encoding, data = encoding_of(message), bytes_of(message.data)
    except ImageError as error:
        raise DepthError(error.cause, f'compressed depth: {error}') from error
    a = b = 0.0
    if 'compressedDepth' in message.format:
        if 'rvl' in message.format.lower() or len(data) < _HEADER.size:
            raise DepthError(
                'encoding',
                f'compressed depth of format {message.format!r:.60} is not read: set the '
                f"publisher's format to png, or record the raw depth",
            )
        _, a, b = _HEADER.unpack_from(data)
        data = data[_HEADER.size :]
    if encoding not in ('16UC1', '32FC1') or not bytes(data[:4]) == b'\x89PNG':
        raise DepthError(
            'encoding',
            f'compressed depth of format {message.format!r:.60} is not PNG of 16UC1 or 32FC1: '
            f'record the raw depth, or compressedDepth with PNG',
        )
    try:
        words = decode_image(data, cv2.IMREAD_UNCHANGED)
    except EncodedImageError as error:
        raise DepthError('data', f'compressed depth: {error}') from error
    if words.ndim != 2 or words.dtype != np.uint16:
        raise DepthError(
            'encoding', f'compressed depth of {words.dtype} {words.shape}, not 16 bit'
        )
    if encoding == '32FC1':
        with np.errstate(divide='ignore', invalid='ignore'):
            values = np.float32(a) / (words.astype(np.float32) - np.float32(b))
        pixels: NDArray[Any] = np.where(words > 0, values, np.float32(np.nan)).astype(np.float32)
    else:
        pixels = words
    return DepthMessage(
        getattr(message, 'header', None),
        pixels.shape[0],
        pixels.shape[1],
        encoding,
        int(sys.byteorder == 'big'),
        pixels.strides[0],
        pixels.tobytes(),
    )
