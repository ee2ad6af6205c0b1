# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Judge a soak: does the node's memory, threads, files or latency grow?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

MAX_MB_PER_MIN = 1.0
MAX_P95_CHANGE = 0.10


@dataclass(frozen=True)
class Sample:
    """What the system and the node said of the node at one moment."""

    at_s: float  # since the begin
    rss_mb: float  # 10^6 bytes
    threads: int
    fds: int
    received: int  # frames since the node's start, as the next three
    processed: int
    dropped: int
    unusable: int
    load: float  # the machine's, over the last minute: what else may explain a latency


@dataclass(frozen=True)
class Check:
    """One bar, and whether it was held."""

    name: str
    found: str
    bar: str
    ok: bool


def warm_up_and_window(duration_s: float, cycle_s: float) -> tuple[float, float]:
    """Split a soak into its warm-up and the two windows that are compared.

    Args:
        duration_s: The whole soak.
        cycle_s: After this time all that varies by plan has come round.

    Returns:
        Seconds of the warm-up, a fifth and at most 3 min, and of each window, at most 5 min and
        whole cycles, so that both windows saw the same.

    Raises:
        ValueError: If not even one cycle fits into each window.
    """
    warm_up_s = min(180.0, duration_s / 5)
    cycles = int(min(300.0, (duration_s - warm_up_s) / 2) // cycle_s)
    if not cycles:
        raise ValueError(
            f'{duration_s:g} s are too short for a soak: give at least {2.5 * cycle_s:g} s'
        )
    return warm_up_s, cycles * cycle_s


def judge(
    samples: Sequence[Sample],
    latencies: NDArray[np.float64],
    *,
    duration_s: float,
    warm_up_s: float,
    window_s: float,
) -> list[Check]:
    """Hold a soak against the bars.

    Memory's slope is Theil and Sen's over all samples after the warm-up: the median of the slopes
    of all pairs, which a few outliers don't move. Threads and files are compared by their medians
    in the first and the last window, since both vary with who listens.

    Args:
        samples: In the order of time.
        latencies: (N, 2) float64: when an answer was heard, in seconds since the begin, and the
            milliseconds since its image's stamp.
        duration_s: The whole soak.
        warm_up_s: What comes before is not judged.
        window_s: Length of the first window, behind the warm-up, and of the last, at the end.
    """
    first, last = (warm_up_s, warm_up_s + window_s), (duration_s - window_s, duration_s)
    warm = [s for s in samples if s.at_s >= warm_up_s]
    slope, _, low, high = theilslopes([s.rss_mb for s in warm], [s.at_s / 60 for s in warm])
    checks = [
        Check(
            'resident memory, slope',
            f'{slope:+.3f} MB/min (95 % interval {low:+.3f} to {high:+.3f})',
            f'< {MAX_MB_PER_MIN:g} MB/min',
            bool(slope < MAX_MB_PER_MIN),
        )
    ]
    for name in ('threads', 'fds'):
        before, after = (
            float(np.median([getattr(s, name) for s in warm if start <= s.at_s < end]))
            for start, end in (first, last)
        )
        checks.append(
            Check(
                {'threads': 'threads', 'fds': 'file descriptors'}[name],
                f'{before:g}, then {after:g}',
                'no more at the end',
                after <= before,
            )
        )
    checks.append(_judge_latency(latencies, first, last))
    return checks


def _judge_latency(
    latencies: NDArray[np.float64], first: tuple[float, float], last: tuple[float, float]
) -> Check:
    name, bar = 'image stamp to targets, p95', f'within {MAX_P95_CHANGE:.0%}'
    at_s, ms = latencies.T
    chosen = [ms[(start <= at_s) & (at_s < end)] for start, end in (first, last)]
    if not all(len(part) for part in chosen):
        return Check(name, 'no answers in one of the windows', bar, ok=False)
    before, after = (float(np.percentile(part, 95)) for part in chosen)
    change = after / before - 1
    found = f'{before:.1f} ms, then {after:.1f} ms ({change:+.1%})'
    return Check(name, found, bar, abs(change) <= MAX_P95_CHANGE)


def latency_by_minute(latencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (M, 3) float64: the end of each minute with answers in seconds, p50 and p95 in ms."""
    at_s, ms = latencies.T
    minutes = (at_s // 60).astype(int)
    rows = [[60.0 * (m + 1), *np.percentile(ms[minutes == m], [50, 95])] for m in set(minutes)]
    return np.array(sorted(rows)).reshape(-1, 3)
