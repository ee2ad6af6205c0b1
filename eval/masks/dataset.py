# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Sets of photos with one masked region each, and the phrases that ask for it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.decode import EncodedImageError
from affordance_ros.image.decode import read_image_file
from affordance_ros.safe_io.files import join_inside
from affordance_ros.safe_io.files import read_bounded
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import ImageProblemError

ANNOTATIONS = 'annotations.json'
_MAX_BYTES = 1 << 26
_MIDDLE = 128  # a mask's pixels from here on are in the region


@dataclass(frozen=True)
class MaskedPhoto:
    """A photo, its region, and how people ask for it."""

    image: Path
    mask: Path
    object: str
    part: str  # '' where the set names none
    queries: Mapping[str, str]  # by kind: action, action_object, part_object

    @property
    def key(self) -> str:
        """The photo's name in reports; each region of a photo has its own."""
        return self.mask.stem


def read_masked_photos(root: Path) -> list[MaskedPhoto]:
    """Read a set's annotations.json.

    It is a list of objects with `image` and `mask`, paths below the folder; `object`; `part`,
    which may be left out; and `queries`, texts by their kind.

    Raises:
        EvaluationError: If it is missing, malformed or empty.
    """
    path = root / ANNOTATIONS
    try:
        content = json.loads(read_bounded(path, limit_bytes=_MAX_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise EvaluationError(
            f'{path} can not be read ({error}): give the folder of {ANNOTATIONS}, images and masks'
        ) from error
    if not isinstance(content, list) or not content:
        raise EvaluationError(f'{path} is not a list of photos, or is empty')
    return [_photo(root, entry, f'{path}, entry {n}') for n, entry in enumerate(content)]


def _photo(root: Path, entry: Any, where: str) -> MaskedPhoto:
    if not isinstance(entry, dict):
        raise EvaluationError(f'{where} is {entry!r:.40}, not an object')
    missing = [key for key in ('image', 'mask', 'object', 'queries') if key not in entry]
    if missing:
        raise EvaluationError(f'{where} has no {", ".join(missing)}')
    queries = entry['queries']
    texts = [entry['image'], entry['mask'], entry['object'], entry.get('part', '')]
    if not isinstance(queries, dict) or not queries:
        raise EvaluationError(f'{where}: queries is {queries!r:.40}, not texts by their kind')
    texts += [text for pair in queries.items() for text in pair]
    if not all(isinstance(text, str) for text in texts):
        raise EvaluationError(f'{where} holds something that is not a text')
    try:
        image, mask = (join_inside(root, entry[key]) for key in ('image', 'mask'))
    except OSError as error:
        raise EvaluationError(f'{where}: {error.strerror}') from error
    return MaskedPhoto(image, mask, entry['object'], entry.get('part', ''), queries)


def read_photo(photo: MaskedPhoto) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Read a photo and its mask.

    Returns:
        (H, W, 3) uint8 BGR, and (H, W) bool.

    Raises:
        ImageProblemError: If a file can't be read, they differ in size, or the mask is empty.
    """
    try:
        image = read_image_file(photo.image)
        mask = read_image_file(photo.mask, cv2.IMREAD_GRAYSCALE) >= _MIDDLE
    except (OSError, EncodedImageError) as error:
        raise ImageProblemError('not readable', f'{photo.key}: {error}') from error
    if mask.shape != image.shape[:2]:
        raise ImageProblemError(
            'size', f'{photo.mask} is {mask.shape}, and its photo {image.shape[:2]} pixels'
        )
    if not mask.any():
        raise ImageProblemError('empty mask', f'{photo.mask} has no pixel in the region')
    return image, mask
