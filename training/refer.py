# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Referring-expression data sets in RefCOCO's format: which there are, and reading their files.

The format is that of https://github.com/lichengunc/refer: `<root>/<dataset>/instances.json`
(COCO) and `<root>/<dataset>/refs(<split_by>).p`, a pickled list of refs. gRefCOCO's own
`grefs(<split_by>).json`, and refs as JSON, are read too.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import Repr
from typing import Any

from affordance_ros.safe_io.files import read_bounded
from affordance_ros.safe_io.plain_pickle import PickleRefusedError
from affordance_ros.safe_io.plain_pickle import load_plain_pickle

_log = logging.getLogger(__name__)
_repr = Repr()
_repr.maxlevel = 2  # a pickle can nest without end

# Refs per split, as published; a set that is not named here is not checked.
PUBLISHED_COUNTS: dict[tuple[str, str], dict[str, int]] = {
    ('refcoco', 'unc'): {'train': 42404, 'val': 3811, 'testA': 1975, 'testB': 1810},
    ('refcoco+', 'unc'): {'train': 42278, 'val': 3805, 'testA': 1975, 'testB': 1798},
    ('refcocog', 'umd'): {'train': 42226, 'val': 2573, 'test': 5023},
    ('refcocog', 'google'): {'train': 44822, 'val': 5000},
}
_REF_NAMES = ('refs({}).p', 'grefs({}).json', 'refs({}).json', 'grefs({}).p')
_MAX_JSON_BYTES = 1 << 29  # instances_train2014.json of COCO has 333 MB
_COCO_DATASETS = {name for name, _ in PUBLISHED_COUNTS}
# Where the images of COCO train2014 usually lie, seen from the root.
_COCO_IMAGE_FOLDERS = ('images/mscoco/images/train2014', 'images/train2014', 'train2014')

# A ref's fields and their types. `ann_id` and `category_id` may be lists, as in gRefCOCO, for an
# expression that names several regions or, if they are empty, none.
_REF_FIELDS: dict[str, tuple[type, ...]] = {
    'ref_id': (int,),
    'ann_id': (int, list),
    'category_id': (int, list),
    'image_id': (int,),
    'split': (str,),
    'sentences': (list,),
}


class DatasetError(RuntimeError):
    """A data set's files are missing, cut off, or not of this format."""


@dataclass(frozen=True)
class DatasetSpec:
    """Which data set, in whose split.

    Attributes:
        name: The folder's name: refcoco, refcoco+, refcocog, or any other in this format.
        split_by: Who made the split: unc, google, umd, or whatever stands in refs(...).p.
    """

    name: str
    split_by: str

    @classmethod
    def parse(cls, text: str) -> 'DatasetSpec':
        """Read 'refcocog:umd'.

        Raises:
            ValueError: If the text has another form.
        """
        name, colon, split_by = text.partition(':')
        if not (name and colon and split_by) or '/' in text or name in ('.', '..'):
            known = ', '.join(':'.join(key) for key in PUBLISHED_COUNTS)
            raise ValueError(
                f'data set {text!r} must be written name:split_by, as in {known}, or your own'
            )
        return cls(name, split_by)

    def __str__(self) -> str:
        return f'{self.name}:{self.split_by}'


@dataclass(frozen=True)
class SourceFiles:
    """Where a data set's files lie.

    Attributes:
        instances: COCO annotations.
        refs: The refs, pickled or as JSON.
        images: The folder of images.
    """

    instances: Path
    refs: Path
    images: Path


def locate(spec: DatasetSpec, root: Path, *, images: str = '') -> SourceFiles:
    """Find a data set's files.

    Args:
        spec: The data set.
        root: The folder that holds one folder for each data set.
        images: The folder of images; if it is empty, `<root>/<dataset>/images`, `<root>/images`
            and the usual places of COCO train2014 are tried.

    Raises:
        DatasetError: Listing every file that is expected and which of them is not there.
    """
    folder = root / spec.name
    candidates = [Path(images).expanduser()] if images else [folder / 'images', root / 'images']
    if not images and spec.name in _COCO_DATASETS:
        candidates = [root / place for place in _COCO_IMAGE_FOLDERS] + candidates
    found = next((place for place in candidates if place.is_dir()), candidates[0])
    refs = [folder / name.format(spec.split_by) for name in _REF_NAMES]
    present = next((path for path in refs if path.is_file()), refs[0])
    files = SourceFiles(folder / 'instances.json', present, found)
    problems = [f'{path}: missing' for path in (files.instances, files.refs) if not path.is_file()]
    if not found.is_dir():
        problems.append(f'a folder of images: none of {", ".join(map(str, candidates))} is there')
    if problems:
        raise DatasetError(_missing(spec, files, problems))
    return files


def _missing(spec: DatasetSpec, files: SourceFiles, problems: Iterable[str]) -> str:
    lines = [f'the data set {spec} is not complete:', *(f'  {p}' for p in problems)]
    lines += [f'expected are {files.instances} (COCO annotations) and {files.refs} (the refs)']
    others = sorted(
        path.name for name in _REF_NAMES for path in files.refs.parent.glob(name.format('*'))
    )
    if others and files.refs.name not in others:
        lines.append(f'{files.refs.parent} holds {", ".join(others)}: name the set accordingly')
    if spec.name in _COCO_DATASETS:
        lines.append(
            "and COCO train2014's images (http://images.cocodataset.org/zips/train2014.zip). The "
            f'original server of {spec.name}.zip is gone: look for a mirror of the archive of '
            'github.com/lichengunc/refer, and unpack it whole'
        )
    return '\n'.join(lines)


