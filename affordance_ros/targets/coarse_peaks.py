# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets found on the model's own small maps, equal to those of the restored maps.

Between the points of a small map the restored one is bilinear, so its peaks lie near points where
it falls off in all four directions, or on the image's border. Only around the highest of those is
the map restored, pixel for pixel. Beyond the outermost points it is level, up to a border of the
image that is one of the canvas too: there all level pixels are looked at as one. Where a peak is
flat anyhow, which takes equal points, the whole map is restored after all.

All this looks at logits: near 1, float32's heat would flatten the tops.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affordance_ros.targets.activation import Activation
from affordance_ros.targets.activation import sigmoid
from affordance_ros.targets.map_axis import MapAxis
from affordance_ros.targets.map_axis import map_axes
from affordance_ros.targets.peaks import Target
from affordance_ros.targets.peaks import choose_peaks
from affordance_ros.targets.peaks import find_targets
from affordance_ros.targets.peaks import neighbourhoods
from affordance_ros.targets.peaks import refine_peaks

# Slopes of float32 maps that differ from level by less are level.
_LEVEL = 1e-5
# At first so many places of each map are looked at for each target wanted: mostly they suffice.
_PLACES_PER_TARGET = 3

# Pixels and their neighbours to the right, below, and on both diagonals.
_NEIGHBOURS = (
    (np.s_[:, :-1], np.s_[:, 1:]),
    (np.s_[:-1], np.s_[1:]),
    (np.s_[:-1, :-1], np.s_[1:, 1:]),
    (np.s_[:-1, 1:], np.s_[1:, :-1]),
)

_Places = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


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
        For each map what `find_targets` finds in its restored logits, but for rounding, with heat
        for scores.
    """
    logits = np.stack([activation.logits for activation in activations])  # (K, h, w)
    least = _logit(min_score)
    axes = map_axes(activations[0].box, logits.shape[1:])
    found: list[tuple[Target, ...] | None] = [None] * len(logits)
    if axes is not None:
        found = _Search(axes, least, min_distance_px, max_targets).run(logits)
    whole = [
        find_targets(
            activation.restore(),
            min_score=least,
            min_distance_px=min_distance_px,
            max_targets=max_targets,
        )
        if targets is None
        else targets
        for targets, activation in zip(found, activations, strict=True)
    ]
    scores = sigmoid(np.array([t.score for own in whole for t in own], np.float32))
    heat = iter(scores.tolist())
    return [tuple(Target(t.x, t.y, next(heat)) for t in own) for own in whole]


@dataclass(frozen=True)
class _Peaks:
    """Peaks of several restored maps, P in all.

    Attributes:
        maps: (P,) the map of each peak.
        rows: (P,) in pixels of the image.
        columns: (P,) in pixels of the image.
        scores: (P,) logits.
        flat: (P,) bool: whether a neighbour is as high.
        around: (P, 3, 3) logits of each pixel and its neighbours, NaN off the image.
    """

    maps: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    scores: NDArray[np.float32]
    flat: NDArray[np.bool_]
    around: NDArray[np.float32]


@dataclass(frozen=True)
class _Search:
    """How the targets of maps are looked for.

    Attributes:
        axes: The image's rows and columns.
        least: The lowest logit of a target.
        min_distance_px: The least distance between two targets, in pixels.
        max_targets: How many at most for each map.
    """

    axes: tuple[MapAxis, MapAxis]
    least: float
    min_distance_px: float
    max_targets: int

    def run(self, logits: NDArray[np.float32]) -> list[tuple[Target, ...] | None]:
        """Look for the targets of maps (K, h, w) float32.

        Returns:
            For each map its targets, with logits for scores; None where a target is flat.
        """
        count = len(logits)
        places, bounds = self._places(logits)
        rank = _ranks(places[0], bounds, count)
        few = _PLACES_PER_TARGET * self.max_targets
        number = np.bincount(places[0], minlength=count)
        first = rank < np.where(number <= 2 * few, number, few)[places[0]]
        # No peak of a map that was left out is higher than this.
        left = np.full(count, -np.inf, np.float32)
        np.maximum.at(left, places[0][~first], bounds[~first])
        found = self._near(logits, _only(places, first))
        unsure = [
            k
            for k, own in enumerate(found)
            if own is not None
            and left[k] > (own[-1].score if len(own) == self.max_targets else -np.inf)
        ]
        if unsure:
            again = self._near(logits, _only(places, np.isin(places[0], unsure)))
            for k in unsure:
                found[k] = again[k]
        return found

    def _places(self, logits: NDArray[np.float32]) -> tuple[_Places, NDArray[np.float32]]:
        """Return map, row line and column line of all places near which a peak may lie.

        Returns:
            Those, (M,) each, and (M,) what no logit near the place exceeds.
        """
        rows, columns = self.axes
        on_rows = rows.along_lines(logits.transpose(0, 2, 1)).transpose(0, 2, 1)
        on_lines = columns.along_lines(on_rows)  # (K, row lines, column lines)
        highest = _highest_around(on_lines)
        falls = _falls_off(on_lines, columns.shares)
        falls &= _falls_off(on_lines.transpose(0, 2, 1), rows.shares).transpose(0, 2, 1)
        k, row, column = np.nonzero(falls & (highest >= self.least))
        return (k, row, column), highest[k, row, column]

    def _near(
        self, logits: NDArray[np.float32], places: _Places
    ) -> list[tuple[Target, ...] | None]:
        """Return what `run` does, of what lies near some places alone."""
        peaks = self._peaks(logits, places)
        chosen = choose_peaks(
            peaks.columns,
            peaks.rows,
            peaks.scores,
            maps=peaks.maps,
            min_distance_px=self.min_distance_px,
            max_targets=self.max_targets,
        )
        steps = refine_peaks(peaks.around[chosen])
        x, y = peaks.columns[chosen] + steps[:, 0], peaks.rows[chosen] + steps[:, 1]
        own: list[list[Target]] = [[] for _ in logits]
        for k, *place in zip(
            peaks.maps[chosen].tolist(),
            x.tolist(),
            y.tolist(),
            peaks.scores[chosen].tolist(),
            strict=True,
        ):
            own[k].append(Target(*place))
        flat = set(peaks.maps[chosen][peaks.flat[chosen]].tolist())
        return [None if k in flat else tuple(targets) for k, targets in enumerate(own)]

    def _peaks(self, logits: NDArray[np.float32], places: _Places) -> _Peaks:
        """Restore the maps around places and return the peaks there."""
        rows, columns = self.axes
        k, row_line, column_line = places
        points = logits[
            k[:, None, None],
            rows.points[row_line][:, :, None],
            columns.points[column_line][:, None],
        ]
        patches = np.asarray(
            rows.weights[row_line] @ points @ columns.weights[column_line].transpose(0, 2, 1),
            np.float32,
        )
        peak = _no_neighbour_exceeds(patches)
        peak &= rows.whole[row_line][:, :, None] & columns.whole[column_line][:, None]
        patch, a, b = np.nonzero(peak & (patches >= self.least))
        row, column = rows.pixels[row_line[patch], a], columns.pixels[column_line[patch], b]
        # Patches of neighbouring lines can show one peak twice.
        _, once = np.unique(
            (k[patch] * rows.length + row) * columns.length + column, return_index=True
        )
        patch, a, b = patch[once], a[once], b[once]
        around = neighbourhoods(patches, patch, a, b)
        return _Peaks(
            maps=k[patch],
            rows=rows.in_image(row[once]),
            columns=columns.in_image(column[once]),
            scores=patches[patch, a, b],
            flat=np.count_nonzero(around == around[:, 1:2, 1:2], axis=(1, 2)) > 1,
            around=around,
        )


def _only(places: _Places, which: NDArray[np.bool_]) -> _Places:
    maps, rows, columns = places
    return maps[which], rows[which], columns[which]


def _ranks(maps: NDArray[np.int64], bounds: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Return the rank of each place among its map's, the highest bound first."""
    order = np.lexsort((-bounds, maps))
    starts = np.searchsorted(maps[order], np.arange(count))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - starts[maps[order]]
    return rank


