# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets found on the model's own small maps, equal to those of the restored heatmaps.

Between the points of a small map the restored one is bilinear, so its peaks lie at points that
none of their four neighbours exceeds, or on the image's border. Only around those is the heatmap
made, pixel for pixel. Where a peak is flat, which rounding makes ragged in the restored map, the
whole heatmap is made after all: so it is at a border of the image that is one of the canvas too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affordance_ros.activation import Activation
from affordance_ros.activation import restoring_weights
from affordance_ros.activation import sigmoid
from affordance_ros.geometry import Letterbox
from affordance_ros.peaks import Target
from affordance_ros.peaks import find_targets
from affordance_ros.peaks import refine_peak
from affordance_ros.peaks import select_targets

# Where points of the map are closer in the image, there is nothing to save.
_LEAST_STEP_PX = 4.0
# Above, float32's sigmoid makes flat tops of peaks, whose middle only the whole heatmap shows.
_MOST_LOGIT = 8.0
# The pixels around a point of the map depend on so many points before and behind it.
_REACH = 3


def find_all_targets(
    activations: Sequence[Activation],
    *,
    min_score: float,
    min_distance_px: float,
    max_targets: int,
) -> list[tuple[Target, ...]]:
    """Find the targets of one image's activation maps; see `find_targets`.

    Args:
        activations: K maps on one letterbox.
        min_score: The lowest score of a target.
        min_distance_px: The least distance between two targets, in pixels.
        max_targets: How many to return at most for each map.

    Returns:
        For each map what `find_targets` finds in its heatmap, but for rounding.
    """
    logits = np.stack([activation.logits for activation in activations])  # (K, h, w)
    peaks = _find_peaks(logits, activations[0].box, min_score)
    found = []
    for k, activation in enumerate(activations):
        if peaks is None or peaks.hidden[k]:
            targets = find_targets(
                activation.heatmap,
                min_score=min_score,
                min_distance_px=min_distance_px,
                max_targets=max_targets,
            )
        else:
            own = np.flatnonzero(peaks.numbers == k)
            targets = select_targets(
                peaks.columns[own],
                peaks.rows[own],
                peaks.scores[own],
                refine=partial(peaks.refine, own),
                min_distance_px=min_distance_px,
                max_targets=max_targets,
            )
        found.append(targets)
    return found


class _Peaks:
    """Peaks of several maps' heatmaps, P in all.

    Attributes:
        hidden: (K,) bool: the maps whose peaks only the whole heatmap shows.
        numbers: (P,) the map of each peak.
        rows: (P,) in pixels.
        columns: (P,) in pixels.
        scores: (P,) in [0, 1].

    Args:
        logits: (K, h, w) float32.
        axes: The image's rows and columns.
        min_score: The lowest score of a peak.
    """

    def __init__(
        self, logits: NDArray[np.float32], axes: tuple['_Axis', '_Axis'], min_score: float
    ) -> None:
        self._logits = logits
        self._axes = axes
        self._min_score = min_score
        self.hidden = logits.max(axis=(1, 2)) > _MOST_LOGIT
        number, row, column, score, flat, seen = self._near_lines()
        self.hidden[number[flat]] = True
        # Patches of neighbouring lines can show one peak twice.
        key = (number * axes[0].length + row) * axes[1].length + column
        _, once = np.unique(key, return_index=True)
        self.numbers, self.rows, self.columns = number[once], row[once], column[once]
        self.scores = score[once]
        self._seen = seen[:, once]  # patch, row and column in it

    def refine(self, own: NDArray[np.int64], peak: int) -> tuple[float, float]:
        """Return x and y of one of a map's own peaks."""
        number = own[peak]
        patch, row, column = (int(value) for value in self._seen[:, number])
        x, y = refine_peak(self._heat[patch], column, row)
        return x + int(self.columns[number]) - column, y + int(self.rows[number]) - row

    def _near_lines(self) -> tuple[NDArray[Any], ...]:
        """Return map, row, column, score, flatness and place in its patch of each peak."""
        rows, columns = self._axes
        # On logits: the sigmoid changes no order.
        on_rows = rows.along_lines(self._logits.transpose(0, 2, 1)).transpose(0, 2, 1)
        on_lines = columns.along_lines(on_rows)  # (K, lines, lines)
        maybe = _no_neighbour_exceeds(on_lines) & (on_lines >= _logit(self._min_score))
        number, row_line, column_line = np.nonzero(maybe)  # M of them
        top, row_points, row_weights = rows.patches(row_line)  # (M,), (M, s), (M, a, s)
        left, column_points, column_weights = columns.patches(column_line)
        around = self._logits[
            number[:, None, None], row_points[:, :, None], column_points[:, None]
        ]
        heat = _heat(row_weights @ around @ column_weights.transpose(0, 2, 1))  # (M, a, b)
        peak, flat = _peaks_of_patches(heat)
        row = top[:, None] + np.arange(heat.shape[1])  # (M, a)
        column = left[:, None] + np.arange(heat.shape[2])  # (M, b)
        peak &= rows.is_seen_whole(row)[:, :, None] & columns.is_seen_whole(column)[:, None]
        patch, a, b = np.nonzero(peak & (heat >= self._min_score))
        self._heat = heat
        return (
            number[patch],
            row[patch, a],
            column[patch, b],
            heat[patch, a, b],
            flat[patch, a, b],
            np.stack([patch, a, b]),
        )


