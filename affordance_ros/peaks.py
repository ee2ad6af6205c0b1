# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets: the peaks of a heatmap, by non-maximum suppression with sub-pixel refinement."""

import math
from collections.abc import Callable
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

    A peak is a pixel, or a flat region's most central pixel, that no neighbour exceeds. Peaks are
    taken by falling score, and each forbids others closer than `min_distance_px`.

    Args:
        heatmap: (H, W) float32 in [0, 1].
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
    return select_targets(
        columns,
        rows,
        heatmap[rows, columns],
        refine=lambda peak: refine_peak(heatmap, int(columns[peak]), int(rows[peak])),
        min_distance_px=min_distance_px,
        max_targets=max_targets,
    )


def select_targets(
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
    scores: NDArray[np.float32],
    *,
    refine: Callable[[int], tuple[float, float]],
    min_distance_px: float,
    max_targets: int,
) -> tuple[Target, ...]:
    """Take peaks by falling score, each forbidding others that are too close.

    Args:
        columns: (P,) of the peaks, in pixels.
        rows: (P,) of the peaks, in pixels.
        scores: (P,) in [0, 1].
        refine: Returns the sub-pixel x and y of a peak, by its number.
        min_distance_px: The least distance between two targets, in pixels.
        max_targets: How many to take at most.
    """
    order = np.lexsort((columns, rows, -scores))  # equal scores: top to bottom, left to right
    # Plain numbers: there are few peaks, and numpy costs more for each of many maps.
    places = list(zip(columns[order].tolist(), rows[order].tolist(), strict=True))
    taken: list[tuple[int, int]] = []
    targets: list[Target] = []
    for peak, place in zip(order.tolist(), places, strict=True):
        if len(targets) == max_targets:
            break
        if all(math.dist(place, other) >= min_distance_px for other in taken):
            taken.append(place)
            x, y = refine(peak)
            targets.append(Target(x, y, float(scores[peak])))
    return tuple(targets)


def _peak_pixels(
    heatmap: NDArray[np.float32], min_score: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return columns and rows of the local maxima, one for each flat region."""
    # Dilation ignores what lies outside the image, so border pixels count like all others.
    highest = cv2.dilate(heatmap, np.ones((3, 3), np.uint8))
    candidates = ((heatmap >= highest) & (heatmap >= min_score)).astype(np.uint8)
    # Candidates that touch are equal, so a component is a single pixel or a flat region.
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(candidates, connectivity=8)
    columns = np.empty(count - 1, np.int64)
    rows = np.empty(count - 1, np.int64)
    for label in range(1, count):
        left, top, width, height, area = stats[label]
        if area == 1:
            columns[label - 1], rows[label - 1] = left, top
            continue
        region_rows, region_columns = np.nonzero(
            labels[top : top + height, left : left + width] == label
        )
        offsets = np.hypot(
            region_columns + left - centroids[label, 0], region_rows + top - centroids[label, 1]
        )
        middle = int(np.argmin(offsets))
        columns[label - 1] = region_columns[middle] + left
        rows[label - 1] = region_rows[middle] + top
    return columns, rows


def refine_peak(heatmap: NDArray[np.float32], column: int, row: int) -> tuple[float, float]:
    """Fit a quadratic to the 3x3 neighbourhood and return its top, within one pixel.

    On the border the missing side is unknown, so that axis keeps the pixel's centre. Where the
    fit has no top (a ridge or a flat region), each axis is fitted on its own.
    """
    height, width = heatmap.shape
    inside_x, inside_y = 0 < column < width - 1, 0 < row < height - 1
    centre = float(heatmap[row, column])
    step_x = step_y = 0.0
    dx = dy = dxx = dyy = 0.0
    if inside_x:
        left, right = float(heatmap[row, column - 1]), float(heatmap[row, column + 1])
        dx, dxx = (right - left) / 2, right - 2 * centre + left
        step_x = -dx / dxx if dxx < 0 else 0.0
    if inside_y:
        above, below = float(heatmap[row - 1, column]), float(heatmap[row + 1, column])
        dy, dyy = (below - above) / 2, below - 2 * centre + above
        step_y = -dy / dyy if dyy < 0 else 0.0
    if inside_x and inside_y:
        around = heatmap[row - 1 : row + 2, column - 1 : column + 2].astype(np.float64)
        dxy = (around[2, 2] - around[2, 0] - around[0, 2] + around[0, 0]) / 4
        determinant = dxx * dyy - dxy * dxy
        if dxx < 0 and determinant > 0:
            step_x = -(dyy * dx - dxy * dy) / determinant
            step_y = -(dxx * dy - dxy * dx) / determinant
    return column + min(max(step_x, -1.0), 1.0), row + min(max(step_y, -1.0), 1.0)
