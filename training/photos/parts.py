# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Hand-drawn parts: one line for an annotated instance, cut out of its mask."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros_training.refer import DatasetError

GRID = 12  # cells on each side of a mask's box
AXIS_END = 10.0  # the places on a mask's axis run from 0 to this
_COLUMNS = 'ABCDEFGHIJKL'
_STRETCH = re.compile(r'(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)')
_CELLS = re.compile(r'([A-L])(\d+)-([A-L])(\d+)')
_MAX_AXIS_PIXELS = 20_000


@dataclass(frozen=True)
class Part:
    """One part of an instance."""

    name: str
    place: str  # a stretch such as 0..5.5, or cells such as A6-L8,C9-D9
    whole: bool  # whether pixels outside the instance's mask count too

    def mask(self, instance: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the part's pixels.

        Args:
            instance: (H, W) uint8, 0 or 1: the instance's mask, not empty.

        Returns:
            (H, W) uint8, 0 or 1.
        """
        if stretch := _STRETCH.fullmatch(self.place):
            return _on_axis(instance, float(stretch[1]), float(stretch[2]))
        cells = _in_cells(instance, self.place)
        return cells if self.whole else cells & instance


def read_parts(path: Path) -> dict[int, tuple[Part, ...]]:
    """Read a file of part lines; the file itself explains them.

    Returns:
        The parts by annotation id.

    Raises:
        DatasetError: Naming the line that can't be read.
    """
    found: dict[int, tuple[Part, ...]] = {}
    for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), start=1):
        if not line or line.startswith('#'):
            continue
        try:
            annotation, _, *parts = (field.strip() for field in line.split('|'))
            found[int(annotation)] = tuple(map(_parse, parts))
        except ValueError as error:
            raise DatasetError(
                f'{path}, line {number}: {error}; a line is "id | category | part place | ...", '
                f'such as "694387 | knife | blade 0..5.5 | handle 5.5..10"'
            ) from error
    return found


def _parse(text: str) -> Part:
    name, _, place = text.rpartition(' ')
    cells = all(map(_CELLS.fullmatch, place.split(',')))
    if not name or not (_STRETCH.fullmatch(place) or cells):
        raise ValueError(f'{text!r} is not a part and its place')
    return Part(name.rstrip('!'), place, whole=name.endswith('!'))


def _on_axis(instance: NDArray[np.uint8], low: float, high: float) -> NDArray[np.uint8]:
    """Cut a stretch out of the mask along its principal axis."""
    rows, columns = np.nonzero(instance)
    points = np.stack([columns, rows], axis=1).astype(np.float64)  # (P, 2)
    points -= points.mean(axis=0)
    sparse = points[:: max(1, len(points) // _MAX_AXIS_PIXELS)]
    axis = np.linalg.svd(sparse, full_matrices=False)[2][0]
    axis *= np.sign(axis[np.argmax(np.abs(axis))])  # from the left, or from above
    along = points @ axis
    along = (along - along.min()) / max(float(np.ptp(along)), 1e-6) * AXIS_END
    inside = (along >= low) & (along <= high)
    part = np.zeros_like(instance)
    part[rows[inside], columns[inside]] = 1
    return part


def _in_cells(instance: NDArray[np.uint8], place: str) -> NDArray[np.uint8]:
    x, y, width, height = cv2.boundingRect(instance)
    part = np.zeros_like(instance)
    for cells in place.split(','):
        match = _CELLS.fullmatch(cells)
        assert match is not None  # checked when it was read
        left, right = _COLUMNS.index(match[1]), _COLUMNS.index(match[3]) + 1
        top, bottom = int(match[2]) - 1, int(match[4])
        part[
            round(y + height * top / GRID) : round(y + height * bottom / GRID),
            round(x + width * left / GRID) : round(x + width * right / GRID),
        ] = 1
    return part


def check_parts(parts: Mapping[int, object], known: Mapping[int, object], path: Path) -> None:
    """Refuse part lines of annotations that are not there.

    Raises:
        DatasetError: Naming the first of them.
    """
    missing = sorted(set(parts) - set(known))
    if missing:
        raise DatasetError(
            f'{path} has parts of {len(missing)} annotations that the photos do not have, such as '
            f'{missing[0]}: the photos and the part lines are not of one collection'
        )
