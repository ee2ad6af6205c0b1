# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Decode image files' bytes once their own header has said that this is affordable.

A compressed image of some hundred bytes can claim a billion pixels, and a decoder allocates them
before it finds out. So the size is read from the header first. JPEG, PNG, WebP and BMP are read;
the many other formats that OpenCV knows are refused unseen.

OpenCV also decodes half a file, or one with a hole, without a word, which of them depends on its
version. So what a format says of its own length and checksums is held first.
"""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.jpeg_scan import damage_of
from affordance_ros.image.orientation import upright
from affordance_ros.safe_io.files import read_bounded

MAX_PIXELS = 1 << 26  # 8192 x 8192: twice a camera of 8K
MAX_BYTES = 1 << 28
_PNG = b'\x89PNG\r\n\x1a\n'
# Markers of JPEG (ITU-T T.81, table B.1): frame headers, and those that no length follows.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset(range(0xD0, 0xD8)) | {0x01}


class EncodedImageError(ValueError):
    """Bytes are not a whole image of a known format, or it is too large."""


def read_image_file(path: Path, flags: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8]:
    """Read and decode an image file; see `decode_image`.

    Raises:
        EncodedImageError: As `decode_image`.
        OSError: If it can't be read or is too large.
    """
    # Not imread: it says nothing of a missing file, and fails on non-ASCII paths on some systems.
    return decode_image(read_bounded(path, limit_bytes=MAX_BYTES), flags)


def decode_image(data: 'bytes | memoryview', flags: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8]:
    """Decode an image.

    Args:
        data: A whole file's bytes.
        flags: As of cv2.imdecode; unless they say otherwise, the image is turned upright.

    Returns:
        (H, W) or (H, W, C), uint8 unless the flags keep other depths.

    Raises:
        EncodedImageError: Saying what came and what is read.
    """
    height, width = image_size(data)
    if height * width > MAX_PIXELS:
        raise EncodedImageError(
            f'{len(data)} bytes that claim {width}x{height} pixels; at most {MAX_PIXELS:,} pixels '
            f'are decoded'
        )
    if damage := _damage_of(data):
        raise EncodedImageError(f'{len(data)} bytes that are {_EXPECTED}: {damage}')
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        pixels = None
    if pixels is None or pixels.size == 0:
        raise EncodedImageError(f'{len(data)} bytes that are {_EXPECTED}')
    if flags & cv2.IMREAD_IGNORE_ORIENTATION:
        return np.asarray(pixels)
    return upright(pixels, bytes(data))


def image_size(data: 'bytes | memoryview') -> tuple[int, int]:
    """Return (height, width) in pixels, as an image's header claims.

    Raises:
        EncodedImageError: If the header is none of a format that is read, or is cut off.
    """
    head = bytes(data[:16])
    measure = next((m for magic, m in _MEASURES.items() if head.startswith(magic)), None)
    size = None
    if measure is not None:
        try:
            size = measure(memoryview(data).cast('B'))
        except (struct.error, IndexError):
            size = None  # cut off
    if size is None or min(size) < 1:
        raise EncodedImageError(f'{len(data)} bytes that are {_EXPECTED}')
    return size


def _damage_of(data: 'bytes | memoryview') -> str:
    """Return what is missing in a file whose header was read; '' where nothing is known to be."""
    whole = bytes(data)
    check = next(c for magic, c in _CHECKS.items() if whole.startswith(magic))
    try:
        return check(whole)
    except (struct.error, IndexError):
        return 'it is cut off'


def _png_damage(data: bytes) -> str:
    """Compare every chunk's checksum; that they are all there was seen with the size."""
    at, kind = len(_PNG), b''
    while kind != b'IEND':
        length, kind = struct.unpack_from('>I4s', data, at)
        (checksum,) = struct.unpack_from('>I', data, at + 8 + length)
        if zlib.crc32(memoryview(data)[at + 4 : at + 8 + length]) != checksum:
            return f'its chunk {kind.decode("latin-1")} has another checksum'
        at += 12 + length
    return ''


