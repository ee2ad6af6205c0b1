# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which cells of some maps belong to which peak: hills, split where a saddle is deep enough.

Each cell belongs to the peak that steepest ascent leads to. Hills are then merged over their
saddles, the highest saddle first, unless both peaks stand out of the saddle: ToMATo (Chazal et
al., Persistence-based clustering in Riemannian manifolds, 2013), with a relative prominence.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.targets.activation import sigmoid

# Margins are lower than any map, also where there is no floor.
_LOWEST = float(np.finfo(np.float32).min)
# From so many saddles on, finding the highest between each two bumps saves time.
_MANY = 200
# Eight comparisons as the bits of a byte, and which of them is the first that holds, from 1.
_BITS = (1 << np.arange(8)).astype(np.uint8)[:, None]
_FIRST = np.array([0, *((byte & -byte).bit_length() for byte in range(1, 256))])


@dataclass(frozen=True, eq=False)
class Basins:
    """The hills of M maps.

    Attributes:
        labels: (M, h, w) int32, the number of the bump that each cell belongs to; -1 below the
            floor.
        hill: (N,) for each bump, the number of the highest bump of its hill.
        neck: (N,) the logit of the saddle over which a bump hangs together with its hill's
            highest; infinite for the highest itself.
        peaks: (P,) the numbers of the hills, which are their highest bumps'.
        which: (P,) the map that each hill is on.
        rows: (P,) the rows of their highest cells, of a level top the most central one.
        columns: (P,) their columns.
        offsets: (P, 2) x and y from that cell to the middle of a level top; 0 where there is but
            one cell.
    """

    labels: NDArray[np.int32]
    hill: NDArray[np.int64]
    neck: NDArray[np.float64]
    peaks: NDArray[np.int64]
    which: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    offsets: NDArray[np.float64]


def find_basins(maps: NDArray[np.float32], *, floor: float, min_prominence: float) -> Basins:
    """Divide maps into hills.

    Args:
        maps: (M, h, w) float32 logits.
        floor: Cells with lower logits belong to no hill.
        min_prominence: Two hills stay apart if the heat at the saddle between them is lower than
            the lower peak's heat by at least this share of it, in [0, 1].
    """
    count, height, width = maps.shape
    # One image of all maps, each with a margin that nothing climbs over. The last column is the
    # left margin of the next row too; one cell more is that of the first.
    pitch, shape = width + 1, (count * (height + 1) + 1, width + 1)
    store = np.full(shape[0] * pitch + 1, -np.inf, np.float32)
    flat = store[1:]
    flat[pitch:].reshape(count, height + 1, pitch)[:, :height, :width] = maps
    cells = np.flatnonzero(flat >= max(floor, _LOWEST))
    steps = np.array([0, 1, pitch - 1, pitch, pitch + 1, -1, 1 - pitch, -pitch, -pitch - 1])
    # (9, C), the cell itself first: it wins a tie. Row by row, since one large array of places is
    # slower than nine small ones.
    near = np.empty((len(steps), len(cells)), np.float32)
    below = cells - pitch
    for one, step in zip(near, steps.tolist(), strict=True):
        store[1 + pitch + step :].take(below, mode='clip', out=one)
    ways = near == near.max(axis=0)
    up = _FIRST.take(np.bitwise_or.reduce(ways[1:].view(np.uint8) * _BITS, axis=0))
    up[ways[0]] = 0
    tops = np.flatnonzero(ways[0])
    labels = np.full(flat.size, -1, np.int32)
    labels[cells] = np.arange(len(cells))
    leads_to = labels.take(cells + steps.take(up)).astype(np.intp)
    # Each turn doubles how far it leads. Tops lead to themselves.
    while not np.array_equal(leads_to, farther := leads_to.take(leads_to)):
        leads_to = farther
    bump_of_top = _number_tops(shape, cells[tops], near.take(tops, axis=1))
    bumps = np.zeros(len(cells), np.int32)
    bumps[tops] = bump_of_top
    bumps = bumps.take(leads_to)
    labels[cells] = bumps
    heights = np.empty(int(bump_of_top.max(initial=-1)) + 1, np.float32)
    heights[bump_of_top] = near[0, tops]
    hill, neck = _merge(
        heights, *_saddles(labels, cells, steps[1:5], near[:5], bumps), min_prominence
    )
    peaks = np.flatnonzero(hill == np.arange(len(hill)))
    places, offsets = _middles(peaks, bump_of_top, cells[tops], pitch)
    row, column = np.divmod(places, pitch)
    which, rows = np.divmod(row - 1, height + 1)
    grid = labels[pitch:].reshape(count, height + 1, pitch)
    return Basins(grid[:, :height, :width], hill, neck, peaks, which, rows, column, offsets)


