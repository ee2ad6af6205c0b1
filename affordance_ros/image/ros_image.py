# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Camera messages to arrays: checks, and views without a copy where that can be.

Messages are taken by their fields alone, so that anything that looks like a sensor_msgs/Image
(rclpy's, rosbags', a test's) will do.
"""

from dataclasses import dataclass
from typing import Any
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.bit_depth import BitDepth
from affordance_ros.image.colour_codes import BAYER_8
from affordance_ros.image.colour_codes import BAYER_16
from affordance_ros.image.colour_codes import YUV
from affordance_ros.image.colour_codes import demosaic
from affordance_ros.image.colour_codes import yuv_to_bgr
from affordance_ros.image.decode import MAX_PIXELS

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
# 16-bit encodings, scaled to 8 bits.
_DEEP = {
    'rgb16': (3, 'rgb'),
    'bgr16': (3, 'bgr'),
    'rgba16': (4, 'rgb'),
    'bgra16': (4, 'bgr'),
    'mono16': (1, 'mono'),
}
_PIXEL_BYTES = {
    **{name: count for name, (count, _) in _PLAIN.items()},
    **{name: 2 * count for name, (count, _) in _DEEP.items()},
    **YUV,
    **BAYER_8,
    **BAYER_16,
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


def bytes_of(data: Any) -> memoryview:
    """View the bytes of a message's field.

    rclpy hands out an array.array, rosbags an ndarray. From Lyrical on it may be a
    rosidl_buffer.Buffer instead, whose bytes lie in another device's memory and can't be read
    (https://github.com/ros2/rosidl_python/pull/250).

    Raises:
        ImageError: If it has no bytes that this process can read.
    """
    try:
        return memoryview(data)
    except TypeError as error:
        raise ImageError(
            'data',
            f'the bytes are in a {type(data).__name__}, which only its own library reads: let '
            f'the publisher send from CPU memory',
        ) from error


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
    held = bytes_of(message.data).nbytes
    if held < needed:
        raise ImageError(
            'data',
            f'the image holds {held} bytes, and {message.height} rows of step '
            f'{message.step} take {needed}',
        )
    if message.height * message.width > MAX_PIXELS:
        raise ImageError(
            'size',
            f'the image is {message.width}x{message.height} pixels, and at most {MAX_PIXELS:,} '
            f'are read',
        )


def read_message(message: ImageMessage, bit_depth: BitDepth | None = None) -> CameraImage:
    """Read a raw image's bytes as an array.

    Args:
        message: An image of any encoding that `check_message` takes. It must outlive the result.
        bit_depth: What scales images of 16 bits; None sees each image by itself.

    Returns:
        The image. A view where that can be; images with an alpha channel, which is dropped,
        mosaics, YUV and 16-bit images are copied.

    Raises:
        ImageError: As `check_message`, or if a mosaic is smaller than 2 x 2 pixels or YUV 4:2:2
            has an odd width.
    """
    check_message(message)
    encoding = message.encoding
    try:
        if encoding in YUV:
            pixels = yuv_to_bgr(strided_view(message, 'u1', count=2), encoding)
            return CameraImage(pixels, 'bgr')
        if encoding in BAYER_8:
            return CameraImage(demosaic(strided_view(message, 'u1', count=1), encoding), 'bgr')
        if encoding in BAYER_16:
            return CameraImage(demosaic(_scaled(message, 1, bit_depth), encoding), 'bgr')
    except ValueError as error:
        raise ImageError('layout', str(error)) from error
    if encoding in _PLAIN:
        count, channels = _PLAIN[encoding]
        pixels = strided_view(message, 'u1', count=count)
    else:
        count, channels = _DEEP[encoding]
        pixels = _scaled(message, count, bit_depth)
    if count == 4:
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR), np.uint8)
    return CameraImage(pixels, channels)


def _scaled(message: ImageMessage, count: int, bit_depth: BitDepth | None) -> NDArray[np.uint8]:
    order = '>' if message.is_bigendian else '<'
    words = strided_view(message, f'{order}u2', count=count)
    return (bit_depth or BitDepth()).scale(words)


def strided_view(message: ImageMessage, dtype: str, *, count: int) -> NDArray:
    """View a checked message's rows, padded or not, as (H, W) or (H, W, count) of a type."""
    kind = np.dtype(dtype)
    shape: tuple[int, ...] = (message.height, message.width)
    strides: tuple[int, ...] = (message.step, count * kind.itemsize)
    if count > 1:
        shape, strides = (*shape, count), (*strides, kind.itemsize)
    return np.ndarray(shape, kind, buffer=message.data, strides=strides)


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
