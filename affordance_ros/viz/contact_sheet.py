# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Contact sheets: images in rows and columns, to be looked at by a person."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GAP = 4
_LINE = 22


_PANEL = (300, 400)  # height and width in pixels
_TITLE = 34
_DARK = (40, 32, 28)


@dataclass(frozen=True)
class Panel:
    """One image with what was asked and answered."""

    image: NDArray[np.uint8]  # (H, W, 3) BGR
    title: str
    note: str  # at the title's right


def draw_panels(panels: Sequence[Panel], *, banner: str, columns: int = 4) -> NDArray[np.uint8]:
    """Lay panels out side by side, each with its title over it.

    Args:
        panels: At least one.
        banner: A line over everything; empty for none.
        columns: How many stand beside each other.

    Returns:
        The sheet, uint8 BGR.
    """
    height, width = _PANEL
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    step = (height + _TITLE + _GAP, width + _GAP)
    head = _LINE if banner else _GAP
    sheet = np.full((head + rows * step[0], columns * step[1] + _GAP, 3), 255, np.uint8)
    _write(sheet, banner, (_GAP, _LINE - 6))
    for index, panel in enumerate(panels):
        top, left = head + index // columns * step[0], _GAP + index % columns * step[1]
        area = sheet[top : top + _TITLE + height, left : left + width]
        area[:] = _DARK
        _place(area[_TITLE:], panel.image)
        (note_width, _), _ = cv2.getTextSize(panel.note, _FONT, 0.6, 1)
        _write(area, panel.title, (8, _TITLE - 11), scale=0.7, colour=(255, 255, 255))
        _write(
            area,
            panel.note,
            (width - note_width - 8, _TITLE - 11),
            scale=0.6,
            colour=(200, 230, 255),
        )
    return sheet


def draw_sheet(
    rows: Sequence[Sequence[NDArray[np.uint8]]],
    *,
    column_titles: Sequence[str],
    banner: str,
    cell: tuple[int, int] = (180, 240),
) -> NDArray[np.uint8]:
    """Lay images out in a grid.

    Args:
        rows: Images (H, W, 3) uint8 BGR of any size, each scaled to fit its cell.
        column_titles: One title for each column.
        banner: A line over everything.
        cell: (height, width) of a cell in pixels.

    Returns:
        The sheet, uint8 BGR.
    """
    height, width = cell
    columns = len(column_titles)
    sheet = np.full(
        (
            2 * _LINE + len(rows) * (height + _GAP) + _GAP,
            columns * (width + _GAP) + _GAP,
            3,
        ),
        255,
        np.uint8,
    )
    _write(sheet, banner, (_GAP, _LINE - 6))
    for column, title in enumerate(column_titles):
        _write(sheet, title, (_GAP + column * (width + _GAP), 2 * _LINE - 6))
    for index, row in enumerate(rows):
        top = 2 * _LINE + index * (height + _GAP)
        for column, image in enumerate(row):
            left = _GAP + column * (width + _GAP)
            _place(sheet[top : top + height, left : left + width], image)
    return sheet


def _place(cell: NDArray[np.uint8], image: NDArray[np.uint8]) -> None:
    """Scale an image into the middle of a cell."""
    height, width = cell.shape[:2]
    scale = min(height / image.shape[0], width / image.shape[1])
    size = (max(1, int(image.shape[1] * scale)), max(1, int(image.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    y, x = (height - size[1]) // 2, (width - size[0]) // 2
    cell[y : y + size[1], x : x + size[0]] = small


def _write(
    sheet: NDArray[np.uint8],
    text: str,
    place: tuple[int, int],
    *,
    scale: float = 0.5,
    colour: tuple[int, int, int] = (0, 0, 0),
) -> None:
    plain = text.encode('ascii', 'replace').decode()
    cv2.putText(sheet, plain, place, _FONT, scale, colour, 1, cv2.LINE_AA)
