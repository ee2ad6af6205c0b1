# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A target's region: the pixels around it that are nearly as hot and hang together with it."""

from dataclasses import dataclass
from functools import cached_property
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.targets.activation import logit
from affordance_ros.targets.basins import Basins


class BBox(NamedTuple):
    """An upright box of whole pixels of the image, which always has some."""

    x: int  # first column
    y: int  # first row
    width: int  # columns
    height: int  # rows

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns, to cut it out of an image (H, W, ...)."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


@dataclass(frozen=True, eq=False)
class Region:
    """Pixels of an image that belong together, at least one.

    Attributes:
        bbox: The smallest box around them.
        mask: (bbox.height, bbox.width) bool, which of the box's pixels they are.
    """

    bbox: BBox
    mask: NDArray[np.bool_]

    @cached_property
    def area_px(self) -> int:
        """How many pixels it has."""
        return int(np.count_nonzero(self.mask))

    @classmethod
    def cut(cls, mask: NDArray[np.bool_], x: int = 0, y: int = 0) -> 'Region':
        """Make a region of the pixels that are set in a window of the image.

        Args:
            mask: (h, w) bool, at least one pixel of it set.
            x: The image's column of the window's first one.
            y: The image's row of the window's first one.
        """
        left, top, width, height = cv2.boundingRect(np.ascontiguousarray(mask).view(np.uint8))
        bbox = BBox(x + left, y + top, width, height)
        return cls(bbox, mask[top : top + height, left : left + width])


@dataclass(frozen=True, eq=False)
class Axis:
    """How the rows (or columns) of an image lie between those of a map's cells.

    Attributes:
        below: (N,) for each row of pixels, the row of cells before it, less than the last one.
        share: (N,) float32 how much of the next row of cells there is in it, in [0, 1].
        nearest: (N,) the row of cells that it is nearest to, rising.
    """

    below: NDArray[np.int64]
    share: NDArray[np.float32]
    nearest: NDArray[np.int64]

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, box: Letterbox, axis: int, cells: int, first: int, last: int) -> 'Axis':
        """Lay an axis out.

        Args:
            box: How the image lies on the canvas.
            axis: 0 for rows, 1 for columns.
            cells: How many cells the map has along it.
            first: The first cell that shows any of the image.
            last: The last one.
        """
        scale = box.inner[axis] / box.source[axis]
        on_canvas = (np.arange(box.source[axis]) + 0.5) * scale + box.window[axis].start
        place = np.clip(on_canvas * cells / box.canvas[axis] - 0.5, 0.0, cells - 1.0)
        below = np.minimum(place.astype(np.int64), max(cells - 2, 0))
        nearest = np.clip(np.floor(place + 0.5).astype(np.int64), first, last)
        return cls(below, (place - below).astype(np.float32), nearest)

    def pixels(self, first: int, last: int) -> slice:
        """Return the rows of pixels that are nearest to one of some rows of cells."""
        return slice(*np.searchsorted(self.nearest, (first, last + 1)).tolist())

    def pixel(self, cell: int) -> int:
        """Return the row of pixels that is nearest to a row of cells."""
        return int(np.abs(self.below + self.share - cell).argmin())


def restore_window(
    logits: NDArray[np.float32], axes: tuple[Axis, Axis], window: tuple[slice, slice]
) -> NDArray[np.float32]:
    """Interpolate a map in a window of the image alone, so that ridges stay whole.

    Bilinear values between two hot cells that touch by a corner sink towards the two cold ones.
    Here each square of four cells is two triangles, split along the diagonal that lies higher: as
    marching squares does where it joins rather than parts.

    Args:
        logits: (h, w) float32.
        axes: The image's rows and columns.
        window: Rows and columns of pixels.

    Returns:
        (window's rows, window's columns) float32, nowhere less than bilinear.
    """
    (rows, y), (columns, x) = (
        (axis.below[cut], axis.share[cut]) for axis, cut in zip(axes, window, strict=True)
    )
    down = np.concatenate([logits[1:], logits[-1:]])  # a map may be a single row or column
    rise = down - logits
    twist = np.concatenate([rise[:, 1:], rise[:, -1:]], axis=1) - rise
    across = np.concatenate([logits[:, 1:], logits[:, -1:]], axis=1) - logits
    # v + rise y + across x + twist x y is bilinear; one triangle has min(x, y) in place of x y,
    # the other max(x + y - 1, 0). Columns first, while there are few rows.
    heat = (logits.take(columns, axis=1) + across.take(columns, axis=1) * x)[rows]
    heat += rise.take(columns, axis=1)[rows] * y[:, None]
    bent = twist.take(columns, axis=1)[rows]
    one, other = np.minimum.outer(y, x), np.maximum(np.add.outer(y - 1, x), 0)
    heat += np.maximum(bent * one, bent * other)
    return np.asarray(heat)


