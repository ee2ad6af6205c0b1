# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""EXIF orientation of JPEG, PNG and WebP files: what OpenCV heeds depends on its version."""

import struct
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

_ORIENTATION = 0x0112
# For each orientation: whether rows and columns are swapped, and then which way it is flipped.
_TURNS: dict[int, tuple[bool, int | None]] = {
    2: (False, 1), 3: (False, -1), 4: (False, 0),
    5: (True, None), 6: (True, 1), 7: (True, -1), 8: (True, 0),
}  # fmt: skip


def upright(pixels: NDArray, data: bytes) -> NDArray:
    """Turn an image as its file's EXIF says.

    Args:
        pixels: (H, W) or (H, W, C), as it is stored.
        data: The file's bytes, whole.
    """
    swap, flip = _TURNS.get(_orientation_of(data), (False, None))
    if swap:
        pixels = np.asarray(cv2.transpose(pixels))
    return pixels if flip is None else np.asarray(cv2.flip(pixels, flip))


def _orientation_of(data: bytes) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where there is none, or none that can be read."""
    for block in _exif_blocks(data):
        tiff = block.removeprefix(b'Exif\0\0')
        order = {b'II': '<', b'MM': '>'}.get(tiff[:2])
        if order is None:
            continue
        try:
            (at,) = struct.unpack_from(f'{order}I', tiff, 4)
            (count,) = struct.unpack_from(f'{order}H', tiff, at)
            for entry in range(at + 2, at + 2 + 12 * count, 12):
                tag, _, _, value = struct.unpack_from(f'{order}HHIH', tiff, entry)
                if tag == _ORIENTATION:
                    return int(value)
        except struct.error:
            continue
    return 1


def _exif_blocks(data: bytes) -> Iterator[bytes]:
    if data[:2] == b'\xff\xd8':
        at = 2
        while data[at : at + 1] == b'\xff' and data[at + 1] not in (0xDA, 0xD9):
            length = int.from_bytes(data[at + 2 : at + 4], 'big')
            if data[at + 1] == 0xE1 and data[at + 4 : at + 10] == b'Exif\0\0':
                yield data[at + 4 : at + 2 + length]
            at += 2 + length
    elif data[:4] == b'\x89PNG':
        at = 8
        while at + 8 <= len(data):
            length = int.from_bytes(data[at : at + 4], 'big')
            if data[at + 4 : at + 8] == b'eXIf':
                yield data[at + 8 : at + 8 + length]
            at += 12 + length
    elif data[:4] == b'RIFF':
        at = 12
        while at + 8 <= len(data):
            length = int.from_bytes(data[at + 4 : at + 8], 'little')
            if data[at : at + 4] == b'EXIF':
                yield data[at + 8 : at + 8 + length]
            at += 8 + length + length % 2
