# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Run a model over a set of masked photos."""

import json
import logging
import math
import sys
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from datetime import datetime
from datetime import timezone
from pathlib import Path
from typing import Any

from tqdm import tqdm

from affordance_ros.predictor import Grounding
from affordance_ros.predictor import Predictor
from affordance_ros.text.commands import CommandError
from affordance_ros_eval.bootstrap import mean_interval
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import ImageProblemError
from affordance_ros_eval.errors import Problem
from affordance_ros_eval.masks.dataset import MaskedPhoto
from affordance_ros_eval.masks.dataset import read_photo
from affordance_ros_eval.masks.scores import MEASURES
from affordance_ros_eval.masks.scores import MaskScore
from affordance_ros_eval.masks.scores import measure
from affordance_ros_eval.results import current_versions

_LOG = logging.getLogger('affordance-eval')
FORMAT = ['affordance_ros.eval.masks', 1]


@dataclass(frozen=True)
class MaskResults:
    """Scores of a model on a set of masked photos."""

    name: str  # the set's
    scores: Sequence[MaskScore]
    problems: Sequence[Problem]
    settings: Mapping[str, str]  # the model's facts, and how it was asked

    def kinds(self) -> list[str]:
        """Return the phrases' kinds, in the order of the set."""
        return list(dict.fromkeys(score.kind for score in self.scores))

    def save(self, path: Path) -> None:
        """Write everything as JSON."""
        content = {
            'format': FORMAT,
            'created': datetime.now(timezone.utc).isoformat(timespec='seconds'),
            'name': self.name,
            'summary': {kind: summarise(self.scores, kind) for kind in self.kinds()},
            'settings': dict(self.settings),
            'versions': current_versions(),
            'problems': [asdict(problem) for problem in self.problems],
            'scores': [asdict(score) for score in self.scores],
        }
        path.write_text(json.dumps(content, indent=1, allow_nan=False) + '\n', encoding='utf-8')


def summarise(scores: Sequence[MaskScore], kind: str) -> dict[str, tuple[float, float, float]]:
    """Return each measure's mean over a kind's phrases, with its 95 % interval over photos."""
    own = [score for score in scores if score.kind == kind]
    photos = [score.image for score in own]
    result = {}
    for name in MEASURES:
        values = [float(getattr(score, name)) for score in own]
        result[name] = (sum(values) / len(values), *mean_interval(values, photos))
    return result


def score_photos(
    predictor: Predictor, photos: Sequence[MaskedPhoto]
) -> tuple[list[MaskScore], list[Problem]]:
    """Score all phrases of all photos.

    Args:
        predictor: The model; its best target counts whatever its score, if `min_score` is 0.
        photos: The set.

    Returns:
        The scores, and what could not be scored.

    Raises:
        EvaluationError: If nothing could be scored.
    """
    scores: list[MaskScore] = []
    problems: list[Problem] = []
    threshold = predictor.model.calibration.mask_threshold
    for photo, mask, groundings in answers(predictor, photos, problems):
        for (kind, text), grounding in zip(photo.queries.items(), groundings, strict=True):
            values = measure(grounding.heatmap, grounding.targets, mask, threshold=threshold)
            # A constant map has no NSS; it finds nothing.
            values = {name: 0.0 if math.isnan(v) else float(v) for name, v in values.items()}
            scores.append(
                MaskScore(
                    key=photo.key,
                    image=photo.image.name,
                    kind=kind,
                    text=text,
                    object=photo.object,
                    part=photo.part,
                    **values,
                )
            )
    if not scores:
        raise EvaluationError(f'no photo could be scored; the first problem: {problems[0].text}')
    return scores, problems


def answers(
    predictor: Predictor, photos: Sequence[MaskedPhoto], problems: list[Problem]
) -> Iterator[tuple[MaskedPhoto, Any, list[Grounding]]]:
    """Yield each photo with its mask, (H, W) bool, and the groundings of its queries.

    Args:
        predictor: The model.
        photos: The set.
        problems: Takes those of photos that are left out.
    """
    for photo in tqdm(photos, unit='photo', disable=not sys.stderr.isatty()):
        try:
            image, mask = read_photo(photo)
            predictor.set_commands(list(photo.queries.values()))
        except ImageProblemError as error:
            problems.append(error.for_image(photo.key))
            continue
        except CommandError as error:
            problems.append(Problem(photo.key, 'query', f'{photo.key}: {error}'))
            continue
        yield photo, mask, predictor.predict_all(image, channels='bgr')
