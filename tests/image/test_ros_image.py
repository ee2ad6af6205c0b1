# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import check_message
from affordance_ros.image.ros_image import decode_compressed
from affordance_ros.image.ros_image import needs_bridge
from affordance_ros.image.ros_image import read_message
from affordance_ros.image.ros_image import tight_rows
from tests.support.image_messages import message


@pytest.mark.parametrize('padding', [0, 13])
@pytest.mark.parametrize(
    ('encoding', 'count', 'channels'),
    [
        ('rgb8', 3, 'rgb'),
        ('bgr8', 3, 'bgr'),
        ('8UC3', 3, 'bgr'),
        ('rgba8', 4, 'rgb'),
        ('bgra8', 4, 'bgr'),
        ('mono8', 1, 'mono'),
        ('8UC1', 1, 'mono'),
    ],
)
def test_8_bit_images_are_read_padded_or_not(rng, encoding, count, channels, padding):
    pixels = rng.integers(0, 256, (5, 7, count) if count > 1 else (5, 7), np.uint8)
    image = read_message(message(pixels, encoding, padding))
    assert image.channels == channels
    assert np.array_equal(image.pixels, pixels[..., :3] if count > 1 else pixels)


def test_common_images_are_views():
    raw = message(np.zeros((4, 6, 3), np.uint8), 'bgr8', padding=2)
    buffer = bytearray(raw.data)
    raw.data = memoryview(buffer)
    image = read_message(raw)
    buffer[0] = 9
    assert image.pixels[0, 0, 0] == 9


@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize(
    ('encoding', 'count'), [('mono16', 1), ('rgb16', 3), ('bgr16', 3), ('bgra16', 4)]
)
def test_16_bit_images_are_scaled(rng, encoding, count, big_endian):
    words = rng.integers(0, 65536, (5, 7, count), np.uint16)
    raw = message(words.astype('>u2' if big_endian else '<u2'), encoding, 6, big_endian)
    expected = np.round(words[..., :3] * 255.0 / 65535.0)
    assert np.array_equal(read_message(raw).pixels.reshape(5, 7, -1), expected)


def test_rgb_and_mono_turn_to_bgr_for_drawing(rng):
    pixels = rng.integers(0, 256, (5, 7, 3), np.uint8)
    assert np.array_equal(read_message(message(pixels, 'rgb8')).to_bgr(), pixels[..., ::-1])
    assert np.array_equal(read_message(message(pixels, 'bgr8')).to_bgr(), pixels)
    grey = read_message(message(pixels[..., 0], 'mono8')).to_bgr()
    assert np.array_equal(grey, np.repeat(pixels[..., :1], 3, axis=2))


@pytest.mark.parametrize(
    ('change', 'cause', 'text'),
    [
        ({'encoding': 'jpg'}, 'encoding', "'jpg' are not understood; use one of rgb8"),
        ({'encoding': '32FC1'}, 'encoding', "'32FC1' are not understood"),
        ({'encoding': ''}, 'encoding', 'not understood'),
        ({'height': 0}, 'size', '7x0 pixels: empty'),
        ({'width': 0}, 'size', '0x5 pixels: empty'),
        ({'step': 20}, 'step', '7 pixels of bgr8 take 21'),
        ({'data': bytes(104)}, 'data', '104 bytes, and 5 rows of step 21 take 105'),
        ({'data': b''}, 'data', '0 bytes'),
        ({'height': 2**32 - 1}, 'data', '4294967295 rows'),
    ],
)
def test_unusable_images_are_named(change, cause, text):
    raw = message(np.zeros((5, 7, 3), np.uint8), 'bgr8')
    vars(raw).update(change)
    with pytest.raises(ImageError, match=text) as error:
        check_message(raw)
    assert error.value.cause == cause
    with pytest.raises(ImageError):
        read_message(raw)


def test_the_last_row_needs_no_padding(rng):
    pixels = rng.integers(0, 256, (5, 7, 3), np.uint8)
    raw = message(pixels, 'bgr8', padding=11)
    raw.data = raw.data[:-11]
    assert np.array_equal(read_message(raw).pixels, pixels)


def test_rare_encodings_are_left_to_cv_bridge():
    raw = message(np.zeros((4, 6), np.uint8), 'bayer_rggb8', padding=3)
    assert needs_bridge(raw)
    assert tight_rows(raw) == bytes(24)
    with pytest.raises(ImageError, match='need cv_bridge'):
        read_message(raw)


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_compressed_images_are_decoded_as_bgr(suffix):
    blue = np.zeros((16, 16, 3), np.uint8)
    blue[..., 0] = 255
    image = decode_compressed(cv2.imencode(suffix, blue)[1].tobytes())
    assert image.channels == 'bgr'
    assert np.abs(image.pixels.astype(int) - blue).max() <= 2


@pytest.mark.parametrize('data', [b'', b'\xff\xd8\xff\xe0', b'not an image at all'])
def test_broken_compressed_images_are_named(data):
    with pytest.raises(ImageError, match='not a whole JPEG, PNG, WebP or BMP') as error:
        decode_compressed(data)
    assert error.value.cause == 'compressed'
