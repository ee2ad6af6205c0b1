# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Charts as inline SVG: cumulative curves and bars, drawn without any library."""

from collections.abc import Mapping
from collections.abc import Sequence
from html import escape

import numpy as np

_WIDTH = 340
_HEIGHT = 210
_LEFT = 40
_BOTTOM = 34
_TOP = 24
_RIGHT = 12


def cumulative_curve(values: Sequence[float], *, title: str, mean: float) -> str:
    """Draw the share of images at or below each value.

    Args:
        values: One for each image, finite.
        title: Over the chart.
        mean: Marked by a line.

    Returns:
        An `<svg>` element; it says so where there are no values.
    """
    parts = [_text(_LEFT, 15, title, 'title')]
    if not values:
        parts.append(_text(_LEFT, _HEIGHT / 2, 'no image has a value', 'label'))
        return _svg(_WIDTH, _HEIGHT, parts, label=title)
    ordered = np.sort(np.asarray(values, np.float64))
    low, high = float(ordered[0]), float(ordered[-1])
    span = high - low or 1.0
    inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x_of(value: float) -> float:
        return _LEFT + (value - low) / span * inner_width

    def y_of(share: float) -> float:
        return _TOP + (1 - share) * inner_height

    for share in (0.0, 0.5, 1.0):
        y = y_of(share)
        parts.append(_line(_LEFT, y, _WIDTH - _RIGHT, y, 'grid'))
        parts.append(_text(_LEFT - 5, y + 4, f'{100 * share:.0f} %', 'label end'))
    for place in np.linspace(low, high, 4):
        parts.append(_text(x_of(place), _HEIGHT - 14, f'{place:.2f}', 'label middle'))
    shares = np.linspace(0, 1, min(len(ordered), 200)) if len(ordered) > 1 else np.array([1.0])
    points = ' '.join(
        f'{x_of(v):.1f},{y_of(s):.1f}'
        for v, s in zip(np.quantile(ordered, shares), shares, strict=True)
    )
    parts.append(f'<polyline class="curve" points="{points}"/>')
    parts.append(_line(x_of(mean), _TOP, x_of(mean), _HEIGHT - _BOTTOM, 'mean'))
    near_end = x_of(mean) > _WIDTH - 90
    parts.append(
        _text(
            x_of(mean) + (-4 if near_end else 4),
            _HEIGHT - _BOTTOM - 5,
            f'mean {mean:.3f}',
            'label end' if near_end else 'label',
        )
    )
    return _svg(_WIDTH, _HEIGHT, parts, label=f'{title}: mean {mean:.3f}')


def bars(values: Mapping[str, float], *, counts: Mapping[str, int], title: str) -> str:
    """Draw a horizontal bar for each name, in the given order; NaN has none.

    Args:
        values: By name, not negative but for NSS, whose negative bars are drawn in another tone.
        counts: How many images each name has.
        title: Over the chart.

    Returns:
        An `<svg>` element.
    """
    row, left, width = 17, 190, 520
    height = 30 + row * len(values)
    most = max((abs(v) for v in values.values() if np.isfinite(v)), default=1.0) or 1.0
    parts = [_text(0, 15, title, 'title')]
    for index, (name, value) in enumerate(values.items()):
        y = 28 + index * row
        parts.append(_text(left - 8, y + 11, f'{name} ({counts[name]:,})', 'label end'))
        if not np.isfinite(value):
            parts.append(_text(left, y + 11, 'no value', 'label'))
            continue
        length = abs(value) / most * (width - left - 60)
        kind = 'bar' if value >= 0 else 'bar below'
        parts.append(
            f'<rect class="{kind}" x="{left}" y="{y}" width="{length:.1f}" height="{row - 4}"/>'
        )
        parts.append(_text(left + length + 5, y + 11, f'{value:.3f}', 'label'))
    return _svg(width, height, parts, label=title)


def _svg(width: int, height: int, parts: Sequence[str], *, label: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(label, quote=True)}">{"".join(parts)}</svg>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