class Regions:
    """Draws the regions of hills when they are asked for.

    Args:
        maps: (M, h, w) float32 logits.
        hills: The hills of a window of the maps.
        window: The window's rows and columns.
        box: How the image lies on the canvas.
        share: Pixels belong to a region whose heat is at least this share of the target's.
    """

    def __init__(
        self,
        maps: NDArray[np.float32],
        hills: Basins,
        window: tuple[slice, slice],
        box: Letterbox,
        share: float,
    ) -> None:
        self._maps = maps
        self._hills = hills
        self._window = window
        self._box = box
        self._share = share
        self._drawn: dict[int, Region] = {}  # of a peak, whatever target stands for it

    def draw(self, peak: int, x: float, y: float, score: float) -> Region:
        """Return a hill's region at the image's resolution, drawn when it is first asked for.

        A pixel belongs to it if the heat there reaches the share, the nearest cell is the hill's,
        and it hangs together with the target's own pixel, which always belongs to it.

        Args:
            peak: The hill's number among all.
            x: The target's column in pixels.
            y: Its row.
            score: Its heat.
        """
        if peak not in self._drawn:
            self._drawn[peak] = self._draw(peak, x, y, score)
        return self._drawn[peak]

    def _draw(self, peak: int, x: float, y: float, score: float) -> Region:
        hills, which = self._hills, int(self._hills.which[peak])
        logits, labels = self._maps[which], np.full(self._maps.shape[1:], -1, np.int32)
        labels[self._window] = hills.labels[which]
        least = logit(self._share * score)
        mine = hills.hill == hills.peaks[peak]
        # One more, False, for the label -1 of cells below the floor.
        own = np.append(mine & (hills.neck >= least), False)[labels]
        other = ~own & (labels >= 0)
        own &= logits >= least
        # Between cells heat may be higher than at any.
        own[self._window][hills.rows[peak], hills.columns[peak]] = True
        bounds = [
            (max(int(index[0]) - 1, 0), min(int(index[-1]) + 1, size - 1))
            for index, size in (
                (np.flatnonzero(own.any(axis=1)), len(own)),
                (np.flatnonzero(own.any(axis=0)), len(own.T)),
            )
        ]
        rows, columns = (slice(first, last + 1) for first, last in bounds)
        owned = _with_margin(logits[rows, columns], own[rows, columns], other[rows, columns])
        axes = self._axes
        down, across = (
            axis.pixels(first, last) for axis, (first, last) in zip(axes, bounds, strict=True)
        )
        inside = restore_window(logits, axes, (down, across)) >= least
        near_rows = axes[0].nearest[down] - rows.start
        inside &= owned[near_rows].take(axes[1].nearest[across] - columns.start, axis=1)
        # The place may lie beside a ridge that is thinner than a pixel.
        top = axes[0].pixel(self._window[0].start + int(hills.rows[peak])) - down.start
        left = axes[1].pixel(self._window[1].start + int(hills.columns[peak])) - across.start
        seed = round(y) - down.start, round(x) - across.start
        drawn = np.ascontiguousarray(inside, np.uint8)
        cv2.line(drawn, seed[::-1], (left, top), 1)
        _, pieces = cv2.connectedComponents(drawn, connectivity=8)
        return Region.cut(pieces == pieces[seed], across.start, down.start)

    @cached_property
    def _axes(self) -> tuple[Axis, Axis]:
        """The image's rows and columns."""
        rows, columns = (
            Axis.of(self._box, axis, size, cut.start, cut.stop - 1)
            for axis, (size, cut) in enumerate(
                zip(self._maps.shape[1:], self._window, strict=True)
            )
        )
        return rows, columns


def _with_margin(
    logits: NDArray[np.float32], own: NDArray[np.bool_], other: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Give cells of no hill to the one whose highest cell they touch; return the own one's."""
    around = np.ones((3, 3), np.uint8)
    beside_own, beside_other = (
        cv2.dilate(np.where(hill, logits, np.float32(-np.inf)), around) for hill in (own, other)
    )
    return np.asarray(own | (~other & (beside_own > beside_other)))