def _logit(score: float) -> float:
    if not 0.0 < score < 1.0:
        return -math.inf if score <= 0.0 else math.inf
    return math.log(score / (1.0 - score))


def _highest_around(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the highest of each point (K, a, b) and its eight neighbours."""
    along = values.copy()
    np.maximum(along[:, 1:], values[:, :-1], out=along[:, 1:])
    np.maximum(along[:, :-1], values[:, 1:], out=along[:, :-1])
    highest = along.copy()
    np.maximum(highest[..., 1:], along[..., :-1], out=highest[..., 1:])
    np.maximum(highest[..., :-1], along[..., 1:], out=highest[..., :-1])
    return highest


def _falls_off(values: NDArray[np.float32], shares: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return at which points of a grid (K, a, b) the restored map may fall off along both rows.

    A pixel near a point sees slopes between those on the point's own column and on the columns
    beside, of which it has some share: in either direction one of them must fall off, or be level.

    Args:
        values: On the lines.
        shares: (b - 1,) what share of a column's slope the next one may see, and the other way.
    """
    slope = np.diff(values, axis=1)  # to the next row
    step = np.diff(slope, axis=2) * shares
    least, most = slope.copy(), slope.copy()
    for beside, change in ((np.s_[..., :-1], step), (np.s_[..., 1:], -step)):
        seen = slope[beside] + change
        np.minimum(least[beside], seen, out=least[beside])
        np.maximum(most[beside], seen, out=most[beside])
    falls = np.ones(values.shape, bool)
    falls[:, :-1] &= least <= _LEVEL
    falls[:, 1:] &= most >= -_LEVEL
    return falls


def _no_neighbour_exceeds(patches: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return at which pixels (M, a, b) none of the eight neighbours is higher."""
    values = np.ascontiguousarray(np.moveaxis(patches, 0, -1))  # numpy is slow over short rows
    lower = np.zeros(values.shape, bool)
    for here, there in _NEIGHBOURS:
        lower[here] |= values[here] < values[there]
        lower[there] |= values[there] < values[here]
    return np.moveaxis(~lower, -1, 0)
