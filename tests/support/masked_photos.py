# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A small set of photos with masked regions, in the format of annotations.json and of COCO."""

import json
from pathlib import Path

import cv2
import numpy as np

SIZE = (90, 120)  # rows, columns
QUERIES = {'action': 'cut', 'action_object': 'cut with the knife', 'part_object': 'blade'}


def write_masked_photos(root: Path, count: int = 6) -> Path:
    """Write noise with a bright rectangle each, which is the region; return the folder."""
    for name in ('images', 'masks'):
        (root / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    entries = []
    for number in range(count):
        image = rng.integers(0, 120, (*SIZE, 3), np.uint8)
        mask = np.zeros(SIZE, np.uint8)
        row, column = (int(v) for v in rng.integers(5, 40, 2))
        mask[row : row + 30, column : column + 40] = 255
        image[mask > 0] = 255
        cv2.imwrite(str(root / f'images/{number}.png'), image)
        cv2.imwrite(str(root / f'masks/{number}.png'), mask)
        entries.append(
            {
                'image': f'images/{number}.png',
                'mask': f'masks/{number}.png',
                'object': 'knife' if number % 2 else 'saw',
                'part': 'blade',
                'queries': QUERIES,
            }
        )
    (root / 'annotations.json').write_text(json.dumps(entries))
    return root


def write_coco_photos(root: Path, identifiers: list[int]) -> Path:
    """Write photos of a cup on the left and, on every second one, a fork on the right."""
    (root / 'images').mkdir(parents=True)
    annotations = []
    for number, identifier in enumerate(identifiers):
        image = np.random.default_rng(number).integers(0, 255, (*SIZE, 3), np.uint8)
        cv2.imwrite(str(root / f'images/{identifier}.png'), image)
        boxes = [(1, [10, 20, 40, 30]), (2, [70, 10, 30, 60])][: 1 + number % 2]
        for category, (x, y, w, h) in boxes:
            polygon = [x, y, x + w, y, x + w, y + h, x, y + h]
            annotations.append(
                {
                    'id': len(annotations),
                    'image_id': identifier,
                    'category_id': category,
                    'bbox': [x, y, w, h],
                    'segmentation': [polygon],
                    'iscrowd': 0,
                }
            )
    images = [
        {'id': i, 'file_name': f'{i}.png', 'height': SIZE[0], 'width': SIZE[1]}
        for i in identifiers
    ]
    categories = [{'id': 1, 'name': 'cup'}, {'id': 2, 'name': 'fork'}]
    content = {'images': images, 'annotations': annotations, 'categories': categories}
    (root / 'instances.json').write_text(json.dumps(content))
    return root