def _bmp_damage(data: bytes) -> str:
    start, header = struct.unpack_from('<II', data, 10)
    size = _measure_bmp(memoryview(data))
    bits, compression = struct.unpack_from('<HI', data, 28) if header >= 40 else (0, 0)
    if header == 12:
        (bits,) = struct.unpack_from('<H', data, 24)
    if size is None or compression not in (0, 3):
        return ''
    needed = start + size[0] * ((size[1] * bits + 31) // 32 * 4)
    return '' if len(data) >= needed else f'it has {len(data)} bytes of {needed}: it is cut off'


def _webp_damage(data: bytes) -> str:
    """Compare the chunks' lengths, and look for zeros that a coder of bits never writes."""
    (length,) = struct.unpack_from('<I', data, 4)
    if len(data) < 8 + length:
        return f'it has {len(data)} bytes of {8 + length}: it is cut off'
    at = 12
    while at + 8 <= 8 + length:
        kind, size = struct.unpack_from('<4sI', data, at)
        end = at + 8 + size
        if end > 8 + length:
            return 'it ends within a chunk: it is cut off'
        hole = _WEBP_HOLES.get(kind)
        place = data.find(bytes(hole), at + 8, end) if hole else -1
        if place >= 0:
            return f'bytes {place} and on are zero: it has a hole'
        at = end + size % 2
    return ''


def _measure_png(data: memoryview) -> tuple[int, int] | None:
    """Read the first chunk, IHDR, and see that every chunk is there.

    OpenCV makes room for as many bytes as a chunk claims, and takes seconds over some hundred.
    """
    width, height = struct.unpack_from('>II', data, 16)
    if data[12:16] != b'IHDR':
        return None
    at, kind = len(_PNG), b''
    while kind != b'IEND':
        length, kind = struct.unpack_from('>I4s', data, at)
        at += 12 + length
        if at > len(data):
            return None
    return height, width


def _measure_jpeg(data: memoryview) -> tuple[int, int] | None:
    """Walk over the segments as libjpeg does, bytes between them skipped, to the frame header."""
    at = 2
    while at < len(data):
        if data[at] != 0xFF:
            at += 1
            continue
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif marker == 0 or marker in _BARE:
            at += 2
        elif marker in _FRAMES:
            height, width = struct.unpack_from('>HH', data, at + 5)
            return height, width
        elif marker == 0xD9:  # the end, before any frame
            return None
        else:
            (length,) = struct.unpack_from('>H', data, at + 2)
            at += 2 + length
    return None


def _measure_bmp(data: memoryview) -> tuple[int, int] | None:
    (header,) = struct.unpack_from('<I', data, 14)
    width, height = struct.unpack_from('<HH' if header == 12 else '<ii', data, 18)
    return abs(height), abs(width)  # negative: the rows stand upside down


def _measure_webp(data: memoryview) -> tuple[int, int] | None:
    if data[8:12] != b'WEBP':
        return None
    kind = bytes(data[12:16])
    if kind == b'VP8X':
        width = int.from_bytes(data[24:27], 'little') + 1
        height = int.from_bytes(data[27:30], 'little') + 1
        return (height, width) if len(data) >= 30 else None
    if kind == b'VP8L':
        (bits,) = struct.unpack_from('<I', data, 21)
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    if kind == b'VP8 ':
        width, height = struct.unpack_from('<HH', data, 26)
        return height & 0x3FFF, width & 0x3FFF
    return None


_MEASURES: dict[bytes, Callable[[memoryview], tuple[int, int] | None]] = {
    b'\xff\xd8': _measure_jpeg,
    _PNG: _measure_png,
    b'BM': _measure_bmp,
    b'RIFF': _measure_webp,
}
_CHECKS: dict[bytes, Callable[[bytes], str]] = {
    b'\xff\xd8': damage_of,
    _PNG: _png_damage,
    b'BM': _bmp_damage,
    b'RIFF': _webp_damage,
}
# Zero bytes in a row that lossy and lossless data don't have.
_WEBP_HOLES = {b'VP8 ': 64, b'VP8L': 256}
_EXPECTED = 'not a whole JPEG, PNG, WebP or BMP image'
