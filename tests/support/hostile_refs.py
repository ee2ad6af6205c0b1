# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Referring data sets with the peculiarities of other people's tools; every pixel is made up."""

import io
import json
import pickle

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

HEIGHT, WIDTH = 96, 128
CORNERS = [10.0, 10.0, 50.0, 10.0, 50.0, 40.0, 10.0, 40.0]
COUNT = 6


def photo(seed):
    """Return (96, 128, 3) uint8 RGB with a red box at the left top, which CORNERS name."""
    pixels = np.random.default_rng(seed).integers(90, 130, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    pixels[10:40, 10:50] = (220, 40, 40)
    return pixels


def encoded(pixels, kind='JPEG', **options):
    """Return an image file's bytes."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def run_lengths(scale=1):
    """Return the box as COCO's compressed run lengths, of the image's size over a scale."""
    mask = np.zeros((HEIGHT // scale, WIDTH // scale), np.uint8, order='F')
    mask[10 // scale : 40 // scale, 10 // scale : 50 // scale] = 1
    rle = coco_mask.encode(mask)
    return {'size': list(mask.shape), 'counts': rle['counts'].decode()}


def write(
    root,
    *,
    segmentation=lambda n: [CORNERS],
    image=lambda n: encoded(photo(n), quality=95),
    change=lambda ref, n: None,
    refs_name='refs(made).p',
    dump=lambda refs: pickle.dumps(refs, protocol=2),
    count=COUNT,
):
    """Write a data set of `count` images, the last two in val; return its folder.

    Args:
        root: The folder that holds data sets.
        segmentation: Makes annotation n's.
        image: Makes image n's bytes.
        change: Changes ref n in place.
        refs_name: The file of the refs.
        dump: Writes them.
        count: Images, annotations and refs.
    """
    folder = root / 'toy'
    (folder / 'images').mkdir(parents=True)
    images, annotations, refs = [], [], []
    for n in range(count):
        name = f'{n:06d}.jpg'
        (folder / 'images' / name).write_bytes(image(n))
        images.append({'id': n + 1, 'file_name': name, 'height': HEIGHT, 'width': WIDTH})
        annotations.append(
            {'id': n + 1, 'image_id': n + 1, 'category_id': 1, 'segmentation': segmentation(n)}
        )
        sentence = {'tokens': ['the', 'red', 'box'], 'sent': 'the red box', 'sent_id': n}
        refs.append(
            {
                'ref_id': n + 1, 'ann_id': n + 1, 'category_id': 1, 'image_id': n + 1,
                'split': 'train' if n < count - 2 else 'val', 'sentences': [sentence],
            }
        )  # fmt: skip
        change(refs[-1], n)
    content = {
        'images': images,
        'annotations': annotations,
        'categories': [{'id': 1, 'name': 'box'}],
    }
    (folder / 'instances.json').write_text(json.dumps(content))
    (folder / refs_name).write_bytes(dump(refs))
    return folder
