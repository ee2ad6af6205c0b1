# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Means, intervals and groups of images' scores."""

import math
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass

from affordance_ros_eval.bootstrap import mean_interval
from affordance_ros_eval.scoring import ImageScore

# Those of the protocol, and the pointing game beside them.
MEASURES = ('kld', 'sim', 'nss', 'pointing')


@dataclass(frozen=True)
class Mean:
    """A measure over images.

    Attributes:
        published: The plain mean over all images, as the protocol has it: NaN if one is NaN.
        mean: The mean over the images where the measure has a value.
        low: The lower end of its 95 % bootstrap interval over images.
        high: The upper end.
        count: How many images have a value.
        undefined: How many have none: constant maps in NSS, zero truths in pointing.
    """

    published: float
    mean: float
    low: float
    high: float
    count: int
    undefined: int


def value_of(score: ImageScore, measure: str) -> float:
    """Return a measure of a score; NaN where it has none."""
    value = getattr(score, measure)
    return float('nan') if value is None else float(value)


def summarise(scores: Sequence[ImageScore]) -> dict[str, Mean]:
    """Return each measure's mean and interval."""
    return {measure: _mean(scores, measure) for measure in MEASURES}


def _mean(scores: Sequence[ImageScore], measure: str) -> Mean:
    values = [value_of(score, measure) for score in scores]
    kept = [(v, score.name) for v, score in zip(values, scores, strict=True) if not math.isnan(v)]
    finite = [v for v, _ in kept]
    low, high = mean_interval(finite, [name for _, name in kept])
    mean = sum(finite) / len(finite) if finite else float('nan')
    undefined = len(values) - len(finite)
    # A zero truth has nothing to point at: pointing is ours and leaves these out.
    published = mean if measure == 'pointing' or not undefined else float('nan')
    return Mean(published, mean, low, high, len(finite), undefined)


def group_means(
    scores: Iterable[ImageScore], key: Callable[[ImageScore], str]
) -> dict[str, dict[str, float]]:
    """Return each group's size and means, by the group's name.

    Args:
        scores: All scores.
        key: Gives a score's group.

    Returns:
        'images' and the measures' means over the images where they have a value.
    """
    groups: dict[str, list[ImageScore]] = defaultdict(list)
    for score in scores:
        groups[key(score)].append(score)
    result = {}
    for name in sorted(groups):
        row: dict[str, float] = {'images': len(groups[name])}
        for measure in MEASURES:
            values = [value_of(score, measure) for score in groups[name]]
            finite = [v for v in values if not math.isnan(v)]
            row[measure] = sum(finite) / len(finite) if finite else float('nan')
        result[name] = row
    return result
