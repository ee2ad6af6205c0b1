# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Where between its samples a map has its top: a quadratic fitted to a peak's 3x3 neighbours."""

import numpy as np
from numpy.typing import NDArray

# The nine samples around a cell, row by row, are numbered 0 to 8; these lie beside it in x and y.
CENTRE, _BEFORE, _BEHIND = 4, [3, 1], [5, 7]
# A top farther than that from a local maximum, in cells, is that of a ridge, which has none.
_FARTHEST = 0.75
# On the map's border a fit is trusted no farther than the cell itself reaches.
_REACH, _BORDER_REACH = 1.0, 0.5


class Quadratics:
    """Quadratics through the 3x3 samples around some cells.

    On the map's border, a hill is taken to be as round across it as along it: a parabola through
    three samples inside would bend as a hill's flank does, less than its top. In a corner nothing
    is known.

    Args:
        near: (P, 9) samples around cells, row by row; NaN off the map.
    """

    def __init__(self, near: NDArray[np.float32]) -> None:
        self.centre = near[:, CENTRE]
        before, behind = near[:, _BEFORE], near[:, _BEHIND]  # (P, 2) in x and in y
        self.slope = (behind - before) / 2
        self.bend = before + behind - 2 * self.centre[:, None]
        self.missing = np.isnan(self.slope)
        # Cells at the edge of what is looked at are not always local maxima of the whole map.
        self._rising = np.maximum(before, behind) > self.centre[:, None]
        self.twist = (near[:, 8] - near[:, 6] - near[:, 2] + near[:, 0]) / 4
        if self.missing.any():
            for axis in (0, 1):
                self._continue_beyond(before[:, axis], behind[:, axis], axis)
            for values in (self.slope, self.bend, self.twist):
                values[np.isnan(values)] = 0.0

    def _continue_beyond(
        self, before: NDArray[np.float32], behind: NDArray[np.float32], axis: int
    ) -> None:
        """Put slope and bend in where this axis alone lacks a sample."""
        edge = self.missing[:, axis] & ~self.missing[:, 1 - axis]
        side = np.where(np.isnan(before), 1.0, -1.0)
        known = np.where(np.isnan(before), behind, before) - self.centre
        self.bend[edge, axis] = self.bend[edge, 1 - axis]
        self.slope[edge, axis] = (side * (known - self.bend[:, axis] / 2))[edge]

    def tops(self) -> NDArray[np.float32]:
        """Return (P, 2) steps in x and y from the cells to the tops, in cells, in [-1, 1].

        Where a quadratic has no top near the cell (a ridge or a level region), each axis is fitted
        on its own. From a cell with a higher neighbour, the way is uphill as far as that.
        """
        slope, bend, twist = self.slope, self.bend, self.twist
        determinant = bend[:, 0] * bend[:, 1] - twist * twist
        with np.errstate(divide='ignore', invalid='ignore'):
            steps = np.where(bend < 0, -slope / bend, 0.0)
            both = (twist[:, None] * slope[:, ::-1] - bend[:, ::-1] * slope) / determinant[:, None]
        # Comparisons with NaN are false.
        near_enough = np.maximum(np.abs(both[:, 0]), np.abs(both[:, 1])) <= _FARTHEST
        together = (bend[:, 0] < 0) & (determinant > 0) & near_enough
        steps[together] = both[together]
        if self._rising.any():
            steps[self._rising] = np.sign(slope[self._rising])
        reach = np.where(self.missing, _BORDER_REACH, _REACH)
        return np.asarray(np.minimum(np.maximum(steps, -reach), reach))

    def at(self, steps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values (P,) for steps (P, 2) in x and y from the cells."""
        rises = steps * (self.slope + self.bend * steps / 2)
        crossing = self.twist * steps[:, 0] * steps[:, 1]
        return np.asarray(self.centre + rises[:, 0] + rises[:, 1] + crossing)


def neighbours(
    maps: NDArray[np.float32],
    which: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return the samples around some of several maps' cells.

    Args:
        maps: (M, h, w) float32.
        which: (P,) the map of each cell.
        rows: (P,) its row.
        columns: (P,) its column.

    Returns:
        (P, 9), row by row, NaN off the map.
    """
    _, height, width = maps.shape
    steps = np.array([-width - 1, -width, 1 - width, -1, 0, 1, width - 1, width, width + 1])
    cells = (which * height + rows) * width + columns
    near = maps.ravel().take(cells[:, None] + steps, mode='wrap')
    for at_border, off in (
        (rows == 0, [0, 1, 2]),
        (rows == height - 1, [6, 7, 8]),
        (columns == 0, [0, 3, 6]),
        (columns == width - 1, [2, 5, 8]),
    ):
        if at_border.any():
            near[np.ix_(at_border, off)] = np.nan
    return near