def _find_peaks(logits: NDArray[np.float32], box: Letterbox, min_score: float) -> _Peaks | None:
    """Find the heatmaps' peaks; None where the image is too small for it to pay."""
    axes = _axes(box, (logits.shape[1], logits.shape[2]))
    return None if axes is None else _Peaks(logits, axes, min_score)


def _heat(logits: NDArray[Any]) -> NDArray[np.float32]:
    return sigmoid(np.asarray(logits, np.float32))


def _logit(score: float) -> float:
    if not 0.0 < score < 1.0:
        return -math.inf if score <= 0.0 else math.inf
    return math.log(score / (1.0 - score))


def _no_neighbour_exceeds(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return where none of the four neighbours is higher, for values (K, a, b)."""
    highest = np.ones(values.shape, bool)
    highest[:, 1:] &= values[:, 1:] >= values[:, :-1]
    highest[:, :-1] &= values[:, :-1] >= values[:, 1:]
    highest[:, :, 1:] &= values[:, :, 1:] >= values[:, :, :-1]
    highest[:, :, :-1] &= values[:, :, :-1] >= values[:, :, 1:]
    return highest


def _peaks_of_patches(
    heat: NDArray[np.float32],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which pixels (M, a, b) no neighbour exceeds, and which have an equal neighbour."""
    height, width = heat.shape[1:]
    padded = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-1.0)
    peak, flat = np.ones(heat.shape, bool), np.zeros(heat.shape, bool)
    for row in range(3):
        for column in range(3):
            if (row, column) != (1, 1):
                neighbour = padded[:, row : row + height, column : column + width]
                peak &= heat >= neighbour
                flat |= heat == neighbour
    return peak, flat


@dataclass(frozen=True)
class _Axis:
    """One axis of an image and of its maps.

    Attributes:
        weights: (pixels, points); see `restoring_weights`.
        inside: The points that lie inside the image.
        lines: (lines, 2): pixel and nearest point of each line on which a peak can lie: the
            image's first pixel, the points inside, the last pixel.
        half: How far from a line its peaks and their neighbours lie at most, in pixels.
    """

    weights: NDArray[np.float32]
    inside: slice
    lines: NDArray[np.int64]
    half: int

    @classmethod
    def of(
        cls, weights: NDArray[np.float32], source: int, inner: int, canvas: int, start: int
    ) -> '_Axis | None':
        """Lay out an axis; None where its points are too close to each other.

        Args:
            weights: See above.
            source: The image's length in pixels.
            inner: Its length on the canvas.
            canvas: The canvas's length.
            start: Pixels of the canvas before the image.
        """
        points, scale = weights.shape[1], source / inner
        half = math.ceil(0.5 * scale + 1.0) + 1
        if scale * canvas / points < _LEAST_STEP_PX or source < 2 * half + 1:
            return None
        on_canvas = (np.arange(points) + 0.5) * canvas / points - 0.5
        places = (on_canvas - start + 0.5) * scale - 0.5
        inside = np.flatnonzero((places > 0) & (places < source - 1))
        ends = [[0, np.abs(places).argmin()], [source - 1, np.abs(places - source + 1).argmin()]]
        lines = np.stack([np.rint(places[inside]).astype(np.int64), inside], axis=1)
        bounds = slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)
        return cls(weights, bounds, np.concatenate([ends[:1], lines, ends[1:]]), half)

    @property
    def length(self) -> int:
        """Pixels of the image."""
        return len(self.weights)

    def along_lines(self, maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return maps (..., points) on the lines, (..., lines)."""
        first, last = maps @ self.weights[0], maps @ self.weights[-1]
        return np.concatenate([first[..., None], maps[..., self.inside], last[..., None]], axis=-1)

    def patches(
        self, line: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Return what the pixels around M lines depend on.

        Returns:
            The first pixels (M,), the points (M, s) and their weights (M, pixels, s).
        """
        size, reach = 2 * self.half + 1, min(2 * _REACH + 1, self.weights.shape[1])
        pixel, point = self.lines[line].T
        first = np.clip(pixel - self.half, 0, self.length - size)
        low = np.clip(point - _REACH, 0, self.weights.shape[1] - reach)
        points = low[:, None] + np.arange(reach)
        pixels = first[:, None] + np.arange(size)
        return first, points, self.weights[pixels[:, :, None], points[:, None]]

    def is_seen_whole(self, pixels: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return at which pixels (M, size) of patches all neighbours in the image are there."""
        whole = np.ones(pixels.shape, bool)
        whole[:, 0] = pixels[:, 0] == 0
        whole[:, -1] = pixels[:, -1] == self.length - 1
        return whole


@lru_cache(maxsize=32)
def _axes(box: Letterbox, size: tuple[int, int]) -> tuple[_Axis, _Axis] | None:
    """Lay out rows and columns; None where looking at the small map does not pay."""
    rows, columns = (
        _Axis.of(weights, *lengths)
        for weights, *lengths in zip(
            restoring_weights(box, size),
            box.source,
            box.inner,
            box.canvas,
            (box.top, box.left),
            strict=True,
        )
    )
    return None if rows is None or columns is None else (rows, columns)
