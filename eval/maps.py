# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Predicted maps in files: anybody's npy, npz and png, found by the name of their image."""

import io
import math
import os
import tokenize
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.decode import read_image_file
from affordance_ros.safe_io.files import read_bounded
from affordance_ros_eval.agd20k import Item
from affordance_ros_eval.errors import ImageProblemError
from affordance_ros_eval.metrics import MapError
from affordance_ros_eval.metrics import check_map

MAP_SUFFIXES = ('.npy', '.npz', '.png')
MAX_BYTES = 1 << 29  # 8192 x 8192 in float64


def find_map(folder: Path, item: Item) -> Path:
    """Find an item's map: `<affordance>/<object>/<name>`, or these joined by '_', or the name.

    Raises:
        ImageProblemError: If there is none, with the names that were tried.
    """
    flat = item.key.replace('/', '_')
    tried = dict.fromkeys((item.key, flat, item.name))
    for stem in tried:
        for suffix in MAP_SUFFIXES:
            path = folder / f'{stem}{suffix}'
            if os.path.isfile(path):  # Path.is_file raises where a name is too long
                return path
    names = ' or '.join(f'{stem}{{{",".join(MAP_SUFFIXES)}}}' for stem in tried)
    raise ImageProblemError(
        'missing prediction', f'{item.key} has no prediction: expected {folder}/{names}'
    )


def read_map(path: Path) -> NDArray[np.float32]:
    """Read a map.

    Args:
        path: npy, or npz with one array; floating (H, W), or 8 or 16 bit grey png.

    Returns:
        (H, W) float32, in the file's own range.

    Raises:
        ImageProblemError: If it is not a map, or holds NaN or infinities.
    """
    try:
        array = _read_array(path)
        if path.suffix.lower() == '.png' or array.dtype.kind in 'iub':
            array = array.astype(np.float32)
        return check_map(np.squeeze(array) if array.ndim > 2 else array)
    except MapError as error:
        raise ImageProblemError('bad prediction', f'{path}: {error}') from error
    except (
        OSError, ValueError, EOFError, KeyError, TypeError, SyntaxError, RecursionError,
        NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error, tokenize.TokenError,
    ) as error:  # fmt: skip
        raise ImageProblemError(
            'bad prediction', f'{path} can not be read ({error}): write it again by numpy.save'
        ) from error


def _read_array(path: Path) -> NDArray:
    if path.suffix.lower() == '.png':
        pixels = read_image_file(path, cv2.IMREAD_UNCHANGED)
        if pixels.ndim != 2:
            raise ValueError(f'a colour image of {pixels.shape}, where a map is grey: one channel')
        return np.asarray(pixels)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise ValueError(f'an npz with {names[:9]}, where one array is expected')
            if archive.getinfo(names[0]).file_size > MAX_BYTES:
                raise ValueError(f'an npz that unpacks to more than {MAX_BYTES:,} bytes')
            return _read_npy(archive.read(names[0]))
    return _read_npy(read_bounded(path, limit_bytes=MAX_BYTES))


def _read_npy(data: bytes) -> NDArray:
    """Read an npy file's bytes, whose header may not claim more than there are."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f'an npy of version {version}')
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = read_header(stream)
    if dtype.kind not in 'fiub' or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise ValueError(f'an npy of {dtype} {shape!r:.60}, where numbers are expected')
    rest = data[stream.tell() :]
    if math.prod(shape) * dtype.itemsize != len(rest):
        raise ValueError(f'an npy that claims {shape!r:.60} of {dtype} in {len(rest)} bytes')
    flat = np.frombuffer(rest, dtype)
    return flat.reshape(shape, order='F' if fortran else 'C')
