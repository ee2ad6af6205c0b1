# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Score anybody's maps: neither torch nor a model is needed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affordance_ros_eval.agd20k import SUFFIXES
from affordance_ros_eval.agd20k import Item
from affordance_ros_eval.agd20k import check_split
from affordance_ros_eval.agd20k import facts
from affordance_ros_eval.agd20k import is_agd20k
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import ImageProblemError
from affordance_ros_eval.maps import find_map
from affordance_ros_eval.maps import read_map
from affordance_ros_eval.metrics import DEFAULT_PROTOCOL
from affordance_ros_eval.metrics import find_protocol
from affordance_ros_eval.partial import Stop
from affordance_ros_eval.partial import collect
from affordance_ros_eval.results import Results
from affordance_ros_eval.scoring import score_items


@dataclass(frozen=True)
class ScoreConfig:
    """An evaluation of saved maps.

    Attributes:
        predictions: A folder of npy, npz or png, named as the ground truths.
        truths: A folder of ground truths, `<affordance>/<object>/<name>` or flatter.
        protocol: A name in `affordance_ros_eval.metrics.PROTOCOLS`.
        images: The images' folder, for the report; or None.
        smooth: The sigma of a Gaussian over the raw map in pixels; 0 for none.
        name: What tables call the method.
        supervision: What it was trained with.
    """

    predictions: Path
    truths: Path
    protocol: str = DEFAULT_PROTOCOL
    images: Path | None = None
    smooth: float = 0.0
    name: str = ''
    supervision: str = '?'

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        find_protocol(self.protocol)
        if self.smooth < 0:
            raise ValueError('smooth must not be negative')


def run_score(config: ScoreConfig) -> Results:
    """Score all ground truths' maps.

    Raises:
        EvaluationError: If a folder is missing or empty, or no map fits a ground truth.
    """
    items = list_truths(config.truths, images=config.images)
    if not config.predictions.is_dir():
        raise EvaluationError(f'the predictions {config.predictions} are not a folder')
    found = find_maps(config.predictions, items)
    entries = score_items(
        items,
        lambda item: read_map(found.get(item) or find_map(config.predictions, item)),
        protocol=config.protocol,
        smooth=config.smooth,
        same_size=False,
    )
    stop = Stop()
    scores, problems = collect(entries, total=len(items), stop=stop)
    if not scores:
        raise EvaluationError(
            f'not one of {len(items)} ground truths could be scored; the first: '
            f'{problems[0].text if problems else stop.reason}'
        )
    settings: dict[str, Any] = {'predictions': str(config.predictions), 'smooth': config.smooth}
    if stop.reason:
        settings['stopped_by'] = stop.reason
    return Results(
        name=config.name or config.predictions.name,
        supervision=config.supervision,
        protocol=config.protocol,
        config=settings,
        data=_data(config.truths, items),
        scores=scores,
        problems=problems,
        complete=not stop.reason,
    )


def list_truths(folder: Path, *, images: Path | None = None) -> list[Item]:
    """List ground truths; the two folders above a file name its affordance and object.

    Raises:
        EvaluationError: If the folder is not there or holds none.
    """
    if not folder.is_dir():
        raise EvaluationError(f'the ground truths {folder} are not a folder')
    items = []
    for path in sorted(folder.rglob('*')):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith('.'):
            continue
        above = ('', '', *path.relative_to(folder).parts[:-1])[-2:]
        photo = None
        if images is not None:
            stem = (images / path.relative_to(folder)).with_suffix('')
            names = (stem.with_name(stem.name + suffix) for suffix in SUFFIXES)
            photo = next((name for name in names if name.is_file()), None)
        items.append(Item(above[0], above[1], path.stem, image=photo, truth=path))
    if not items:
        raise EvaluationError(
            f'{folder} holds no ground truths ({", ".join(SUFFIXES)}), such as '
            f'{folder}/hold/cup/cup_000001.png'
        )
    return items


def find_maps(folder: Path, items: list[Item]) -> dict[Item, Path]:
    """Find the map of each item that has one.

    Raises:
        EvaluationError: If one file would serve several items, as a bare name does where a photo
            has several actions.
    """
    found: dict[Item, Path] = {}
    owners: dict[Path, Item] = {}
    for item in items:
        try:
            path = find_map(folder, item)
        except ImageProblemError:
            continue  # named when it is scored
        if path in owners:
            raise EvaluationError(
                f'{path} is the only prediction found for {owners[path].key} and for {item.key}: '
                f'name each map by its own action, {folder}/{item.key}.npy'
            )
        owners[path] = item
        found[item] = path
    return found


def _data(truths: Path, items: list[Item]) -> dict[str, Any]:
    """Say which data these are."""
    split = next((part for part in reversed(truths.parts) if part in ('Seen', 'Unseen')), '')
    keys = [(item.affordance, item.object, item.name) for item in items]
    roots = [truths, *truths.absolute().parents[:3]]
    real = bool(split) and all(is_agd20k(root, keys) for root in roots)
    data = {
        'title': f'AGD20K {split}' if real else str(truths),
        'real': real,
        'truth_sha256': _digest(items),
        'warnings': check_split(truths, split, items) if real else [],
    }
    if real:
        data |= {'split': split, 'published_images': facts()['images'][split]}
    return data


def _digest(items: list[Item]) -> str:
    digest = hashlib.sha256()
    for item in items:
        digest.update(item.key.encode())
        digest.update(item.truth.read_bytes())
    return digest.hexdigest()
