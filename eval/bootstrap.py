# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Bootstrap intervals of means, resampling images: one image's actions are not independent."""

from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
LEVEL = 0.95
_CHUNK = 100


def mean_interval(
    values: Sequence[float], images: Sequence[str], *, seed: int = 0
) -> tuple[float, float]:
    """Return the percentile interval of a mean at the 95 % level.

    Args:
        values: One for each image and action, finite.
        images: The image that each value belongs to; values of one image are drawn
            together.
        seed: Of the resampling.

    Returns:
        Lower and upper end; NaN for both if there are no values.
    """
    if not values:
        return float('nan'), float('nan')
    _, groups = np.unique(np.asarray(images), return_inverse=True)
    sums = np.bincount(groups, weights=np.asarray(values, np.float64))
    counts = np.bincount(groups).astype(np.float64)
    means = np.concatenate([d @ sums / (d @ counts) for d in _draws(len(sums), seed)])
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _draws(groups: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield how often each group is drawn, (chunk, groups), chunk by chunk to save memory."""
    rng = np.random.default_rng(seed)
    for _ in range(RESAMPLES // _CHUNK):
        yield rng.multinomial(groups, np.full(groups, 1 / groups), size=_CHUNK)
