# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Write what a soak found: numbers as JSON, a report, and a plot where matplotlib is installed."""

import json
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.soak_analysis import Check
from benchmarks.soak_analysis import Sample


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
    compared_s = [(warm_up_s, warm_up_s + window_s), (duration_s - window_s, duration_s)]
    plot = out / 'soak.png'
    try:
        from benchmarks.soak_plot import plot_soak
    except ImportError as error:
        shown = f'No plot: {error}.'
    else:
        plot_soak(
            plot,
            samples=samples,
            latencies=latencies,
            duration_s=duration_s,
            compared_s=compared_s,
        )
        shown = f'![memory, threads, file descriptors and latency over time]({plot.name})'

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
            shown,
            '',
        ]
    )
    (out / 'report.md').write_text(text, encoding='utf-8')
    return text