def read_instances(path: Path) -> dict[str, Any]:
    """Read COCO annotations.

    Returns:
        The file's 'images', 'annotations' and 'categories', each a list of dicts.

    Raises:
        DatasetError: If the file is cut off or not of this format.
    """
    content = _read_json(path)
    for key in ('images', 'annotations', 'categories'):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise DatasetError(f'{path} has no list {key!r}: it is not a COCO instances file')
    return {key: content[key] for key in ('images', 'annotations', 'categories')}


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_bounded(path, limit_bytes=_MAX_JSON_BYTES))
    except (ValueError, OSError, RecursionError) as error:
        size = path.stat().st_size if path.is_file() else 0
        raise DatasetError(
            f'{path} ({size} bytes) is not whole JSON ({error}): it may be half-downloaded; '
            f'fetch it again'
        ) from error


def read_refs(path: Path) -> list[dict[str, Any]]:
    """Read the refs, pickled or as JSON, and check their fields.

    Returns:
        Dicts with ref_id, ann_ids, ignore_ann_ids and category_ids (lists), image_id, split,
        sentences (texts).

    Raises:
        DatasetError: If the file is not a list of refs, or holds anything that could run code.
    """
    if path.suffix == '.json':
        content = _read_json(path)
    else:
        try:
            content = load_plain_pickle(path)
        except PickleRefusedError as error:
            raise DatasetError(str(error)) from error
    if not isinstance(content, list) or not content:
        raise DatasetError(f'{path} holds a {type(content).__name__}, not a list of refs')
    return [_check_ref(path, index, ref) for index, ref in enumerate(content)]


def _check_ref(path: Path, index: int, ref: object) -> dict[str, Any]:
    if not isinstance(ref, dict):
        raise DatasetError(f'{path}: ref {index} is a {type(ref).__name__}, not a dict')
    for field, types in _REF_FIELDS.items():
        value = ref.get(field)
        if not isinstance(value, types) or isinstance(value, bool):
            expected = ' or '.join(kind.__name__ for kind in types)
            came = f'is {_repr.repr(value)}' if field in ref else 'is missing'
            raise DatasetError(f'{path}: ref {index}: {field} {came}, expected {expected}')
    ids = {key: _ids(path, index, ref, key) for key in ('ann_id', 'category_id')}
    sentences = []
    for sentence in ref['sentences']:
        text = sentence.get('sent') if isinstance(sentence, dict) else None
        if not isinstance(text, str):
            raise DatasetError(
                f'{path}: ref {index}: a sentence is {_repr.repr(sentence)}, expected a dict with '
                f"the text 'sent'"
            )
        if text.strip():
            sentences.append(' '.join(text.split()))
    if not sentences:
        raise DatasetError(f'{path}: ref {index} (ref_id {ref["ref_id"]}) has no sentence')
    kept = {key: ref[key] for key in ('ref_id', 'image_id', 'split')}
    # Our own field: pixels of which nobody knows whether they belong to the region.
    ignored = ref.get('ignore_ann_id')
    if ignored is not None and type(ignored) is not int:
        raise DatasetError(
            f'{path}: ref {index}: ignore_ann_id is {_repr.repr(ignored)}, expected int'
        )
    return {
        **kept,
        'ann_ids': ids['ann_id'],
        'category_ids': ids['category_id'],
        'ignore_ann_ids': [] if ignored is None else [ignored],
        'sentences': sentences,
    }


def _ids(path: Path, index: int, ref: Mapping[str, Any], key: str) -> list[int]:
    ids = ref[key] if isinstance(ref[key], list) else [ref[key]]
    if not all(type(one) is int for one in ids):
        raise DatasetError(f'{path}: ref {index}: {key} {_repr.repr(ids)} is not a list of ints')
    return [one for one in ids if one != -1]  # gRefCOCO writes -1 for "names nothing"


def in_split(ref_split: str, wanted: str) -> bool:
    """Tell whether a ref belongs to a split.

    A ref's split may name several tests at once: 'testAB' belongs to testA and testB, and every
    'test...' to test.
    """
    if wanted == 'test' or not wanted.startswith('test'):
        return ref_split == wanted or (wanted == 'test' and ref_split.startswith('test'))
    return ref_split.startswith('test') and wanted[4:] in ref_split[4:]


def check_counts(spec: DatasetSpec, splits: Iterable[str]) -> list[str]:
    """Compare the number of refs in each split with the published one.

    Args:
        spec: The data set.
        splits: The split of every ref.

    Returns:
        A sentence for each difference, which is logged as a warning too.
    """
    published: Mapping[str, int] = PUBLISHED_COUNTS.get((spec.name, spec.split_by), {})
    counts = Counter(splits)
    warnings = []
    for split, expected in published.items():
        found = sum(count for name, count in counts.items() if in_split(name, split))
        if found != expected:
            warnings.append(
                f'{spec} has {found} refs in {split}, and {expected} were published '
                f'({found - expected:+d}): results may not compare with the literature'
            )
    for warning in warnings:
        _log.warning(warning)
    return warnings
