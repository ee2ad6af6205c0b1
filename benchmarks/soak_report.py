# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Write what a soak found: numbers as JSON, a plot, and a report."""

import json
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.soak_analysis import Check
from benchmarks.soak_analysis import Sample
from benchmarks.soak_analysis import latency_by_minute
from benchmarks.soak_plot import Panel
from benchmarks.soak_plot import draw_panels


def write_report(
    out: Path,
    *,
    samples: Sequence[Sample],
    latencies: NDArray[np.float64],
    heard: Mapping[str, int],
    checks: Sequence[Check],
    about: str,
    duration_s: float,
    warm_up_s: float,
    window_s: float,
) -> str:
    """Write soak.json, soak.png and report.md, and return the report.

    Args:
        out: The folder.
        samples: Of the whole soak.
        latencies: (N, 2) float64: seconds since the begin, and milliseconds from stamp to targets.
        heard: Messages heard by topic, of the outputs that were listened to part of the time.
        checks: The verdict.
        about: The machine and the model.
        duration_s: The whole soak.
        warm_up_s: What was not judged.
        window_s: Length of the first and the last window, which were compared.
    """
    out.mkdir(parents=True, exist_ok=True)
    numbers = {
        'about': about,
        'duration_s': duration_s,
        'warm_up_s': warm_up_s,
        'window_s': window_s,
        'checks': [asdict(check) for check in checks],
        'heard': dict(heard),
        'samples': [asdict(sample) for sample in samples],
        'latencies': latencies.round(2).tolist(),
    }
    (out / 'soak.json').write_text(json.dumps(numbers) + '\n', encoding='utf-8')
    plot = draw_panels(
        _panels(samples, latencies, duration_s),
        minutes=duration_s / 60,
        shaded=[
            (warm_up_s / 60, (warm_up_s + window_s) / 60),
            ((duration_s - window_s) / 60, duration_s / 60),
        ],
    )
    cv2.imwrite(str(out / 'soak.png'), plot)

    final = samples[-1]
    table = [
        f'| {c.name} | {c.found} | {c.bar} | {"held" if c.ok else "NOT HELD"} |' for c in checks
    ]
    listened = ', '.join(f'{topic} {count}' for topic, count in sorted(heard.items()))
    text = '\n'.join(
        [
            f'# Soak of {duration_s / 60:g} min',
            '',
            about,
            f'Not judged: the first {warm_up_s:g} s. Compared: the first {window_s:g} s after '
            f'that, and the last.',
            '',
            '| what | found | bar | |',
            '|---|---|---|---|',
            *table,
            '',
            f'Frames: {final.received} received, {final.processed} answered, {final.dropped} '
            f'dropped for newer ones, {final.unusable} unusable. Heard meanwhile: {listened}.',
            '',
            '![memory, threads, file descriptors and latency over time](soak.png)',
            '',
        ]
    )
    (out / 'report.md').write_text(text, encoding='utf-8')
    return text


def _panels(
    samples: Sequence[Sample], latencies: NDArray[np.float64], duration_s: float
) -> list[Panel]:
    minutes = [sample.at_s / 60 for sample in samples]
    ends_s, p50, p95 = latency_by_minute(latencies).T
    end_minutes = np.minimum(ends_s, duration_s) / 60
    return [
        Panel('Resident memory (MB)', {'': (minutes, [s.rss_mb for s in samples])}),
        Panel(
            'Threads and file descriptors',
            {name: (minutes, [getattr(s, name) for s in samples]) for name in ('threads', 'fds')},
        ),
        Panel(
            'Stamp to targets, by minute (ms)',
            {'p50': (end_minutes, p50), 'p95': (end_minutes, p95)},
        ),
        Panel('Frames dropped for newer ones', {'': (minutes, [s.dropped for s in samples])}),
        Panel("The machine's load, over a minute", {'': (minutes, [s.load for s in samples])}),
    ]
