# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Camera messages to arrays: checks, views without a copy, JPEG and PNG decoding.

Messages are taken by their fields alone, so that anything that looks like a sensor_msgs/Image
(rclpy's, rosbags', a test's) will do.
"""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.decode import MAX_PIXELS
from affordance_ros.image.decode import EncodedImageError
from affordance_ros.image.decode import decode_image

# 8-bit encodings, which a view serves: channels of a pixel, and their order.
_PLAIN = {
    'rgb8': (3, 'rgb'),
    'bgr8': (3, 'bgr'),
    '8UC3': (3, 'bgr'),
    'rgba8': (4, 'rgb'),
    'bgra8': (4, 'bgr'),
    '8UC4': (4, 'bgr'),
    'mono8': (1, 'mono'),
    '8UC1': (1, 'mono'),
}
# 16-bit encodings, scaled to 8 bits here: the pure-Python cv_bridge changes no depth.
_DEEP = {
    'rgb16': (3, 'rgb'),
    'bgr16': (3, 'bgr'),
    'rgba16': (4, 'rgb'),
    'bgra16': (4, 'bgr'),
    'mono16': (1, 'mono'),
}
# Encodings that cv_bridge converts (sensor_msgs/image_encodings.hpp): bytes of a pixel.
_BRIDGED = {
    'yuv422': 2,
    'yuv422_yuy2': 2,
    'uyvy': 2,
    'yuyv': 2,
    **{f'bayer_{pattern}8': 1 for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')},
    **{f'bayer_{pattern}16': 2 for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')},
}
_PIXEL_BYTES = {
    **{name: count for name, (count, _) in _PLAIN.items()},
    **{name: 2 * count for name, (count, _) in _DEEP.items()},
    **_BRIDGED,
}


CHANNELS = ('rgb', 'bgr', 'mono')


class ImageMessage(Protocol):
    """The fields of sensor_msgs/Image that are read."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: 'bytes | memoryview'


class MessageError(ValueError):
    """What a message brings can't be used.

    Attributes:
        cause: A short key, by which equal failures are counted together.
    """

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


class ImageError(MessageError):
    """A frame can't be used."""


@dataclass(frozen=True)
class CameraImage:
    """An image as the predictor takes it.

    Attributes:
        pixels: (H, W, 3) uint8, or (H, W) where channels is 'mono'; maybe a read-only view.
        channels: 'rgb', 'bgr' or 'mono'.
    """

    pixels: NDArray[np.uint8]
    channels: str

    def to_bgr(self) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8 in OpenCV's order, for drawing."""
        if self.channels == 'rgb':
            return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_RGB2BGR), np.uint8)
        if self.channels == 'mono':
            return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_GRAY2BGR), np.uint8)
        return self.pixels


def check_message(message: ImageMessage) -> None:
    """Check a raw image's fields against each other; takes microseconds.

    Raises:
        ImageError: If the encoding is unknown or not a colour image's, or the sizes disagree.
    """
    encoding = message.encoding
    pixel_bytes = _PIXEL_BYTES.get(encoding)
    if pixel_bytes is None:
        raise ImageError(
            'encoding',
            f'images with encoding {encoding!r} are not understood; use one of '
            f'{", ".join(_PIXEL_BYTES)}',
        )
    check_layout(message, pixel_bytes)


def check_layout(message: ImageMessage, pixel_bytes: int) -> None:
    """Check an image's size, step and data against each other.

    Args:
        message: The image.
        pixel_bytes: Bytes of a pixel of its encoding.

    Raises:
        ImageError: If it is empty or too large, or its rows don't fit the step or the data.
    """
    if message.height < 1 or message.width < 1:
        raise ImageError('size', f'the image is {message.width}x{message.height} pixels: empty')
    row = message.width * pixel_bytes
    if message.step < row:
        raise ImageError(
            'step',
            f'the image has step {message.step}, and {message.width} pixels of '
            f'{message.encoding} take {row} bytes',
        )
    # The last row needs no padding behind it.
    needed = message.step * (message.height - 1) + row
    if len(message.data) < needed:
        raise ImageError(
            'data',
            f'the image holds {len(message.data)} bytes, and {message.height} rows of step '
            f'{message.step} take {needed}',
        )
    if message.height * message.width > MAX_PIXELS:
        raise ImageError(
            'size',
            f'the image is {message.width}x{message.height} pixels, and at most {MAX_PIXELS:,} '
            f'are read',
        )


