# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Annotated photos: COCO-format files with masks, or with boxes alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from affordance_ros.safe_io.files import join_inside
from affordance_ros_training.refer import DatasetError
from affordance_ros_training.run_lengths import union


@dataclass(frozen=True)
class Instance:
    """One annotated thing."""

    id: int
    category: str
    mask: NDArray[np.uint8]  # (H, W), 0 or 1
    crowd: bool


@dataclass(frozen=True)
class Photo:
    """A photo with everything that is annotated on it."""

    id: int
    path: Path
    height: int
    width: int
    licence: int | None  # COCO's number, where the file has one
    instances: tuple[Instance, ...]

    @property
    def categories(self) -> dict[str, list[Instance]]:
        """The instances by category, in order of annotation."""
        found: dict[str, list[Instance]] = {}
        for instance in self.instances:
            found.setdefault(instance.category, []).append(instance)
        return found


def read_photos(annotations: Path, images: Path) -> list[Photo]:
    """Read a COCO-format file; an annotation without a segmentation is its box.

    Raises:
        DatasetError: If the file is missing or not of this format.
    """
    try:
        content = json.loads(annotations.read_text(encoding='utf-8'))
        categories = {entry['id']: entry['name'].lower() for entry in content['categories']}
        by_image: dict[int, list[Mapping[str, Any]]] = {}
        for entry in content['annotations']:
            by_image.setdefault(entry['image_id'], []).append(entry)
        photos = []
        for image in content['images']:
            size = (int(image['height']), int(image['width']))
            instances = tuple(
                Instance(
                    entry['id'],
                    categories[entry['category_id']],
                    _mask(entry, size),
                    bool(entry.get('iscrowd')),
                )
                for entry in by_image.get(image['id'], ())
            )
            seen = tuple(instance for instance in instances if instance.mask.any())
            path = join_inside(images, image['file_name'])
            photos.append(Photo(image['id'], path, *size, image.get('license'), seen))
    except OSError as error:
        raise DatasetError(
            f'{annotations}: {error.strerror}; give the folder that holds coco_mini, doordetect '
            f'and tools_seg'
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f'{annotations} is not as COCO writes it ({type(error).__name__}: {error})'
        ) from error
    return photos


def _mask(entry: Mapping[str, Any], size: tuple[int, int]) -> NDArray[np.uint8]:
    if segmentation := entry.get('segmentation'):
        counts = union([segmentation], size).encode()
        return np.asarray(coco_mask.decode({'size': list(size), 'counts': counts}), np.uint8)
    x, y, width, height = entry['bbox']
    mask = np.zeros(size, np.uint8)
    mask[int(y) : int(np.ceil(y + height)), int(x) : int(np.ceil(x + width))] = 1
    return mask
