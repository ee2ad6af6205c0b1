# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Names of what is on a photo, and of what is not: found, or told where nothing is."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from affordance_ros.image.decode import read_image_file
from affordance_ros.predictor import Predictor
from affordance_ros_eval.bootstrap import mean_interval
from affordance_ros_eval.masks.scores import in_mask
from affordance_ros_training.photos.photo import Photo

LEVELS = tuple(round(0.05 * step, 2) for step in range(1, 20))


@dataclass(frozen=True)
class NameScore:
    """One name on one photo."""

    image: str
    name: str
    present: bool
    # Of the targets, best first: their scores, and whether each lies on a thing of that name.
    scores: tuple[float, ...]
    hits: tuple[bool, ...]

    def told(self, level: float) -> bool:
        """Whether any target reaches a score."""
        return any(score >= level for score in self.scores)

    def found(self, level: float) -> bool:
        """Whether the best target reaches a score and lies on a thing of that name."""
        return bool(self.scores) and self.scores[0] >= level and self.hits[0]


def score_names(
    predictor: Predictor, photos: Sequence[Photo], names: Sequence[str]
) -> list[NameScore]:
    """Ask for every name on every photo.

    Args:
        predictor: The model, with `min_score` 0.
        photos: With all things of these names annotated.
        names: The names.
    """
    result = []
    predictor.set_commands(list(names))
    for photo in tqdm(photos, unit='photo', disable=not sys.stderr.isatty()):
        image = read_image_file(photo.path)
        things = photo.categories
        for name, grounding in zip(
            names, predictor.predict_all(image, channels='bgr'), strict=True
        ):
            mask = np.zeros(image.shape[:2], bool)
            for thing in things.get(name, ()):
                mask |= thing.mask.astype(bool)
            targets = grounding.targets
            result.append(
                NameScore(
                    image=photo.path.name,
                    name=name,
                    present=name in things,
                    scores=tuple(target.score for target in targets),
                    hits=tuple(in_mask(target, mask) for target in targets),
                )
            )
    return result


def level_rows(
    scores: Sequence[NameScore], levels: Sequence[float]
) -> list[tuple[float, float, float]]:
    """Return for each least score the share of absent names told, and of present ones found."""
    absent = [score for score in scores if not score.present]
    present = [score for score in scores if score.present]
    return [
        (level, _share([s.told(level) for s in absent]), _share([s.found(level) for s in present]))
        for level in levels
    ]


def interval(values: Sequence[bool], images: Sequence[str]) -> tuple[float, float, float]:
    """Return a share with its 95 % interval over photos."""
    numbers = [float(value) for value in values]
    return (_share(values), *mean_interval(numbers, images))


def _share(values: Sequence[bool] | NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else float('nan')
