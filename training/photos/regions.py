# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The regions of a photo that can be named truly, and their phrases."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros_training.photos.parts import Part
from affordance_ros_training.photos.photo import Instance
from affordance_ros_training.photos.photo import Photo
from affordance_ros_training.photos.vocabulary import Vocabulary

_MIN_APART = 0.15  # of the photo's width, for one thing to be the left one
_MIN_RATIO = 2.0  # of the areas, for one thing to be the larger one


@dataclass(frozen=True)
class Region:
    """Pixels and the phrases that name them."""

    category: str
    phrases: tuple[str, ...]
    mask: NDArray[np.uint8]  # (H, W), 0 or 1; empty if the phrases name nothing here
    # Pixels of which nobody knows whether they belong: (H, W), 0 or 1; None where all is known.
    unknown: NDArray[np.uint8] | None = None


def things(photo: Photo, vocabulary: Vocabulary) -> list[Region]:
    """Return a region for each category, all its instances together."""
    return [
        Region(category, tuple(vocabulary.thing(category)), _union(instances))
        for category, instances in photo.categories.items()
    ]


def positions(photo: Photo) -> list[Region]:
    """Return the left, right and larger one of two things of a category."""
    regions = []
    for category, instances in photo.categories.items():
        if len(instances) != 2 or any(instance.crowd for instance in instances):
            continue
        masks = [instance.mask for instance in instances]
        left, right = sorted(masks, key=_centre_x)
        if _centre_x(right) - _centre_x(left) > _MIN_APART * photo.width:
            for side, mask in (('left', left), ('right', right)):
                phrases = (f'{side} {category}', f'the {category} on the {side}')
                regions.append(Region(category, phrases, mask))
        small, large = sorted(masks, key=lambda mask: int(mask.sum()))
        if large.sum() > _MIN_RATIO * small.sum():
            phrases = (f'the larger {category}', f'big {category}')
            regions.append(Region(category, phrases, large))
    return regions


def drawn_parts(
    photo: Photo, parts: Mapping[int, tuple[Part, ...]], vocabulary: Vocabulary
) -> list[Region]:
    """Return a region for each part of each category that was drawn by hand.

    Instances whose parts nobody has drawn are unknown. Where every cup was looked at and none has
    a handle, "handle of the cup" names nothing.
    """
    regions = []
    for category, instances in photo.categories.items():
        drawn: dict[str, list[NDArray[np.uint8]]] = {}
        for instance in instances:
            for part in parts.get(instance.id, ()):
                drawn.setdefault(part.name, []).append(part.mask(instance.mask))
        if not drawn:
            continue
        others = [instance for instance in instances if instance.id not in parts]
        for name, masks in drawn.items():
            mask = np.maximum.reduce(masks)
            unknown = (_union(others) & ~mask) if others else None
            phrases = tuple(vocabulary.part(name, category))
            regions.append(Region(category, phrases, mask, unknown))
        if category == 'cup' and 'handle' not in drawn and not others:
            empty = np.zeros((photo.height, photo.width), np.uint8)
            regions.append(Region(category, tuple(vocabulary.part('handle', category)), empty))
    return regions


# Whose handle a box of a handle is, and what it is then called (DoorDetect's categories).
_HANDLED = {
    'cabinet door': ('cabinet', 'cabinet door', 'cupboard', 'drawer'),
    'refrigerator door': ('refrigerator', 'fridge', 'refrigerator door'),
    'door': ('door',),
}
_REACH_PX = 4  # how far a handle's centre may lie outside its door's box


def boxed_handles(photo: Photo) -> list[Region]:
    """Return the handles of each kind of door, for photos whose handles are boxes."""
    categories = photo.categories
    doors = [
        (kind, cv2.boundingRect(door.mask))
        for kind in _HANDLED
        for door in categories.get(kind, ())
    ]
    found: dict[str, list[Instance]] = {}
    for handle in categories.get('handle', ()):
        x, y, width, height = cv2.boundingRect(handle.mask)
        for kind, box in doors:
            if _holds(box, x + width / 2, y + height / 2):
                found.setdefault(kind, []).append(handle)
                break
    return [
        Region(
            'handle',
            tuple(
                p for name in _HANDLED[kind] for p in (f'handle of the {name}', f'{name} handle')
            ),
            _union(handles),
        )
        for kind, handles in found.items()
    ]


def _holds(box: tuple[int, int, int, int], x: float, y: float) -> bool:
    left, top, width, height = box
    return (
        left - _REACH_PX <= x <= left + width + _REACH_PX
        and top - _REACH_PX <= y <= top + height + _REACH_PX
    )


def _union(instances: list[Instance]) -> NDArray[np.uint8]:
    return np.maximum.reduce([instance.mask for instance in instances])


def _centre_x(mask: NDArray[np.uint8]) -> float:
    x, _, width, _ = cv2.boundingRect(mask)
    return x + width / 2
