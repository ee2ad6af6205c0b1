# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Fit what a score means: the chance that the best target lies in the right region."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affordance_ros.model.calibration import Calibration
from affordance_ros.predictor import Predictor
from affordance_ros_eval.errors import Problem
from affordance_ros_eval.masks.dataset import MaskedPhoto
from affordance_ros_eval.masks.run import answers
from affordance_ros_eval.masks.scores import in_mask

BINS = 10
# What maps are sharpened by: KLD and SIM on photos are best about here (model card).
SHARPNESS = 1.4
# Logits at which a map is tried as a mask.
_LEVELS = np.arange(-12.0, 8.01, 0.25)
_MIN_SAMPLES = 20  # phrases in each half
_EDGE = 1e-6  # a chance of 0 or 1 has no logit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One phrase on one photo, as the model answered it."""

    image: str
    logit: float  # of the best target's score
    hit: bool  # whether it lies in the mask
    ious: Floats  # of the heat above each of the levels


@dataclass(frozen=True)
class Reliability:
    """How often targets of a score are right, in bins of equal width."""

    counts: tuple[int, ...]
    scores: tuple[float, ...]  # mean score of each bin; 0 where it is empty
    hits: tuple[float, ...]  # share of right ones; 0 where it is empty

    @property
    def error(self) -> float:
        """The expected calibration error."""
        gaps = np.abs(np.subtract(self.scores, self.hits))
        return float(np.average(gaps, weights=self.counts))


def in_fitting_half(image: str) -> bool:
    """Tell whether a photo belongs to the half that is fitted on; all its phrases do then."""
    return hashlib.sha256(image.encode()).digest()[0] % 2 == 0


def collect(
    predictor: Predictor, photos: Sequence[MaskedPhoto], problems: list[Problem]
) -> list[Sample]:
    """Ask a model for every phrase of every photo.

    Args:
        predictor: The model, with `min_score` 0 and no calibration.
        photos: The set.
        problems: Takes those of photos that are left out.
    """
    samples = []
    for photo, mask, groundings in answers(predictor, photos, problems):
        for grounding in groundings:
            if not grounding.targets:
                continue
            best = grounding.targets[0]
            samples.append(
                Sample(
                    image=photo.image.name,
                    logit=float(logits(np.asarray(best.score))),
                    hit=in_mask(best, mask),
                    ious=_ious(grounding.heatmap, mask),
                )
            )
    return samples


def fit(samples: Sequence[Sample]) -> Calibration:
    """Fit bias and ceiling by maximum likelihood, and the mask's threshold by mean IoU.

    Raises:
        ValueError: If there are too few samples, or all or none of them are right.
    """
    hits = np.asarray([sample.hit for sample in samples], np.float64)
    if len(samples) < _MIN_SAMPLES or hits.min() == hits.max():
        raise ValueError(
            f'{len(samples)} phrases, {int(hits.sum())} of them answered rightly: at least '
            f'{_MIN_SAMPLES} are needed, some right and some wrong'
        )
    values = np.asarray([sample.logit for sample in samples])
    if np.corrcoef(values, hits)[0, 1] <= 0:
        raise ValueError('higher scores are not right more often: there is nothing to calibrate')
    bias, ceiling = _most_likely(SHARPNESS * values, hits)
    ious = np.mean([sample.ious for sample in samples], axis=0)
    level = float(_LEVELS[int(ious.argmax())])
    found = Calibration(SHARPNESS, bias, ceiling)
    threshold = float(found.chance(np.asarray(level)))
    return replace(found, mask_threshold=min(max(threshold, _EDGE), 1 - _EDGE))


def reliability(samples: Sequence[Sample], calibration: Calibration) -> Reliability:
    """Return how often samples are right by their calibrated score."""
    values = np.asarray([sample.logit for sample in samples])
    scores = calibration.chance(values)
    hits = np.asarray([sample.hit for sample in samples], np.float64)
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    full = np.maximum(counts, 1)
    return Reliability(
        counts=tuple(counts.tolist()),
        scores=tuple((np.bincount(bins, scores, BINS) / full).tolist()),
        hits=tuple((np.bincount(bins, hits, BINS) / full).tolist()),
    )


def sigmoid(values: NDArray) -> Floats:
    """Return 1 / (1 + exp(-x))."""
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -80, 80))), np.float64)


def logits(chances: NDArray) -> Floats:
    """Return log(p / (1 - p)), finite at both ends."""
    inside = np.clip(np.asarray(chances, np.float64), _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside / (1 - inside)))


def _most_likely(values: Floats, hits: Floats) -> tuple[float, float]:
    """Return bias and ceiling under which the hits are most likely, by search over a fine grid.

    Args:
        values: (n,) logits, already scaled.
        hits: (n,) 0 or 1.
    """
    biases, ceilings = np.arange(-15.0, 15.01, 0.05), np.arange(0.2, 1.0001, 0.01)
    steep = sigmoid(values + biases[:, None])  # (B, n)
    best = (-np.inf, 0.0, 1.0)
    for ceiling in ceilings:
        chances = np.clip(ceiling * steep, _EDGE, 1 - _EDGE)
        likelihood = np.log(chances) @ hits + np.log(1 - chances) @ (1 - hits)  # (B,)
        row = int(likelihood.argmax())
        best = max(best, (float(likelihood[row]), float(biases[row]), float(ceiling)))
    return best[1], best[2]


def _ious(heatmap: NDArray[np.float32], mask: NDArray[np.bool_]) -> Floats:
    """Return the IoU with a mask of the heat at or above each level."""
    places = np.searchsorted(_LEVELS, logits(heatmap), side='right')
    size = len(_LEVELS) + 1
    above = np.bincount(places.ravel(), minlength=size)[::-1].cumsum()[::-1][1:]
    both = np.bincount(places[mask], minlength=size)[::-1].cumsum()[::-1][1:]
    return np.asarray(both / (above + mask.sum() - both), np.float64)
