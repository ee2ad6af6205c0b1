# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Scores at every threshold: IoU from 0.05 to 0.95, precision and recall of pixels, the loss."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
_LOGITS = np.log(np.array(THRESHOLDS) / (1 - np.array(THRESHOLDS))).astype(np.float32)
_COUNT = len(THRESHOLDS)
SUMS = 4 + 3 * _COUNT  # numbers that `sweep_sums` returns


@dataclass(frozen=True)
class Sweep:
    """What the scores would be at other thresholds, over sentences that name something.

    Attributes:
        loss: The mean binary cross entropy of a pixel, over all sentences alike.
        overall_iou: At each of THRESHOLDS.
        mean_iou: At each of THRESHOLDS.
        precision: The share of the pixels above the threshold that lie in their region.
        recall: The share of the regions' pixels above the threshold.
    """

    loss: float
    overall_iou: tuple[float, ...]
    mean_iou: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]

    @classmethod
    def from_sums(cls, sums: NDArray[np.float64]) -> 'Sweep':
        """Build from the sum of what `sweep_sums` returned for each sentence."""
        loss, sentences, named, region = sums[:4]
        hit, above, iou = sums[4:].reshape(3, _COUNT)
        union = above + region - hit
        return cls(
            loss=float(loss / max(sentences, 1)),
            overall_iou=tuple(map(float, hit / np.maximum(union, 1))),
            mean_iou=tuple(map(float, iou / max(named, 1))),
            precision=tuple(map(float, hit / np.maximum(above, 1))),
            recall=tuple(map(float, hit / max(region, 1))),
        )

    @property
    def best(self) -> tuple[float, float]:
        """The threshold of the highest overall IoU, and that IoU."""
        place = int(np.argmax(self.overall_iou))
        return THRESHOLDS[place], self.overall_iou[place]

    def rows(self) -> list[dict[str, float]]:
        """Return the curves, a dict for each threshold."""
        curves = (THRESHOLDS, self.overall_iou, self.mean_iou, self.precision, self.recall)
        names = ('threshold', 'overall_iou', 'mean_iou', 'precision', 'recall')
        return [dict(zip(names, values, strict=True)) for values in zip(*curves, strict=True)]


def sweep_sums(logits: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what one sentence adds.

    Args:
        logits: (H, W) float32, at the image's own size.
        mask: (H, W), empty where the sentence names nothing.

    Returns:
        (SUMS,): loss, 1, and where it names something 1, the region's pixels, and for each
        threshold the hits, the pixels above it, and the IoU.
    """
    sums = np.zeros(SUMS)
    # log(1 + exp(z)) - z y, written so that nothing overflows.
    softplus = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))
    sums[:2] = (float(softplus.mean(dtype=np.float64)) - float(logits[mask].sum()) / mask.size), 1
    if not mask.any():
        return sums
    # How many thresholds lie below each pixel; those above threshold t have more than t.
    passed = np.searchsorted(_LOGITS, logits.ravel())
    above = _more_than(passed)
    hit = _more_than(passed[mask.ravel()])
    region = float(mask.sum())
    sums[2:4] = 1, region
    sums[4:] = np.concatenate([hit, above, hit / (above + region - hit)])
    return sums


def _more_than(passed: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return for each threshold how many pixels lie above it."""
    counts = np.bincount(passed, minlength=_COUNT + 1)
    return np.cumsum(counts[::-1])[::-1][1:].astype(np.float64)
