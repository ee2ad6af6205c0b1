# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The results file: what was run, on what, by which versions, and every image's values."""

import json
import math
import platform
import sys
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timezone
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from affordance_ros import __version__
from affordance_ros_eval import bilinear
from affordance_ros_eval import fast_metrics
from affordance_ros_eval import metrics
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import Problem
from affordance_ros_eval.scoring import ImageScore
from affordance_ros_eval.summary import Mean
from affordance_ros_eval.summary import summarise

FORMAT = ['affordance_ros.eval', 1]


@dataclass(frozen=True)
class Results:
    """An evaluation.

    Attributes:
        name: What tables call the method.
        supervision: What it was trained with, in the tables' words.
        protocol: The protocol's name.
        config: All settings, JSON-able.
        data: What the data are: root, split, whether they are AGD20K itself, hash, warnings.
        scores: The images that have scores.
        problems: Those that have none, and why.
        complete: False if the evaluation was stopped.
        versions: Of what computed it.
        created: When, in UTC.
    """

    name: str
    supervision: str
    protocol: str
    config: Mapping[str, Any]
    data: Mapping[str, Any]
    scores: Sequence[ImageScore]
    problems: Sequence[Problem]
    complete: bool = True
    versions: Mapping[str, str] = field(default_factory=lambda: current_versions())
    created: str = field(
        default_factory=lambda: datetime.now(timezone.utc).isoformat(timespec='seconds')
    )

    def summary(self) -> dict[str, Mean]:
        """Return the measures' means and intervals."""
        return summarise(self.scores)

    def counts(self) -> dict[str, int]:
        """Return how many images there are of each sort."""
        return {
            'scored': len(self.scores),
            'zero ground truth': sum(score.zero_truth for score in self.scores),
            'constant prediction': sum(score.constant for score in self.scores),
            **{f'skipped: {k}': n for k, n in Counter(p.kind for p in self.problems).items()},
        }

    def save(self, path: Path) -> None:
        """Write the results as JSON; what has no value is null."""
        summary = {k: asdict(v) for k, v in self.summary().items()}
        content = {
            'format': FORMAT,
            'created': self.created,
            'name': self.name,
            'supervision': self.supervision,
            'protocol': self.protocol,
            'complete': self.complete,
            'counts': self.counts(),
            'summary': summary,
            'config': dict(self.config),
            'data': dict(self.data),
            'versions': dict(self.versions),
            'problems': [asdict(problem) for problem in self.problems],
            'images': [asdict(score) for score in self.scores],
        }
        text = json.dumps(_without_nan(content), indent=1, allow_nan=False)
        path.write_text(text + '\n', encoding='utf-8')


def _sha256_of_metrics() -> str:
    """Return one digest of the files that hold the metrics' arithmetic."""
    digest = sha256()
    for module in (metrics, fast_metrics, bilinear):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()


def current_versions() -> dict[str, str]:
    """Return the versions that scores depend on."""
    versions = {
        'affordance_ros': __version__,
        'metrics sha256': _sha256_of_metrics(),
        'python': platform.python_version(),
        'numpy': np.__version__,
        'opencv': cv2.__version__,
    }
    for package in ('torch', 'open_clip_torch'):
        if package.split('_torch')[0] in sys.modules:
            versions[package] = metadata.version(package)
    return versions


def load_results(path: Path) -> Results:
    """Read a results file.

    Raises:
        EvaluationError: If it is not there or not of this format.
    """
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError as error:
        raise EvaluationError(f'{path} is not there; give a results.json') from error
    except (OSError, ValueError) as error:
        raise EvaluationError(f'{path} can not be read as JSON ({error})') from error
    if not isinstance(content, dict) or content.get('format') != FORMAT:
        raise EvaluationError(
            f'{path} is not a results file of this version ({FORMAT}): give the results.json that '
            f'affordance-eval agd20k or score wrote'
        )
    scores = [ImageScore(**_with_nan(row)) for row in content['images']]
    return Results(
        name=content['name'],
        supervision=content['supervision'],
        protocol=content['protocol'],
        config=content['config'],
        data=content['data'],
        scores=scores,
        problems=[Problem(**row) for row in content['problems']],
        complete=content['complete'],
        versions=content['versions'],
        created=content['created'],
    )


def _with_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an image's values with NaN where a metric is null."""
    nan = float('nan')
    return {k: nan if v is None and k in metrics.METRICS else v for k, v in row.items()}


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return value
