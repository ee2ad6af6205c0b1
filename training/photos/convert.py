# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Write annotated photos as a folder in RefCOCO's format, which `affordance-train` reads.

<out>/photos/instances.json        COCO: images, annotations (run lengths), categories
<out>/photos/refs(<name>).p        a pickle of plain lists, dicts, strings and numbers
<out>/photos/images/               links to the photos
"""

import json
import pickle
from collections import Counter
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from affordance_ros.safe_io.atomic import write_atomically
from affordance_ros_training.photos.parts import Part
from affordance_ros_training.photos.parts import check_parts
from affordance_ros_training.photos.parts import read_parts
from affordance_ros_training.photos.photo import Photo
from affordance_ros_training.photos.photo import read_photos
from affordance_ros_training.photos.regions import Region
from affordance_ros_training.photos.regions import boxed_handles
from affordance_ros_training.photos.regions import drawn_parts
from affordance_ros_training.photos.regions import positions
from affordance_ros_training.photos.regions import things
from affordance_ros_training.photos.vocabulary import Vocabulary

DATASET = 'photos'
_HERE = Path(__file__).parent
_ABSENT_SHARE = 1 / 3  # of the refs on a photo
_ABSENT_PHRASES = 24  # that such a ref is drawn from


@dataclass(frozen=True)
class PhotoSet:
    """One collection of photos: where it lies, and what is annotated on it."""

    name: str
    annotations: str
    parts: str = ''  # the file of part lines, if there is one
    exhaustive: bool = False  # whether everything of COCO's 80 categories is annotated


COLLECTIONS = (
    PhotoSet('coco_mini', 'instances.json', parts='coco.txt', exhaustive=True),
    PhotoSet('doordetect', 'boxes.json'),
    PhotoSet('tools_seg', 'instances.json', parts='tools.txt'),
)


def kept_out() -> frozenset[int]:
    """Return the ids of COCO's photos that nothing is trained on: the `val` split."""
    return frozenset(json.loads((_HERE / 'kept_out.json').read_text(encoding='utf-8')))


def convert(
    photos: Path, out: Path, *, licences: Collection[int] | None = None, seed: int = 0
) -> dict[str, int]:
    """Convert all collections, one RefCOCO split file for each: refs(coco_mini).p and so on.

    Args:
        photos: The folder of the collections.
        out: The folder to write.
        licences: COCO's licence numbers to train on; None takes every photo. The other
            collections have one licence each, which is free.
        seed: Of the choice of absent names.

    Returns:
        Counts of images, refs and part refs, by collection.

    Raises:
        DatasetError: If a collection is missing or damaged.
    """
    vocabulary = Vocabulary.load()
    held = kept_out()
    read = {
        c.name: read_photos(photos / c.name / c.annotations, photos / c.name / 'images')
        for c in COLLECTIONS
    }
    categories = sorted(
        {i.category for group in read.values() for p in group for i in p.instances}
    )
    everyday = {i.category for p in read['coco_mini'] for i in p.instances}
    writer = _Writer(categories)
    for collection in COLLECTIONS:
        parts = _parts(collection, read[collection.name])
        rng = np.random.default_rng([seed, COLLECTIONS.index(collection)])
        phrases = _part_phrases(read[collection.name], parts, vocabulary)
        for photo in read[collection.name]:
            if not photo.instances:
                continue
            val = collection.name == 'coco_mini' and photo.id in held
            free = photo.licence if collection.name == 'coco_mini' else None
            if not val and licences is not None and free is not None and free not in licences:
                continue
            regions = _regions(photo, parts, vocabulary)
            known = everyday if collection.exhaustive else everyday - vocabulary.common
            absent = sorted(known - set(photo.categories))
            regions += _absent(photo, absent, len(regions), phrases, vocabulary, rng)
            writer.add(collection.name, photo, regions, split='val' if val else 'train')
    writer.save(out)
    return dict(writer.counts)


def _parts(collection: PhotoSet, photos: Sequence[Photo]) -> dict[int, tuple[Part, ...]]:
    if not collection.parts:
        return {}
    path = _HERE / 'part_lines' / collection.parts
    parts = read_parts(path)
    check_parts(parts, {i.id: i for photo in photos for i in photo.instances}, path)
    return parts


