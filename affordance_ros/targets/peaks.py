# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets: the peaks of a map, by non-maximum suppression with sub-pixel refinement."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Target:
    """A place to act on.

    Attributes:
        x: Column in pixels of the input image, sub-pixel, 0 at the centre of the leftmost pixel.
        y: Row in pixels, 0 at the centre of the topmost pixel.
        score: The heatmap's value there, in [0, 1].
    """

    x: float
    y: float
    score: float


def find_targets(
    heatmap: NDArray[np.float32],
    *,
    min_score: float,
    min_distance_px: float,
    max_targets: int,
) -> tuple[Target, ...]:
    """Find the peaks of a heatmap, best first.

    Logits have the same peaks, and their own places within a pixel; scores are logits then.

    A peak is a pixel, or a flat region's most central pixel, that no neighbour exceeds. Peaks are
    taken by falling score, and each forbids others closer than `min_distance_px`.

    Args:
        heatmap: (H, W) float32 in [0, 1], or logits.
        min_score: The lowest score of a target.
        min_distance_px: The least distance between two targets, in pixels.
        max_targets: How many to return at most.

    Returns:
        At most `max_targets` targets, none if nothing reaches `min_score`. The refinement moves
        a target by at most one pixel, never off the image.

    Raises:
        ValueError: If the heatmap is empty or not two-dimensional.
    """
    if heatmap.ndim != 2 or heatmap.size == 0:
        raise ValueError(f'a heatmap must be (H, W) with H, W > 0, not {heatmap.shape}')
    columns, rows = _peak_pixels(heatmap, min_score)
    scores = heatmap[rows, columns]
    chosen = choose_peaks(
        columns, rows, scores, min_distance_px=min_distance_px, max_targets=max_targets
    )
    columns, rows = columns[chosen], rows[chosen]
    steps = refine_peaks(neighbourhoods(heatmap[None], np.zeros_like(rows), rows, columns))
    x, y = columns + steps[:, 0], rows + steps[:, 1]
    return tuple(map(Target, x.tolist(), y.tolist(), scores[chosen].tolist()))


def choose_peaks(
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
    scores: NDArray[np.float32],
    *,
    min_distance_px: float,
    max_targets: int,
    maps: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Take peaks by falling score, each forbidding others of its map that are too close.

    Args:
        columns: (P,) of the peaks, in pixels.
        rows: (P,) of the peaks, in pixels.
        scores: (P,).
        min_distance_px: The least distance between two peaks, in pixels.
        max_targets: How many to take of each map at most.
        maps: (P,) the number of each peak's map; None if there is but one.

    Returns:
        The numbers of the peaks taken, map by map, the highest first.
    """
    if maps is None:
        maps = np.zeros(len(scores), np.int64)
    # Equal scores: top to bottom, left to right.
    order = np.lexsort((columns, rows, -scores, maps))
    # Plain numbers: there are few peaks, and numpy costs more for each of many maps.
    places = zip(
        order.tolist(),
        maps[order].tolist(),
        columns[order].tolist(),
        rows[order].tolist(),
        strict=True,
    )
    chosen: list[int] = []
    taken: list[tuple[int, int]] = []
    current = -1
    for peak, number, *place in places:
        if number != current:
            current, taken = number, []
        if len(taken) < max_targets and all(
            math.dist(place, other) >= min_distance_px for other in taken
        ):
            taken.append((place[0], place[1]))
            chosen.append(peak)
    return np.array(chosen, np.int64)


def _peak_pixels(
    heatmap: NDArray[np.float32], min_score: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return columns and rows of the local maxima, one for each flat region."""
    # Dilation ignores what lies outside the image, so border pixels count like all others.
    around = np.ones((3, 3), np.uint8)
    candidates = (heatmap >= cv2.dilate(heatmap, around)) & (heatmap >= min_score)
    # Candidates that touch are equal, so a component is a single pixel or a flat region.
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(
        candidates.astype(np.uint8), connectivity=8
    )
    # A shoulder's edge is as high, but looks up to something higher: it is no candidate.
    others = np.where(candidates, np.float32(-np.inf), heatmap)
    shoulders = set(labels[candidates & (cv2.dilate(others, around) >= heatmap)].tolist())
    places: list[tuple[int, int]] = []
    for label in range(1, count):
        left, top, width, height, area = stats[label]
        if label in shoulders:
            continue
        if area == 1:
            places.append((left, top))
            continue
        region_rows, region_columns = np.nonzero(
            labels[top : top + height, left : left + width] == label
        )
        offsets = np.hypot(
            region_columns + left - centroids[label, 0], region_rows + top - centroids[label, 1]
        )
        middle = int(np.argmin(offsets))
        places.append((region_columns[middle] + left, region_rows[middle] + top))
    columns, rows = np.array(places, np.int64).reshape(-1, 2).T
    return columns, rows


def neighbourhoods(
    maps: NDArray[np.float32],
    which: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return the pixels around some of several maps' pixels.

    Args:
        maps: (M, a, b).
        which: (P,) the map of each pixel.
        rows: (P,) in pixels.
        columns: (P,) in pixels.

    Returns:
        (P, 3, 3) float32, NaN off the map.
    """
    steps = np.arange(-1, 2)
    row = rows[:, None, None] + steps[:, None]
    column = columns[:, None, None] + steps
    height, width = maps.shape[1:]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    near = maps[which[:, None, None], np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    return np.where(inside, near, np.float32(np.nan))


def refine_peaks(around: NDArray[np.float32]) -> NDArray[np.float64]:
    """Fit a quadratic to each peak's 3x3 neighbourhood and return how far its top is.

    On the border the missing side is unknown, so that axis keeps the pixel's centre. Where the
    fit has no top (a ridge or a flat region), each axis is fitted on its own.

    Args:
        around: (P, 3, 3) heat or logits; NaN off the image.

    Returns:
        (P, 2) steps in x and y in pixels, each in [-1, 1].
    """
    near = around.astype(np.float64)
    centre = near[:, 1, 1]
    before, behind = near[:, [1, 0], [0, 1]], near[:, [1, 2], [2, 1]]  # (P, 2) in x and in y
    slope, bend = (behind - before) / 2, before + behind - 2 * centre[:, None]
    twist = (near[:, 2, 2] - near[:, 2, 0] - near[:, 0, 2] + near[:, 0, 0]) / 4
    determinant = bend[:, 0] * bend[:, 1] - twist**2
    # Comparisons with NaN are false: nothing moves towards what is not there.
    has_top = ((bend[:, 0] < 0) & (determinant > 0))[:, None]
    with np.errstate(divide='ignore', invalid='ignore'):
        alone = np.where(bend < 0, -slope / bend, 0.0)
        both = -(bend[:, ::-1] * slope - twist[:, None] * slope[:, ::-1]) / determinant[:, None]
    return np.asarray(np.clip(np.where(has_top, both, alone), -1.0, 1.0))