def needs_bridge(message: ImageMessage) -> bool:
    """Tell whether cv_bridge must convert this encoding; else `read_message` serves it."""
    return message.encoding in _BRIDGED


def read_message(message: ImageMessage) -> CameraImage:
    """View a raw image's bytes as an array.

    Args:
        message: An 8-bit or 16-bit image. It must outlive the view.

    Returns:
        The image. A view where that can be; images with an alpha channel, which is dropped, and
        16-bit ones, which are scaled by 255 / 65535, are copied.

    Raises:
        ImageError: As `check_message`, or if the encoding needs cv_bridge.
    """
    check_message(message)
    if needs_bridge(message):
        raise ImageError('encoding', f'images with encoding {message.encoding!r} need cv_bridge')
    if message.encoding in _PLAIN:
        count, channels = _PLAIN[message.encoding]
        pixels = strided_view(message, 'u1', count=count)
    else:
        count, channels = _DEEP[message.encoding]
        order = '>' if message.is_bigendian else '<'
        words = strided_view(message, f'{order}u2', count=count)
        pixels = (words / np.float32(257)).round().astype(np.uint8)
    if count == 4:
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR), np.uint8)
    return CameraImage(pixels, channels)


def strided_view(message: ImageMessage, dtype: str, *, count: int) -> NDArray:
    """View a checked message's rows, padded or not, as (H, W) or (H, W, count) of a type."""
    kind = np.dtype(dtype)
    shape: tuple[int, ...] = (message.height, message.width)
    strides: tuple[int, ...] = (message.step, count * kind.itemsize)
    if count > 1:
        shape, strides = (*shape, count), (*strides, kind.itemsize)
    return np.ndarray(shape, kind, buffer=message.data, strides=strides)


def tight_rows(message: ImageMessage) -> bytes:
    """Return a checked message's bytes without any padding behind its rows."""
    row = message.width * _PIXEL_BYTES[message.encoding]
    shape, strides = (message.height, row), (message.step, 1)
    return np.ndarray(shape, np.uint8, buffer=message.data, strides=strides).tobytes()


def decode_compressed(data: 'bytes | memoryview') -> CameraImage:
    """Decode a sensor_msgs/CompressedImage's data: JPEG, PNG, WebP or BMP.

    Raises:
        ImageError: If the bytes are no whole image of these formats, or claim too many pixels.
    """
    try:
        return CameraImage(decode_image(data), 'bgr')
    except EncodedImageError as error:
        raise ImageError('compressed', f'the compressed image holds {error}') from error


def check_image(image: NDArray[np.uint8], channels: str) -> None:
    """Refuse an array that is not an image of the given channels.

    Raises:
        ValueError: Saying what came and what was expected.
    """
    if channels not in CHANNELS:
        raise ValueError(f'channels {channels!r} is unknown; known are {", ".join(CHANNELS)}')
    expected = '(H, W)' if channels == 'mono' else '(H, W, 3)'
    right_shape = (
        image.ndim == 2 if channels == 'mono' else image.ndim == 3 and image.shape[2] == 3
    )
    if image.dtype != np.uint8 or not right_shape:
        raise ValueError(f'image is {image.dtype} {image.shape}; expected uint8 {expected}')
    if image.size == 0:
        raise ValueError(f'image {image.shape} has no pixels')
