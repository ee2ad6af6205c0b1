# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""sensor_msgs/CompressedImage as compressed_image_transport reads it.

`format` is "ENCODING; CODEC compressed ORDER", such as "rgb8; jpeg compressed bgr8", or by older
and other senders the codec alone. The encoding is that of the image before it was compressed; the
order says how its channels lie in what the decoder gives. EXIF orientation is ignored: a camera's
depth and intrinsics are those of the image as it is stored.
"""

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.bit_depth import BitDepth
from affordance_ros.image.colour_codes import BAYER_8
from affordance_ros.image.colour_codes import BAYER_16
from affordance_ros.image.colour_codes import demosaic
from affordance_ros.image.decode import EncodedImageError
from affordance_ros.image.decode import decode_image
from affordance_ros.image.ros_image import CameraImage
from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import bytes_of

_DEPTH = ('16UC1', '32FC1')
_FLAGS = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION


class CompressedMessage(Protocol):
    """The fields of sensor_msgs/CompressedImage that are read."""

    format: str
    data: 'bytes | memoryview'


def is_compressed(message: object) -> bool:
    """Tell whether a message is a CompressedImage and not an Image."""
    return hasattr(message, 'format')


def encoding_of(message: CompressedMessage) -> str:
    """Return the encoding that the format names first; '' where it names the codec alone."""
    first, semicolon, _ = message.format.partition(';')
    return first.strip() if semicolon else ''


def holds_depth(message: CompressedMessage) -> bool:
    """Tell whether a message is a depth image by its format."""
    return 'compressedDepth' in message.format or encoding_of(message) in _DEPTH


def decode_compressed(
    message: CompressedMessage, bit_depth: BitDepth | None = None
) -> CameraImage:
    """Decode a CompressedImage: JPEG, PNG, WebP or BMP.

    Args:
        message: The message.
        bit_depth: What scales images of 16 bits; None sees each image by itself.

    Raises:
        ImageError: If it is a depth image, or the bytes are not a whole image of these formats,
            claim too many pixels, or don't have the channels that the format says.
    """
    encoding = encoding_of(message)
    if holds_depth(message):
        raise ImageError(
            'encoding',
            f'the compressed image is depth (format {message.format!r:.60}), not colour',
        )
    mosaic = encoding in BAYER_8 or encoding in BAYER_16
    flags = _FLAGS | (cv2.IMREAD_GRAYSCALE if mosaic else cv2.IMREAD_COLOR)
    try:
        pixels = decode_image(bytes_of(message.data), cv2.IMREAD_UNCHANGED if mosaic else flags)
    except EncodedImageError as error:
        raise ImageError('compressed', f'the compressed image holds {error}') from error
    pixels = _to_8_bits(pixels, bit_depth)
    if mosaic:
        if pixels.ndim != 2:
            raise ImageError(
                'compressed',
                f'the compressed image has {pixels.shape[2]} channels, and its format '
                f'{message.format!r:.60} says a mosaic of one',
            )
        try:
            return CameraImage(demosaic(pixels, encoding), 'bgr')
        except ValueError as error:
            raise ImageError('layout', str(error)) from error
    return CameraImage(pixels, 'rgb' if _is_rgb(message.format) else 'bgr')


def _is_rgb(text: str) -> bool:
    """Tell whether the decoder's first channel is red: where a colour format says no "bgr"."""
    encoding, semicolon, codec = text.partition(';')
    colour = encoding.strip().startswith(('rgb', 'bgr'))
    return bool(semicolon) and colour and 'compressed bgr' not in codec


def _to_8_bits(pixels: NDArray, bit_depth: BitDepth | None) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype != np.uint16:
        raise ImageError('compressed', f'the compressed image has pixels of {pixels.dtype}')
    return (bit_depth or BitDepth()).scale(pixels)
