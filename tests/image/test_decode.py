# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import psutil
import pytest

from affordance_ros.image.compressed import decode_compressed
from affordance_ros.image.decode import MAX_PIXELS
from affordance_ros.image.decode import EncodedImageError
from affordance_ros.image.decode import decode_image
from affordance_ros.image.decode import image_size
from affordance_ros.image.decode import read_image_file
from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import check_message
from affordance_ros.image.source_frame import SourceError
from affordance_ros.sources import read_image
from tests.support.image_messages import message

SAMPLES = Path(__file__).parents[2] / 'samples'
FORMATS = {
    'jpg': [],
    'png': [],
    'bmp': [],
    'webp': [cv2.IMWRITE_WEBP_QUALITY, 80],
    'lossless.webp': [cv2.IMWRITE_WEBP_QUALITY, 101],
    'progressive.jpg': [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
}


def encode(name, pixels):
    return cv2.imencode(f'.{name.split(".")[-1]}', pixels, FORMATS[name])[1].tobytes()


def claim(name, data, width, height):
    """Return an image's bytes with another size in the header."""
    forged = bytearray(data)
    if name == 'png':
        struct.pack_into('>II', forged, 16, width, height)
        struct.pack_into('>I', forged, 29, zlib.crc32(forged[12:29]))
    elif name == 'bmp':
        struct.pack_into('<ii', forged, 18, width, -height)
    elif name.endswith('jpg'):
        at = max(forged.find(b'\xff\xc0'), forged.find(b'\xff\xc2'))
        struct.pack_into('>HH', forged, at + 5, height, width)
    elif name == 'webp':
        struct.pack_into('<HH', forged, 26, width, height)
    else:
        struct.pack_into('<I', forged, 21, (height - 1) << 14 | (width - 1))
    return bytes(forged)


@pytest.mark.parametrize('name', FORMATS)
def test_the_size_is_read_from_the_header_and_pixels_are_opencvs(name, rng):
    pixels = rng.integers(0, 256, (37, 53, 3), np.uint8)
    data = encode(name, pixels)
    assert image_size(data) == (37, 53)
    flags = cv2.IMREAD_GRAYSCALE
    assert np.array_equal(decode_image(data), cv2.imdecode(np.frombuffer(data, np.uint8), 1))
    assert decode_image(data, flags).shape == (37, 53)


@pytest.mark.parametrize('name', FORMATS)
def test_a_bomb_is_refused_before_anything_is_allocated(name, rng):
    data = encode(name, rng.integers(0, 256, (37, 53, 3), np.uint8))
    bomb = claim(name, data, 16000, 16000)
    before = psutil.Process().memory_info().vms
    with pytest.raises(EncodedImageError, match='claim 16000x16000 pixels; at most 67,108,864'):
        decode_image(bomb)
    with pytest.raises(ImageError, match='claim 16000x16000') as error:
        decode_compressed(SimpleNamespace(format='jpeg', data=bomb))
    assert error.value.cause == 'compressed'
    assert psutil.Process().memory_info().vms - before < 50e6


def test_a_jpegs_thumbnail_and_padding_do_not_hide_its_size(rng):
    small = encode('jpg', rng.integers(0, 256, (8, 8, 3), np.uint8))
    large = encode('jpg', rng.integers(0, 256, (37, 53, 3), np.uint8))
    exif = b'\xff\xe1' + struct.pack('>H', 2 + len(small)) + small
    hidden = large[:2] + b'\xff' * 7 + exif[1:] + b'junk' + large[2:]
    assert image_size(hidden) == (37, 53)
    assert decode_image(hidden).shape == (37, 53, 3)


def photo_bytes(name):
    """Return a photo, (120, 160, 3), as a file of a format."""
    photo = cv2.imread(str(next((SAMPLES / 'photos').iterdir())))
    return encode(name, cv2.resize(photo, (160, 120), interpolation=cv2.INTER_AREA))


@pytest.mark.parametrize('name', FORMATS)
def test_whatever_is_cut_off_is_refused(name):
    data = photo_bytes(name)
    for end in range(0, len(data), max(1, len(data) // 200)):
        with pytest.raises(EncodedImageError, match='not a whole JPEG, PNG, WebP or BMP image'):
            decode_image(data[:end])
    with pytest.raises(EncodedImageError):
        decode_image(data[:-1])


@pytest.mark.parametrize('name', [name for name in FORMATS if name != 'bmp'])
def test_a_hole_of_zeros_is_refused(name):
    """As a sparse copy or a broken download leaves it; BMP has zeros of its own."""
    data = photo_bytes(name)
    # The tables of a progressive JPEG can make flat areas of zeros, but not on a disk's blocks.
    step, size = (512, 1024) if name == 'progressive.jpg' else (len(data) // 40, 600)
    for begin in range(0, len(data) - size, step):
        with pytest.raises(EncodedImageError):
            decode_image(data[:begin] + bytes(size) + data[begin + size :])


def test_a_part_that_is_missing_between_restart_markers_is_refused():
    interval = [cv2.IMWRITE_JPEG_RST_INTERVAL, 2]
    photo = cv2.imdecode(np.frombuffer(photo_bytes('png'), np.uint8), 1)
    data = cv2.imencode('.jpg', photo, interval)[1].tobytes()
    assert decode_image(data).shape == (120, 160, 3)
    first, second = data.index(b'\xff\xd1'), data.index(b'\xff\xd3')
    with pytest.raises(EncodedImageError, match='restart markers'):
        decode_image(data[:first] + data[second:])


def std_tables_left_out(data):
    """Return a JPEG without its Huffman tables, as MJPEG cameras send it."""
    at, kept = 2, bytearray(data[:2])
    while data[at + 1] != 0xDA:
        (length,) = struct.unpack_from('>H', data, at + 2)
        if data[at + 1] != 0xC4:
            kept += data[at : at + 2 + length]
        at += 2 + length
    return bytes(kept) + data[at:]


def test_what_is_whole_is_not_refused(rng):
    """Flat images, whose data can be zeros; padding after the end; MJPEG without tables."""
    flat = [np.full((480, 640, 3), value, np.uint8) for value in (0, 128, 255)]
    stripes = np.repeat(np.repeat([[0], [255]], 240, 0), 640, 1).astype(np.uint8)
    for pixels in (*flat, cv2.cvtColor(stripes, cv2.COLOR_GRAY2BGR), stripes):
        for name in FORMATS:
            data = encode(name, pixels)
            assert decode_image(data).shape[:2] == (480, 640)
        optimised = [cv2.IMWRITE_JPEG_OPTIMIZE, 1]
        for more in ([], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]):
            data = cv2.imencode('.jpg', pixels, optimised + more)[1].tobytes()
            assert decode_image(data).shape[:2] == (480, 640)
    data = photo_bytes('jpg')
    assert decode_image(data + bytes(4096)).shape == (120, 160, 3)
    assert np.array_equal(decode_image(std_tables_left_out(data)), decode_image(data))


def test_a_png_chunk_can_claim_no_more_than_there_is(rng, monkeypatch):
    data = bytearray(encode('png', rng.integers(0, 256, (37, 53, 3), np.uint8)))
    at = data.index(b'IDAT') - 4
    struct.pack_into('>I', data, at, 2**31 - 1)
    monkeypatch.setattr(cv2, 'imdecode', None)  # which takes seconds and gigabytes over it
    with pytest.raises(EncodedImageError, match='not a whole'):
        decode_image(bytes(data))


@pytest.mark.parametrize('suffix', ['tiff', 'ppm', 'jp2', 'hdr', 'gif'])
def test_formats_that_nobody_needs_are_refused_unseen(suffix, rng, monkeypatch):
    if not cv2.haveImageWriter(f'.{suffix}'):
        pytest.skip('this OpenCV writes none')
    pixels = rng.integers(0, 256, (64, 64, 3), np.uint8)
    if suffix == 'hdr':
        pixels = pixels.astype(np.float32)
    data = cv2.imencode(f'.{suffix}', pixels)[1].tobytes()
    monkeypatch.setattr(cv2, 'imdecode', None)
    with pytest.raises(EncodedImageError, match='not a whole JPEG, PNG, WebP or BMP'):
        decode_image(data)


def test_a_photo_that_is_a_bomb_too_large_or_no_file_is_named(tmp_path, rng, monkeypatch):
    data = encode('png', rng.integers(0, 256, (8, 8, 3), np.uint8))
    path = tmp_path / 'photo.png'
    path.write_bytes(claim('png', data, 2**31 - 1, 2**31 - 1))
    with pytest.raises(SourceError, match=r'photo\.png holds .* claim 2147483647x2147483647'):
        read_image(path)
    monkeypatch.setattr('affordance_ros.sources.MAX_BYTES', 10)
    with pytest.raises(SourceError, match=r'photo\.png can not be read: .* at most 10 are read'):
        read_image(path)
    with pytest.raises(OSError, match='not a regular file'):
        read_image_file(tmp_path)


@pytest.mark.parametrize(
    'changes', [{'height': 2**32 - 1}, {'width': 2**32 - 1}, {'step': 2**32 - 1}]
)
def test_raw_messages_can_claim_no_more_than_they_hold(changes, rng):
    image = message(rng.integers(0, 256, (24, 32, 3), np.uint8), 'bgr8')
    for name, value in changes.items():
        setattr(image, name, value)
    with pytest.raises(ImageError) as error:
        check_message(image)
    assert error.value.cause in ('step', 'data')


def test_raw_messages_of_too_many_pixels_are_refused():
    image = message(np.zeros((1, 8), np.uint8), 'mono8')
    image.width = image.step = MAX_PIXELS + 1
    image.data = bytes(MAX_PIXELS + 1)
    with pytest.raises(ImageError, match='at most 67,108,864 are read') as error:
        check_message(image)
    assert error.value.cause == 'size'