def _regions(
    photo: Photo, parts: dict[int, tuple[Part, ...]], vocabulary: Vocabulary
) -> list[Region]:
    return [
        *things(photo, vocabulary),
        *positions(photo),
        *drawn_parts(photo, parts, vocabulary),
        *boxed_handles(photo),
    ]


def _part_phrases(
    photos: Sequence[Photo], parts: dict[int, tuple[Part, ...]], vocabulary: Vocabulary
) -> dict[str, list[str]]:
    """Return the part phrases of each category that has any, for photos without that category."""
    named: dict[str, set[str]] = {}
    for photo in photos:
        for instance in photo.instances:
            for part in parts.get(instance.id, ()):
                phrases = vocabulary.part(part.name, instance.category)
                named.setdefault(instance.category, set()).update(
                    phrase for phrase in phrases if instance.category in phrase
                )
    return {category: sorted(phrases) for category, phrases in named.items()}


def _absent(
    photo: Photo,
    absent: Sequence[str],
    present: int,
    part_phrases: dict[str, list[str]],
    vocabulary: Vocabulary,
    rng: np.random.Generator,
) -> Iterator[Region]:
    """Yield regions of no pixels, whose phrases name what is not on the photo."""
    empty = np.zeros((photo.height, photo.width), np.uint8)
    count = round(present * _ABSENT_SHARE / (1 - _ABSENT_SHARE))
    for _ in range(count if absent else 0):
        phrases = []
        for category in rng.choice(absent, _ABSENT_PHRASES):
            options = vocabulary.thing(str(category))
            if category in part_phrases and rng.random() < 0.4:
                options = part_phrases[str(category)]
            phrases.append(options[rng.integers(len(options))])
        yield Region(str(absent[0]), tuple(dict.fromkeys(phrases)), empty)


@dataclass
class _Writer:
    """Collects what the files will hold."""

    categories: Sequence[str]
    images: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    refs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    links: dict[str, Path] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, collection: str, photo: Photo, regions: Sequence[Region], *, split: str) -> None:
        """Take in a photo."""
        image_id = len(self.images) + 1
        file_name = f'{collection}_{photo.path.name}'
        self.links[file_name] = photo.path
        self.images.append(
            {'id': image_id, 'file_name': file_name, 'height': photo.height, 'width': photo.width}
        )
        self.counts[f'{collection}/{split}/images'] += 1
        for region in regions:
            named = region.mask.any()
            self.counts[f'{collection}/{split}/refs'] += 1
            ref = {
                'ref_id': sum(map(len, self.refs.values())) + 1,
                'ann_id': self._annotate(image_id, region.category, region.mask) if named else [],
                'category_id': self.categories.index(region.category) + 1,
                'image_id': image_id,
                'split': split,
                'sentences': [{'sent': phrase} for phrase in region.phrases],
            }
            if region.unknown is not None and region.unknown.any():
                ref['ignore_ann_id'] = self._annotate(image_id, region.category, region.unknown)
            self.refs.setdefault(collection, []).append(ref)

    def _annotate(self, image_id: int, category: str, mask: NDArray[np.uint8]) -> int:
        lengths = coco_mask.encode(np.asfortranarray(mask))
        self.annotations.append(
            {
                'id': len(self.annotations) + 1,
                'image_id': image_id,
                'category_id': self.categories.index(category) + 1,
                'segmentation': {
                    'size': [int(n) for n in lengths['size']],
                    'counts': lengths['counts'].decode('ascii'),
                },
                'area': int(mask.sum()),
                'iscrowd': 0,
            }
        )
        return len(self.annotations)

    def save(self, out: Path) -> None:
        """Write the folder; what is there already is replaced."""
        base = out / DATASET
        (base / 'images').mkdir(parents=True, exist_ok=True)
        for name, path in self.links.items():
            link = base / 'images' / name
            link.unlink(missing_ok=True)
            link.symlink_to(path.resolve())
        content = {
            'images': self.images,
            'annotations': self.annotations,
            'categories': [{'id': k, 'name': n} for k, n in enumerate(self.categories, start=1)],
        }
        write_atomically(base / 'instances.json', json.dumps(content).encode())
        for collection, refs in self.refs.items():
            write_atomically(base / f'refs({collection}).p', pickle.dumps(refs, protocol=2))
