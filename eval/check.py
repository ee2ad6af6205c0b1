# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""affordance-eval check: whether folders of AGD20K and RefCOCO are whole."""

import argparse
import hashlib
import re
import sys
from collections import Counter
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from affordance_ros_eval.agd20k import facts
from affordance_ros_eval.agd20k import list_split
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_training.refer import DatasetError
from affordance_ros_training.refer import DatasetSpec
from affordance_ros_training.refer import check_counts
from affordance_ros_training.refer import locate
from affordance_ros_training.refer import read_instances
from affordance_ros_training.refer import read_refs

_SHOWN = 5
_REFS = re.compile(r'g?refs\((.+)\)\.(?:p|json)')
_TEST_FOLDERS = ('testset', 'testsetv2')


def add_check(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument('root', type=Path, help='holds Seen, Unseen; or refcoco, refcoco+, ...')
    parser.add_argument('--images', default='', help="COCO's images, if not in the usual place")


def run_check(options: argparse.Namespace) -> int:
    """Print what a folder holds and what is wrong; return 0 if nothing is, else 1.

    Raises:
        EvaluationError: If it holds neither layout.
    """
    root = options.root.expanduser()
    splits = sorted(p for name in _TEST_FOLDERS for p in root.glob(f'*/{name}') if p.is_dir())
    refs = sorted(path for path in root.glob('*/*') if _REFS.fullmatch(path.name))
    if not splits and not refs:
        raise EvaluationError(
            f'{root} holds neither AGD20K (<split>/testset/egocentric and GT) nor RefCOCO '
            f'(refcoco/refs(unc).p and instances.json): give the folder above these'
        )
    wrong = 0
    for folder in splits:
        wrong += _tell(f'{folder}', *_check_split(root, folder))
    if splits and {'Seen', 'Unseen'} - {folder.parent.name for folder in splits}:
        absent = sorted({'Seen', 'Unseen'} - {folder.parent.name for folder in splits})
        sys.stdout.write(f'  note: there is no {" and no ".join(absent)}\n')
    for path in refs:
        found = _REFS.fullmatch(path.name)
        spec = f'{path.parent.name}:{found[1] if found else ""}'
        wrong += _tell(str(path), *_check_refs(root, spec, options.images))
    sys.stdout.write(f'{wrong} problems\n' if wrong else 'whole\n')
    return 1 if wrong else 0


def _tell(title: str, held: str, problems: list[str]) -> int:
    sys.stdout.write(f'{title}: {held}\n')
    sys.stdout.writelines(f'  PROBLEM: {problem}\n' for problem in problems)
    return len(problems)


def _check_split(root: Path, folder: Path) -> tuple[str, list[str]]:
    """Return what a split of AGD20K's layout holds, and what is wrong with it."""
    split = folder.parent.name
    try:
        listing = list_split(root, split, test_folder=folder.name)
    except EvaluationError as error:
        return 'not usable', [str(error)]
    problems = list(listing.warnings)
    if listing.missing_truth:
        problems.append(
            f'{len(listing.missing_truth):,} images have no ground truth: '
            f'{_some(p.key for p in listing.missing_truth)}'
        )
    if listing.missing_image:
        problems.append(
            f'{len(listing.missing_image):,} ground truths have no image: '
            f'{_some(listing.missing_image)}'
        )
    places: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for item in listing.items:
        if item.image is not None:
            digest = hashlib.sha256(item.image.read_bytes()).hexdigest()
            places[item.affordance, item.object, digest].append(item.name)
    same = ['/'.join((*key[:2], ' = '.join(names))) for key, names in places.items() if names[1:]]
    if same:
        problems.append(f'{len(same):,} images are there twice in one action: {_some(same)}')
    published = facts()['images'].get(split) if listing.real else None
    kind = 'AGD20K' if listing.real else 'not AGD20K itself'
    more = f' of {published:,} published' if published else ''
    return f'{kind}, {len(listing.items):,} images with a ground truth{more}', problems


def _check_refs(root: Path, name: str, images: str) -> tuple[str, list[str]]:
    """Return what a referring data set holds, and what is wrong with it."""
    try:
        spec = DatasetSpec.parse(name)
        files = locate(spec, root, images=images)
        instances, refs = read_instances(files.instances), read_refs(files.refs)
    except (DatasetError, ValueError) as error:
        return 'not usable', [str(error)]
    problems = check_counts(spec, [ref['split'] for ref in refs])
    twice = [str(i) for i, count in Counter(ref['ref_id'] for ref in refs).items() if count > 1]
    if twice:
        problems.append(f'{len(twice):,} ref_ids are there twice: {_some(twice)}')
    annotated = {annotation['id'] for annotation in instances['annotations']}
    lost = [str(ref['ref_id']) for ref in refs if not annotated.issuperset(ref['ann_ids'])]
    if lost:
        problems.append(f'{len(lost):,} refs have no mask in instances.json: {_some(lost)}')
    names = {image['id']: image['file_name'] for image in instances['images']}
    wanted = {names.get(ref['image_id'], f'image {ref["image_id"]}') for ref in refs}
    missing = sorted(file for file in wanted if not (files.images / file).is_file())
    if missing:
        problems.append(
            f'{len(missing):,} of {len(wanted):,} images are not in {files.images}: '
            f'{_some(missing)}'
        )
    return f'{len(refs):,} refs on {len(wanted):,} images', problems


def _some(names: Iterable[str]) -> str:
    """Return the first few of names, and that there are more."""
    listed = list(names)
    return ', '.join(listed[:_SHOWN]) + (', ...' if len(listed) > _SHOWN else '')
