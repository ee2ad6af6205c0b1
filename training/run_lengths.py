# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Check COCO's masks before pycocotools, whose C code believes them, draws them."""

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from affordance_ros.image.decode import MAX_PIXELS


class NoPolygonError(ValueError):
    """A segmentation has not one part that covers anything."""


def union(segmentations: Sequence[Any], size: tuple[int, int]) -> str:
    """Return the union of segmentations as compressed run lengths.

    Args:
        segmentations: Each a list of polygons, or run lengths as COCO writes them (a list of
            counts, or compressed to a text). None at all is a region of nothing.
        size: (height, width) of the image.

    Raises:
        ValueError: If the size is none of an image, a polygon lies far outside it, run lengths
            don't add up to it or are of another size, or a segmentation has not one polygon.
        TypeError: If a number is none.
        KeyError: If run lengths have no counts.
    """
    height, width = size
    if min(size) < 1 or height * width > MAX_PIXELS:
        raise ValueError(f'an image of {width}x{height} pixels; at most {MAX_PIXELS:,} are read')
    parts: list[Any] = []
    for segmentation in segmentations:
        if isinstance(segmentation, list):
            parts += coco_mask.frPyObjects(_polygons(segmentation, size), height, width)
        else:
            counts = segmentation['counts']
            own = segmentation.get('size', [height, width])
            if list(own) != [height, width]:
                raise ValueError(
                    f'run lengths of size {own!r:.40}, where [height, width] of the image is '
                    f'{[height, width]}'
                )
            lengths = counts if isinstance(counts, list) else _decompress(counts)
            rle = {'size': [height, width], 'counts': _run_lengths(lengths, height * width)}
            parts.append(coco_mask.frPyObjects(rle, height, width))
    if not parts:
        empty = coco_mask.encode(np.zeros((height, width), np.uint8, order='F'))
        return str(empty['counts'].decode())
    return str(coco_mask.merge(parts)['counts'].decode())


def _polygons(parts: Sequence[Any], size: tuple[int, int]) -> list[list[float]]:
    """Return the parts that are polygons.

    Raises:
        NoPolygonError: If not one is, so that the region would be of nothing.
    """
    if any(isinstance(part, int | float) for part in parts):
        raise NoPolygonError(
            'a polygon as a flat list: COCO writes a list of polygons, [[x, y, x, y, ...]]'
        )
    # A polygon needs three corners; a few of COCO's parts have fewer and cover nothing.
    polygons = [_polygon(part, size) for part in parts if len(part) >= 6]
    if not polygons:
        lengths = sorted({len(part) for part in parts})
        raise NoPolygonError(
            f'{len(parts)} parts of {lengths} numbers, not one of them a polygon: COCO writes '
            f'[[x, y, x, y, x, y, ...]], three corners at least, and neither pairs nor boxes'
        )
    return polygons


def _polygon(corners: Sequence[Any], size: tuple[int, int]) -> list[float]:
    """Check corners: drawing takes memory in proportion to their distance."""
    reach = max(size)
    if len(corners) % 2:
        raise ValueError(f'a polygon of {len(corners)} numbers, which are not pairs')
    values = [math.nan if isinstance(c, str) else float(c) for c in corners]
    if not all(-reach <= value <= 2 * reach for value in values):
        raise ValueError(f'a polygon with corners far outside of its {size[1]}x{size[0]} pixels')
    return values


def _run_lengths(lengths: Sequence[Any], pixels: int) -> list[int]:
    checked = [operator.index(length) for length in lengths]
    if any(length < 0 for length in checked) or sum(checked) != pixels:
        raise ValueError(f'run lengths that do not add up to {pixels:,} pixels')
    return checked


def _decompress(text: str) -> list[int]:
    """Undo COCO's compression (maskApi.c, rleFrString), in numbers without limits.

    Six bits a character, five of them value, from the lowest; from the third on, lengths are
    written as the difference to the one before the last.
    """
    lengths: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError('run lengths that are not as COCO compresses them')
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError('run lengths that are cut off')
    return lengths
