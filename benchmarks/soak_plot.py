# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Plot what a soak found over time; needs matplotlib."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.soak_analysis import Sample
from benchmarks.soak_analysis import latency_by_minute


def plot_soak(
    path: Path,
    *,
    samples: Sequence[Sample],
    latencies: NDArray[np.float64],
    duration_s: float,
    compared_s: Sequence[tuple[float, float]],
) -> None:
    """Write a plot of memory, threads, latency, drops and load.

    Args:
        path: A PNG.
        samples: Of the whole soak.
        latencies: (N, 2) float64: seconds since the begin, and milliseconds from stamp to targets.
        duration_s: The whole soak.
        compared_s: The windows that were compared, from and to, in seconds; shaded.
    """
    minutes = np.array([sample.at_s for sample in samples]) / 60
    ends_s, p50, p95 = latency_by_minute(latencies).T
    ends = np.minimum(ends_s, duration_s) / 60
    series = {
        'resident memory (MB)': {'': (minutes, [s.rss_mb for s in samples])},
        'threads, file descriptors': {
            name: (minutes, [getattr(s, name) for s in samples]) for name in ('threads', 'fds')
        },
        'stamp to targets (ms)': {'p50': (ends, p50), 'p95': (ends, p95)},
        'frames dropped': {'': (minutes, [s.dropped for s in samples])},
        'load of the machine': {'': (minutes, [s.load for s in samples])},
    }
    figure = Figure(figsize=(10.0, 10.0), layout='constrained')
    panels = figure.subplots(len(series), 1, sharex=True)
    for panel, (title, lines) in zip(panels, series.items(), strict=True):
        for label, (x, y) in lines.items():
            panel.plot(x, y, label=label)
        for begin_s, end_s in compared_s:
            panel.axvspan(begin_s / 60, end_s / 60, color='0.9')
        panel.set_title(title, fontsize=9)
        if len(lines) > 1:
            panel.legend(fontsize=8)
    panels[-1].set(xlabel='minutes', xlim=(0, duration_s / 60))
    figure.savefig(path, dpi=100)
