# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Image-caption lists for contrastive pretraining: JSON lines, and the pixels kept decoded.

Each line names an image (relative to the list's folder), its captions, and, where the captions are
of a part of the image alone, that part's box:

    {"image": "images/000001.jpg", "captions": ["a red mug", "something to drink from"],
     "box": [x, y, width, height]}
"""

import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.decode import EncodedImageError
from affordance_ros.image.decode import read_image_file
from affordance_ros.safe_io.files import FileRefusedError
from affordance_ros.safe_io.files import join_inside
from affordance_ros.safe_io.files import read_bounded

_log = logging.getLogger(__name__)
_MAX_LIST_BYTES = 1 << 29


class CaptionListError(RuntimeError):
    """A list of captions or one of its images is missing or damaged."""


@dataclass(frozen=True)
class Captioned:
    """An image, or a part of one, with what is said of it.

    Attributes:
        image: Index into the list's images.
        captions: Texts, at least one; any of them may stand for the picture.
        box: x, y, width, height in pixels; None for the whole image.
    """

    image: int
    captions: tuple[str, ...]
    box: tuple[float, float, float, float] | None


@dataclass(frozen=True)
class CaptionList:
    """Images and their captions.

    Attributes:
        images: The image files, each once.
        entries: The lines of the list.
    """

    images: tuple[Path, ...]
    entries: tuple[Captioned, ...]


def read_captions(path: Path) -> CaptionList:
    """Read an image-caption list.

    Raises:
        CaptionListError: Naming the line that is wrong, or the images that are missing.
    """
    try:
        lines = read_bounded(path, limit_bytes=_MAX_LIST_BYTES).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CaptionListError(f'the caption list {path} is not readable: {error}') from error
    images: dict[str, int] = {}
    entries = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, captions, box = _check_line(path, number, line)
        entries.append(Captioned(images.setdefault(name, len(images)), captions, box))
    if not entries:
        raise CaptionListError(f'the caption list {path} is empty')
    try:
        files = tuple(join_inside(path.parent, name) for name in images)
    except FileRefusedError as error:
        raise CaptionListError(f'{path}: {error.strerror}') from error
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise CaptionListError(
            f'{path}: {len(missing)} of {len(files)} images are missing, such as {missing[0]}; '
            f'image names are relative to {path.parent}'
        )
    return CaptionList(files, tuple(entries))


def _check_line(
    path: Path, number: int, line: str
) -> tuple[str, tuple[str, ...], tuple[float, float, float, float] | None]:
    try:
        record: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CaptionListError(f'{path}, line {number} is not JSON: {error}') from error
    name = record.get('image') if isinstance(record, dict) else None
    captions = record.get('captions') if isinstance(record, dict) else None
    texts = tuple(captions) if isinstance(captions, list) else ()
    if not isinstance(name, str) or not texts or not all(isinstance(t, str) for t in texts):
        raise CaptionListError(
            f"{path}, line {number}: expected an object with 'image' (a text) and 'captions' (a "
            f'list of texts), not {line!r:.80}'
        )
    box = record.get('box')
    if box is None:
        return name, texts, None
    if not isinstance(box, list) or len(box) != 4 or not (box[2] > 0 and box[3] > 0):
        raise CaptionListError(
            f"{path}, line {number}: 'box' is {box!r:.60}, expected "
            f'[x, y, width, height] in pixels'
        )
    x, y, width, height = (float(value) for value in box)
    return name, texts, (x, y, width, height)


class PixelStore:
    """All images of a list, decoded once and memory-mapped, so that a crop costs microseconds.

    Args:
        files: The images.
        path: The file to keep the pixels in; what lies there already is used again if it is of
            the same images.
    """

    def __init__(self, files: Sequence[Path], path: Path) -> None:
        self._index = self._prepare(files, path)
        self._data = np.memmap(path, np.uint8, 'r')

    def __getitem__(self, image: int) -> NDArray[np.uint8]:
        """Return an image, (H, W, 3) uint8 RGB."""
        offset, height, width = self._index[image]
        return self._data[offset : offset + height * width * 3].reshape(height, width, 3)

    def _prepare(self, files: Sequence[Path], path: Path) -> list[tuple[int, int, int]]:
        note = path.with_suffix('.json')
        stamp = [[str(file), file.stat().st_size, file.stat().st_mtime_ns] for file in files]
        if note.is_file() and path.is_file():
            known = json.loads(note.read_text(encoding='utf-8'))
            if known['files'] == stamp:
                return [(o, h, w) for o, h, w in known['index']]
        _log.info('decoding %d images into %s', len(files), path)
        path.parent.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        index = []
        offset = 0
        with path.open('wb') as store, ThreadPoolExecutor() as pool:
            for pixels in pool.map(_decode, files):
                index.append((offset, pixels.shape[0], pixels.shape[1]))
                store.write(pixels.tobytes())
                offset += pixels.size
        note.write_text(json.dumps({'files': stamp, 'index': index}), encoding='utf-8')
        return index


def _decode(file: Path) -> NDArray[np.uint8]:
    try:
        pixels = read_image_file(file)
    except (OSError, EncodedImageError) as error:
        raise CaptionListError(f'{file} is not readable ({error}): write it again') from error
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
