# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A tiny data set in RefCOCO's format: coloured shapes, written as the original files were."""

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco_mask

COLOURS = {'red': (40, 40, 220), 'green': (60, 200, 60), 'blue': (220, 80, 40)}
SHAPES = ('box', 'disc')


def write_dataset(
    root: Path,
    *,
    name: str = 'toy',
    split_by: str = 'made',
    splits: dict[str, int] | None = None,
    protocol: int = 2,
    size: tuple[int, int] = (96, 128),
    seed: int = 0,
) -> Path:
    """Write a data set; return its folder."""
    folder = root / name
    images_folder = folder / 'images'
    images_folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    images, annotations, refs = [], [], []
    height, width = size
    for split, count in (splits or {'train': 6, 'val': 3}).items():
        for _ in range(count):
            image_id = len(images) + 1
            file_name = f'COCO_train2014_{image_id:012d}.png'
            image = rng.integers(90, 130, (height, width, 3)).astype(np.uint8)
            for place, shape in enumerate(SHAPES):
                colour = str(rng.choice(list(COLOURS)))
                mask = np.zeros((height, width), np.uint8)
                radius = int(rng.integers(height // 8, height // 5))
                x = width // 4 + place * width // 2 + int(rng.integers(-6, 7))
                y = int(rng.integers(radius, height - radius))
                if shape == 'box':
                    cv2.rectangle(mask, (x - radius, y - radius), (x + radius, y + radius), 1, -1)
                    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
                    polygon = [c for dx, dy in corners for c in (x + dx * radius, y + dy * radius)]
                    segmentation = [[float(c) for c in polygon]]
                else:
                    cv2.circle(mask, (x, y), radius, 1, -1)
                    rle = coco_mask.encode(np.asfortranarray(mask))
                    segmentation = {'size': [height, width], 'counts': rle['counts'].decode()}
                image[mask > 0] = COLOURS[colour]
                ann_id = len(annotations) + 1
                annotations.append(
                    {
                        'id': ann_id,
                        'image_id': image_id,
                        'category_id': place + 1,
                        'segmentation': segmentation,
                        'iscrowd': 0,
                    }
                )
                side = 'left' if place == 0 else 'right'
                texts = [f'the {colour} {shape}', f'{shape} on the {side}']
                refs.append(
                    {
                        'ref_id': len(refs) + 1,
                        'ann_id': ann_id,
                        'category_id': place + 1,
                        'image_id': image_id,
                        'file_name': file_name.replace('.png', f'_{ann_id}.png'),
                        'split': split,
                        'sent_ids': [2 * ann_id, 2 * ann_id + 1],
                        'sentences': [
                            {'tokens': t.split(), 'raw': t, 'sent_id': 2 * ann_id + i, 'sent': t}
                            for i, t in enumerate(texts)
                        ],
                    }
                )
            cv2.imwrite(str(images_folder / file_name), image)
            images.append(
                {'id': image_id, 'file_name': file_name, 'height': height, 'width': width}
            )
    content = {
        'images': images,
        'annotations': annotations,
        'categories': [{'id': i + 1, 'name': shape} for i, shape in enumerate(SHAPES)],
    }
    (folder / 'instances.json').write_text(json.dumps(content))
    (folder / f'refs({split_by}).p').write_bytes(pickle.dumps(refs, protocol=protocol))
    return folder
