# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The page of a calibration: a reliability diagram for each half."""

from collections.abc import Mapping
from html import escape

from affordance_ros.model.calibration import Calibration
from affordance_ros_eval.html import page
from affordance_ros_eval.html import table
from affordance_ros_eval.masks.calibration import BINS
from affordance_ros_eval.masks.calibration import Reliability

_SIDE, _MARGIN = 300, 40


def html(title: str, calibration: Calibration, halves: Mapping[str, Reliability]) -> str:
    """Return the page.

    Args:
        title: Of what.
        calibration: What was fitted.
        halves: What came of it, by what each is called.
    """
    body = [
        f'<h1>{escape(title)}</h1>',
        '<p class="soft">How often the best target lies in the region that was asked for, by its '
        "score. On the diagonal a score is that chance. A dot's size is its share of phrases.</p>",
        f'<p>score = {calibration.ceiling:.2f} * sigmoid({calibration.scale:.4f} * logit + '
        f'{calibration.bias:.4f}); a pixel belongs to the region from '
        f'{calibration.mask_threshold:.3f} on.</p>',
        '<div class="charts">',
        *(diagram(name, half) for name, half in halves.items()),
        '</div>',
    ]
    for name, half in halves.items():
        rows = [
            (f'{n / BINS:.1f} to {(n + 1) / BINS:.1f}', str(c), f'{s:.3f}', f'{h:.3f}')
            for n, (c, s, h) in enumerate(zip(half.counts, half.scores, half.hits, strict=True))
            if c
        ]
        body.append(f'<h2>{escape(name)}: expected calibration error {half.error:.3f}</h2>')
        body.append(table(('score', 'phrases', 'mean score', 'in the region'), rows))
    return page(title, body)


def diagram(name: str, half: Reliability) -> str:
    """Return a reliability diagram as inline SVG."""
    total = sum(half.counts)

    def place(score: float, share: float) -> tuple[float, float]:
        return _MARGIN + score * _SIDE, _MARGIN + (1 - share) * _SIDE

    parts = [f'<text class="title" x="{_MARGIN}" y="20">{escape(name)} ({total} phrases)</text>']
    for tick in (0.0, 0.5, 1.0):
        x, y = place(tick, tick)
        parts.append(
            f'<line class="grid" x1="{_MARGIN}" y1="{y}" x2="{_MARGIN + _SIDE}" y2="{y}"/>'
        )
        parts.append(f'<text class="end" x="{_MARGIN - 6}" y="{y + 4}">{tick:g}</text>')
        parts.append(f'<text class="middle" x="{x}" y="{_MARGIN + _SIDE + 16}">{tick:g}</text>')
    (x0, y0), (x1, y1) = place(0, 0), place(1, 1)
    parts.append(f'<line class="mean" x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}"/>')
    for count, score, share in zip(half.counts, half.scores, half.hits, strict=True):
        if count:
            x, y = place(score, share)
            radius = 3 + 14 * (count / total) ** 0.5
            parts.append(f'<circle class="bar" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>')
    size = _SIDE + 2 * _MARGIN
    label = f'{name}: expected calibration error {half.error:.3f}'
    return (
        f'<svg viewBox="0 0 {size} {size}" width="{size}" height="{size}" role="img" '
        f'aria-label="{escape(label, quote=True)}">{"".join(parts)}</svg>'
    )
