# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The converted form of a referring data set: JSON lines, one image a line, masks as RLE.

Converting reads the original files once; afterwards nothing is unpickled any more, and a training
run starts in a second.
"""

import json
import logging
import os
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from affordance_ros.safe_io.atomic import write_atomically
from affordance_ros.safe_io.files import join_inside
from affordance_ros.safe_io.files import sha256_of_file
from affordance_ros_training.refer import DatasetError
from affordance_ros_training.refer import DatasetSpec
from affordance_ros_training.refer import SourceFiles
from affordance_ros_training.refer import check_counts
from affordance_ros_training.refer import in_split
from affordance_ros_training.refer import locate
from affordance_ros_training.refer import read_instances
from affordance_ros_training.refer import read_refs
from affordance_ros_training.run_lengths import NoPolygonError
from affordance_ros_training.run_lengths import union

_log = logging.getLogger(__name__)
_FORMAT = 'affordance_ros.refer'
_FORMAT_VERSION = 3
_REFUSED_SHARE = 0.01  # of the annotations that refs name


@dataclass(frozen=True)
class Referral:
    """A region of an image and the sentences that name it.

    Attributes:
        ref_id: The ref's id in the original files.
        categories: The names of the region's categories; empty if that is not known.
        sentences: Texts, at least one.
        counts: The mask in COCO's compressed run-length form, at the image's size.
        unknown: Likewise, pixels that count neither as the region nor as background; '' for none.
    """

    ref_id: int
    categories: frozenset[str]
    sentences: tuple[str, ...]
    counts: str
    unknown: str = ''


@dataclass(frozen=True)
class ReferImage:
    """An image and what is referred to in it.

    Attributes:
        path: The image file.
        height: In pixels, as the annotations say.
        width: In pixels.
        categories: The categories of all annotated objects, referred to or not.
        referrals: Those of one split, in the original order.
    """

    path: Path
    height: int
    width: int
    categories: frozenset[str]
    referrals: tuple[Referral, ...]

    def mask(self, referral: Referral) -> NDArray[np.uint8]:
        """Return a referral's mask, (height, width) uint8, 0 or 1."""
        return self._decode(referral.counts)

    def unknown(self, referral: Referral) -> NDArray[np.uint8] | None:
        """Return which pixels nobody knows about, (height, width) uint8, 0 or 1; None for none."""
        return self._decode(referral.unknown) if referral.unknown else None

    def _decode(self, counts: str) -> NDArray[np.uint8]:
        rle = {'size': [self.height, self.width], 'counts': counts.encode()}
        return np.asarray(coco_mask.decode(rle), np.uint8)


def load_images(
    spec: DatasetSpec, split: str, *, root: Path, cache: Path, images: str = ''
) -> list[ReferImage]:
    """Return a split of a data set, converting it first if that was not done yet.

    Args:
        spec: The data set.
        split: train, val, test, testA, testB...
        root: The folder that holds one folder for each data set.
        cache: The folder for converted files.
        images: The folder of images; see `locate`.

    Raises:
        DatasetError: If files are missing or damaged, or the split is unknown or empty.
    """
    files = locate(spec, root, images=images)
    converted = cache / f'{spec.name}-{spec.split_by}.jsonl'
    sources = {path.name: sha256_of_file(path) for path in (files.instances, files.refs)}
    if _header(converted).get('sources') != sources:
        try:
            _convert(spec, files, converted, sources)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise DatasetError(
                f'{files.instances} is not as COCO writes it ({type(error).__name__}: {error}); '
                f'an image needs id, file_name, height and width, an annotation id, image_id, '
                f'category_id and segmentation, a category id and name'
            ) from error
    known: set[str] = set()
    found = []
    for record in _records(converted):
        known.update(ref['split'] for ref in record['refs'])
        try:
            image = _to_image(record, split, files.images)
        except OSError as error:
            raise DatasetError(f'{files.instances}: {error.strerror}') from error
        if image.referrals:
            found.append(image)
    if not found:
        raise DatasetError(
            f'{spec} has no refs in the split {split!r}; it has {", ".join(sorted(known))}'
        )
    _check_images(spec, found, files.images)
    return found


def _to_image(record: Mapping[str, Any], split: str, folder: Path) -> ReferImage:
    referrals = tuple(
        Referral(
            ref['ref_id'],
            frozenset(ref['categories']),
            tuple(ref['sentences']),
            ref['counts'],
            ref.get('unknown', ''),
        )
        for ref in record['refs']
        if in_split(ref['split'], split)
    )
    return ReferImage(
        path=join_inside(folder, record['file_name']),
        height=record['height'],
        width=record['width'],
        categories=frozenset(record['categories']),
        referrals=referrals,
    )


def _unknown(
    ref: Mapping[str, Any], annotations: Mapping[int, Mapping[str, Any]], size: tuple[int, int]
) -> dict[str, str]:
    ignored = [annotations[a]['segmentation'] for a in ref['ignore_ann_ids']]
    return {'unknown': union(ignored, size)} if ignored else {}


