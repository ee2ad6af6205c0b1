"""Predicted maps in files: anybody's npy, npz and png, found by the name of their picture."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from eval.agd20k import Item
from eval.errors import ImageProblemError
from eval.metrics import MapError
from eval.metrics import check_map

MAP_SUFFIXES = ('.npy', '.npz', '.png')


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
            if path.is_file():
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
        ImageProblemError: If it is no map, or holds NaN or infinities.
    """
    try:
        array = _read_array(path)
        if path.suffix.lower() == '.png' or array.dtype.kind in 'iub':
            array = array.astype(np.float32)
        return check_map(np.squeeze(array) if array.ndim > 2 else array)
    except MapError as error:
        raise ImageProblemError('bad prediction', f'{path}: {error}') from error
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise ImageProblemError(
            'bad prediction', f'{path} can not be read ({error}): write it again by numpy.save'
        ) from error


def _read_array(path: Path) -> NDArray:
    if path.suffix.lower() == '.png':
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        if pixels is None:
            raise ValueError('not a whole image file')
        if pixels.ndim != 2:
            raise ValueError(
                f'a colour picture of {pixels.shape}, where a map is grey: one channel'
            )
        return np.asarray(pixels)
    loaded = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return loaded
    with loaded:
        if len(loaded.files) != 1:
            raise ValueError(f'an npz with {loaded.files}, where one array is expected')
        return np.asarray(loaded[loaded.files[0]])
