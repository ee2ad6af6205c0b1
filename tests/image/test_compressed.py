# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""CompressedImage as compressed_image_transport reads it."""

import io
import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from affordance_ros.image.compressed import decode_compressed
from affordance_ros.image.ros_image import ImageError
from affordance_ros.spatial.compressed_depth import decode_depth
from affordance_ros.spatial.depth import DepthError
from affordance_ros.spatial.depth import DepthImage
from tests.support.mosaics import mosaic
from tests.support.mosaics import smooth_photo


def compressed(pixels, form, suffix='.jpg'):
    data = cv2.imencode(suffix, pixels)[1].tobytes()
    return SimpleNamespace(format=form, data=data)


@pytest.mark.parametrize(
    ('form', 'channels'),
    [
        ('jpeg', 'bgr'),
        ('', 'bgr'),
        ('rgb8; jpeg compressed bgr8', 'bgr'),
        ('bgr8; jpeg compressed bgr8', 'bgr'),
        ('rgb8; jpeg compressed rgb8', 'rgb'),
        ('rgb8; jpeg compressed ', 'rgb'),
        ('yuv422; jpeg compressed bgr8', 'bgr'),
        ('yuv422; jpeg compressed', 'bgr'),
    ],
)
def test_the_format_says_how_channels_lie(form, channels):
    photo = smooth_photo()
    image = decode_compressed(compressed(photo, form))
    assert image.channels == channels
    bgr = photo if channels == 'bgr' else photo[..., ::-1]
    assert np.abs(image.to_bgr().astype(int) - bgr).mean() < 3


@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
@pytest.mark.parametrize(('bits', 'suffix'), [(8, '.jpg'), (8, '.png'), (16, '.png')])
def test_a_mosaic_in_a_jpeg_or_png_is_demosaiced(pattern, bits, suffix):
    photo = smooth_photo()
    cells = mosaic(photo, pattern)
    cells = cells if bits == 8 else cells.astype(np.uint16) * 257
    image = decode_compressed(
        compressed(cells, f'bayer_{pattern}{bits}; jpeg compressed ', suffix)
    )
    assert image.channels == 'bgr'
    assert np.abs(image.pixels.astype(int) - photo)[2:-2, 2:-2].mean() < 4


def test_a_mosaic_of_three_channels_is_refused():
    with pytest.raises(ImageError, match='has 3 channels, and its format'):
        decode_compressed(compressed(smooth_photo(), 'bayer_rggb8; jpeg compressed '))


@pytest.mark.parametrize('orientation', [3, 6, 8])
def test_exif_orientation_does_not_turn_a_cameras_image(orientation):
    """Its depth and intrinsics are those of the image as it is stored."""
    image = pytest.importorskip('PIL.Image')
    exif = image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    photo = smooth_photo()
    image.fromarray(photo[..., ::-1].copy()).save(file, 'JPEG', quality=95, exif=exif.tobytes())
    found = decode_compressed(SimpleNamespace(format='jpeg', data=file.getvalue()))
    assert np.abs(found.to_bgr().astype(int) - photo).mean() < 3


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_compressed_images_are_decoded_as_bgr(suffix):
    blue = np.zeros((16, 16, 3), np.uint8)
    blue[..., 0] = 255
    image = decode_compressed(compressed(blue, 'jpeg', suffix))
    assert image.channels == 'bgr'
    assert np.abs(image.pixels.astype(int) - blue).max() <= 2


@pytest.mark.parametrize('data', [b'', b'\xff\xd8\xff\xe0', b'not an image at all'])
def test_broken_compressed_images_are_named(data):
    with pytest.raises(ImageError, match='not a whole JPEG, PNG, WebP or BMP') as error:
        decode_compressed(SimpleNamespace(format='jpeg', data=data))
    assert error.value.cause == 'compressed'


def depth_png(words, form, a=0.0, b=0.0, header=True):
    start = struct.pack('<iff', 0, a, b) if header else b''
    return SimpleNamespace(format=form, data=start + cv2.imencode('.png', words)[1].tobytes())


def test_compressed_depth_has_the_metres_of_the_raw_one():
    words = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
    for message in (
        depth_png(words, '16UC1; compressedDepth png'),
        depth_png(words, '16UC1; compressedDepth'),
        depth_png(words, '16UC1; png compressed ', header=False),
    ):
        metres = DepthImage.view(decode_depth(message)).metres()
        assert np.isnan(metres[0, 0])
        np.testing.assert_allclose(metres.ravel()[1:], words.ravel()[1:] / 1000, rtol=1e-6)
    # depth = a / (value - b), as compressed_depth_image_transport's codec.cpp.
    a, b = 5050.5, -4.05
    inverse = np.full((4, 5), 2000, np.uint16)
    inverse[0, 0] = 0
    metres = DepthImage.view(decode_depth(depth_png(inverse, '32FC1; compressedDepth png', a, b)))
    assert np.isnan(metres.metres()[0, 0])
    np.testing.assert_allclose(metres.metres()[1:], a / (2000 - b), rtol=1e-5)


@pytest.mark.parametrize(
    ('form', 'data', 'text'),
    [
        ('16UC1; compressedDepth rvl', bytes(40), 'is not read: set the publisher'),
        ('16UC1; compressedDepth png', b'', 'is not read'),
        ('16UC1; compressedDepth png', bytes(12) + b'\x89PNG\r\n\x1a\n', 'not a whole'),
        ('16UC1; jpeg compressed ', b'\xff\xd8\xff\xd9', 'is not PNG'),
    ],
)
def test_compressed_depth_that_is_not_read_is_named(form, data, text):
    with pytest.raises(DepthError, match=text):
        decode_depth(SimpleNamespace(format=form, data=data))
    with pytest.raises(ImageError, match='is depth'):
        decode_compressed(SimpleNamespace(format=form, data=data))