def _check_images(spec: DatasetSpec, images: Sequence[ReferImage], folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    # os.path: a name that is too long is one more that is missing.
    missing = [
        path
        for path in (image.path for image in images)
        if path.name not in names and not os.path.isfile(path)
    ]
    if missing:
        examples = ''.join(f'\n  {path}' for path in missing[:5])
        raise DatasetError(
            f'{spec}: {len(missing)} of {len(images)} images are missing in {folder}, such as'
            f'{examples}\nunpack the whole archive there, or name another folder of images'
        )


def _mask(
    ref: Mapping[str, Any],
    annotations: Mapping[int, Mapping[str, Any]],
    size: tuple[int, int],
    refused: dict[int, str],
) -> str | None:
    """Return a ref's mask; None if an annotation covers nothing, which is noted by its id."""
    found = []
    for ann_id in ref['ann_ids']:
        try:
            found.append(union([annotations[ann_id]['segmentation']], size))
        except NoPolygonError as error:
            refused[ann_id] = str(error)
            return None
        except (TypeError, ValueError) as error:
            raise ValueError(f'annotation {ann_id}: {error}') from error
    # Run lengths that pycocotools itself has written.
    return union([{'counts': counts} for counts in found], size)


def _check_refused(files: SourceFiles, refused: Mapping[int, str], annotations: int) -> None:
    """Name annotations that cover nothing; many of them are a mistake of whoever wrote them."""
    if not refused:
        return
    ids = ', '.join(map(str, sorted(refused)[:5])) + (', ...' if len(refused) > 5 else '')
    text = (
        f'{files.instances}: {len(refused)} annotations of {annotations} that refs name cover '
        f'nothing (id {ids}): the first has {refused[min(refused)]}'
    )
    if len(refused) > _REFUSED_SHARE * annotations:
        raise DatasetError(text)
    _log.warning('%s; their refs are left out', text)


def _header(converted: Path) -> dict[str, Any]:
    """Return the first line of a converted file if it is one of this version, else {}."""
    if not converted.is_file():
        return {}
    with converted.open(encoding='utf-8') as file:
        try:
            header = json.loads(file.readline())
        except ValueError:
            return {}
    right = isinstance(header, dict) and header.get('format') == [_FORMAT, _FORMAT_VERSION]
    return header if right else {}


def _records(converted: Path) -> Iterator[dict[str, Any]]:
    with converted.open(encoding='utf-8') as file:
        next(file)
        for line in file:
            yield json.loads(line)


def _convert(
    spec: DatasetSpec, files: SourceFiles, converted: Path, sources: Mapping[str, str]
) -> None:
    _log.info('converting %s to %s', spec, converted)
    refs = read_refs(files.refs)
    check_counts(spec, (ref['split'] for ref in refs))
    content = read_instances(files.instances)
    categories = {entry['id']: str(entry['name']) for entry in content['categories']}
    images = {entry['id']: entry for entry in content['images']}
    wanted = {ann_id for ref in refs for ann_id in (*ref['ann_ids'], *ref['ignore_ann_ids'])}
    annotations = {entry['id']: entry for entry in content['annotations'] if entry['id'] in wanted}
    present: dict[int, set[str]] = defaultdict(set)
    for entry in content['annotations']:
        present[entry['image_id']].add(categories.get(entry['category_id'], ''))
    by_image: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for ref in refs:
        for kind, key, table in (
            ('image', ref['image_id'], images),
            *(('category', one, categories) for one in ref['category_ids']),
            *(
                ('annotation', ann_id, annotations)
                for ann_id in (*ref['ann_ids'], *ref['ignore_ann_ids'])
            ),
        ):
            if key not in table:
                raise DatasetError(
                    f'{files.refs} names the {kind} {key}, which {files.instances} does not have: '
                    f'the two files are not of one data set, or one is cut off'
                )
        by_image[ref['image_id']].append(ref)
    lines = [json.dumps({'format': [_FORMAT, _FORMAT_VERSION], 'sources': dict(sources)})]
    refused: dict[int, str] = {}
    for image_id in sorted(by_image):
        image = images[image_id]
        size = (int(image['height']), int(image['width']))
        converted_refs = []
        for ref in by_image[image_id]:
            mask = _mask(ref, annotations, size, refused)
            if mask is None:
                continue
            converted_refs.append(
                {
                    'ref_id': ref['ref_id'],
                    'split': ref['split'],
                    'categories': [categories[one] for one in ref['category_ids']],
                    'sentences': ref['sentences'],
                    'counts': mask,
                    **_unknown(ref, annotations, size),
                }
            )
        record = {
            # The refs' own file_name has a wrong suffix; the image's is right.
            'file_name': str(image['file_name']),
            'height': size[0],
            'width': size[1],
            'categories': sorted(present[image_id] - {''}),
            'refs': converted_refs,
        }
        lines.append(json.dumps(record))
    _check_refused(files, refused, len(wanted))
    converted.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(converted, ('\n'.join(lines) + '\n').encode())
