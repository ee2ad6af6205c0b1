# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Draw series over time as lines in panels, one below the other."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike
from numpy.typing import NDArray

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_COLOURS = ((180, 90, 0), (0, 90, 220), (60, 140, 60))  # BGR
_WIDTH, _HEIGHT = 1000, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 50, 30, 30


@dataclass(frozen=True)
class Panel:
    """Lines over minutes that share an axis: by name, (minutes, values)."""

    title: str
    lines: Mapping[str, tuple[ArrayLike, ArrayLike]]


def draw_panels(
    panels: Sequence[Panel], *, minutes: float, shaded: Sequence[tuple[float, float]]
) -> NDArray[np.uint8]:
    """Draw panels over one axis of time.

    Args:
        panels: From top to bottom.
        minutes: Where the axis of time ends.
        shaded: Stretches of time, in minutes, with a grey ground.

    Returns:
        The plot, uint8 BGR.
    """
    return np.concatenate([_draw(panel, minutes, shaded) for panel in panels])


def _draw(
    panel: Panel, minutes: float, shaded: Sequence[tuple[float, float]]
) -> NDArray[np.uint8]:
    plot = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    everything = np.concatenate([np.asarray(y, float) for _, y in panel.lines.values()])
    low, high = float(everything.min()), float(everything.max())
    margin = max(0.08 * (high - low), 0.5)
    low, high = low - margin, high + margin

    def place(at: ArrayLike, values: ArrayLike) -> NDArray[np.int32]:
        x = _LEFT + np.asarray(at, float) / minutes * (_WIDTH - _LEFT - _RIGHT)
        share = (high - np.asarray(values, float)) / (high - low)
        y = _TOP + share * (_HEIGHT - _TOP - _BOTTOM)
        return np.stack([x, y], axis=-1).round().astype(np.int32)

    for start, end in shaded:
        corners = place([start, end], [high, low])
        cv2.rectangle(plot, corners[0].tolist(), corners[1].tolist(), (235, 235, 235), cv2.FILLED)
    for value in np.linspace(low + margin, high - margin, 3):
        start, end = place([0, minutes], [value, value]).tolist()
        cv2.line(plot, start, end, (200, 200, 200), 1)
        _write(plot, f'{value:.5g}', (8, start[1] + 4))
    for at in np.linspace(0, minutes, 7):
        x = int(place(at, low)[0])
        _write(plot, f'{at:.3g} min', (x - 25, _HEIGHT - 10))
    x = _LEFT
    _write(plot, panel.title, (x, 18))
    x += 10 * len(panel.title) + 20
    for colour, (name, (at, values)) in zip(_COLOURS, panel.lines.items(), strict=False):
        cv2.polylines(plot, [place(at, values)], False, colour, 1, cv2.LINE_AA)
        _write(plot, name, (x, 18), colour)
        x += 10 * len(name) + 20
    return plot


def _write(
    plot: NDArray[np.uint8],
    text: str,
    place: tuple[int, int],
    colour: tuple[int, int, int] = (0, 0, 0),
) -> None:
    cv2.putText(plot, text, place, _FONT, 0.45, colour, 1, cv2.LINE_AA)