def _number_tops(
    shape: tuple[int, ...], cells: NDArray[np.int64], near: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Number tops; those that touch are equally high, and are one."""
    if not (near[1:] == near[0]).any():
        return np.arange(len(cells))
    image = np.zeros(shape, np.uint8)
    image.ravel()[cells] = 1
    _, labels = cv2.connectedComponents(image, connectivity=8)
    return np.asarray(labels.ravel()[cells] - 1, np.int64)


def _saddles(
    labels: NDArray[np.int32],
    cells: NDArray[np.int64],
    steps: NDArray[np.int64],
    near: NDArray[np.float32],
    bumps: NDArray[np.int32],
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return where bumps touch: the lower one's logit on either side, and the two bumps.

    Args:
        labels: The bump of each cell of the flat stack; -1 for none.
        cells: (C,) the places of cells in it.
        steps: (4,) the ways to half of a cell's neighbours, so that each pair is seen once.
        near: (5, C) the logits of each cell and of those neighbours.
        bumps: (C,) the bump of each cell.
    """
    others = np.empty((len(steps), len(cells)), np.int32)
    for one, step in zip(others, steps.tolist(), strict=True):
        labels[step:].take(cells, mode='clip', out=one)
    at = np.flatnonzero((others != bumps) & (others >= 0))
    cell = at % len(bumps)
    first, second = bumps.take(cell).astype(np.int64), others.take(at).astype(np.int64)
    saddle = np.minimum(near[0].take(cell), near[1:].take(at))
    return saddle, first, second


def _merge(
    heights: NDArray[np.float32],
    saddles: NDArray[np.float32],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    min_prominence: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Merge bumps over saddles, the highest first; return `Basins.hill` and `Basins.neck`."""
    hill, neck = np.arange(len(heights)), np.full(len(heights), np.inf)
    if not len(saddles):
        return hill, neck
    heats, passes = sigmoid(heights), sigmoid(saddles)
    least = (1.0 - min_prominence) * heats
    lower = np.where(heights[first] < heights[second], first, second)
    # A hill is at least as high as its bumps, so that what parts these parts those too.
    kept = np.flatnonzero((passes > least[lower]) | (heights[lower] <= saddles))
    if not len(kept):
        return hill, neck
    kept = kept[np.argsort(-saddles[kept], kind='stable')]
    if len(kept) > _MANY:
        # Of two bumps' saddles the highest decides: their hills only grow, and so do the demands.
        pairs = np.minimum(first, second)[kept] * len(heights) + np.maximum(first, second)[kept]
        kept = kept[np.sort(np.unique(pairs, return_index=True)[1])]
    least_heat, height, roots = least.tolist(), heights.tolist(), hill.tolist()
    members: dict[int, list[int]] = {}  # of a root that others hang on, itself among them
    necks = neck.tolist()
    # Plain numbers: there are few saddles, and numpy costs more for each.
    for at, one, other in zip(
        kept.tolist(), first[kept].tolist(), second[kept].tolist(), strict=True
    ):
        high, low = roots[one], roots[other]
        if high == low:
            continue
        level, passed = float(saddles[at]), float(passes[at])
        if height[low] > height[high] or (height[low] == height[high] and low < high):
            high, low = low, high
        if passed <= least_heat[low] and height[low] > level:
            continue
        lower_bumps = members.pop(low, [low])
        for bump in lower_bumps:
            roots[bump] = high
            necks[bump] = level
        members.setdefault(high, [high]).extend(lower_bumps)
    return np.array(roots), np.array(necks)


def _middles(
    peaks: NDArray[np.int64],
    bump_of_top: NDArray[np.int64],
    cells: NDArray[np.int64],
    pitch: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the cell of each peak, of a level top the most central, and how far its middle is."""
    if len(bump_of_top) == bump_of_top.max(initial=-1) + 1:  # none is level
        return cells[np.argsort(bump_of_top)[peaks]], np.zeros((len(peaks), 2))
    order = np.argsort(bump_of_top, kind='stable')
    starts = np.searchsorted(bump_of_top[order], peaks)
    ends = np.searchsorted(bump_of_top[order], peaks, side='right')
    places, offsets = cells[order][starts], np.zeros((len(peaks), 2))
    for peak in np.flatnonzero(ends - starts > 1).tolist():
        top = cells[order][starts[peak] : ends[peak]]
        rows, columns = np.divmod(top, pitch)
        y, x = rows.mean(), columns.mean()
        nearest = int(np.hypot(rows - y, columns - x).argmin())
        places[peak] = top[nearest]
        # A ring's or a bow's middle lies off it.
        if abs(y - rows[nearest]) <= 0.5 and abs(x - columns[nearest]) <= 0.5:
            offsets[peak] = x - columns[nearest], y - rows[nearest]
    return places, offsets
