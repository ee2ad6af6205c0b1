# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

from types import SimpleNamespace

import numpy as np
import pytest

from affordance_ros.image.bit_depth import BitDepth
from affordance_ros.image.compressed import decode_compressed
from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import check_message
from affordance_ros.image.ros_image import read_message
from affordance_ros.spatial.compressed_depth import decode_depth
from affordance_ros.spatial.depth import DepthError
from tests.support.image_messages import message
from tests.support.mosaics import mosaic
from tests.support.mosaics import smooth_photo
from tests.support.mosaics import yuv422


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


@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize('bits', [8, 12, 16])
def test_mosaics_have_the_colours_of_their_scene(pattern, bits, big_endian):
    photo = smooth_photo()
    cells = mosaic(photo, pattern)
    if bits > 8:
        words = cells.astype(np.uint16) << (bits - 8)
        cells = words.astype('>u2') if big_endian else words
    raw = message(cells, f'bayer_{pattern}{8 if bits == 8 else 16}', 3, big_endian)
    image = read_message(raw)
    assert image.channels == 'bgr'
    error = np.abs(image.pixels.astype(int) - photo)[2:-2, 2:-2]
    # By the brightest pixel a camera's bits are known, and its level but for one bit.
    assert error.mean() < 12


@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('yuv422', 'uyvy'), ('uyvy', 'uyvy'), ('yuv422_yuy2', 'yuyv'), ('yuyv', 'yuyv')],
)
def test_yuv_has_the_colours_of_its_scene(encoding, order):
    photo = smooth_photo()
    image = read_message(message(yuv422(photo, order), encoding, padding=5))
    assert image.channels == 'bgr'
    assert np.abs(image.pixels.astype(int) - photo).mean() < 4
    with pytest.raises(ImageError, match='have an even width'):
        read_message(message(yuv422(photo, order)[:, :-1], encoding))
    with pytest.raises(ImageError, match='of 64x1 pixels has no colours'):
        read_message(message(photo[:1, :, 0], 'bayer_rggb8'))


@pytest.mark.parametrize('bits', [8, 10, 12, 14, 16])
def test_16_bit_images_are_scaled_by_the_bits_in_use(bits):
    """A bright frame has the 8-bit image's values whatever bits the camera has."""
    grey = smooth_photo()[..., 1].copy()
    grey[0, 0] = 255
    words = np.rint(grey / 255 * (2**bits - 1)).astype(np.uint16)
    assert np.abs(read_message(message(words, 'mono16')).pixels.astype(int) - grey).max() <= 1


def test_a_dark_frame_keeps_the_scale_of_the_frames_before():
    bits = BitDepth()
    bright, dark = np.full((4, 4), 4095, np.uint16), np.full((4, 4), 410, np.uint16)
    assert (bits.scale(bright) == 255).all()
    assert (bits.scale(dark) == 26).all()
    for _ in range(60):
        bits.scale(dark)
    assert (bits.scale(dark) == 205).all()  # 9 bits are in use
    assert (BitDepth(16).scale(bright) == 16).all()
    with pytest.raises(ValueError, match='image_bits 7'):
        BitDepth(7)


class DeviceBuffer:
    """Bytes of another device, which can't be viewed, as in Lyrical's rosidl_buffer.Buffer."""


def test_bytes_in_another_devices_memory_are_refused_by_name():
    raw = message(np.zeros((4, 6, 3), np.uint8), 'rgb8')
    raw.data = DeviceBuffer()
    for read in (read_message, check_message):
        with pytest.raises(ImageError, match=r'in a DeviceBuffer, .* from CPU memory') as caught:
            read(raw)
        assert caught.value.cause == 'data'
    photo = SimpleNamespace(format='jpeg', data=DeviceBuffer())
    with pytest.raises(ImageError, match='in a DeviceBuffer'):
        decode_compressed(photo)
    with pytest.raises(DepthError, match='in a DeviceBuffer'):
        decode_depth(SimpleNamespace(format='16UC1; compressedDepth png', data=DeviceBuffer()))
