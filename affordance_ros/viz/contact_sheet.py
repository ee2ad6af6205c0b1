# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Contact sheets: pictures in rows and columns, to be looked at by a person."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GAP = 4
_LINE = 22


def draw_sheet(
    rows: Sequence[Sequence[NDArray[np.uint8]]],
    *,
    column_titles: Sequence[str],
    banner: str,
    cell: tuple[int, int] = (180, 240),
) -> NDArray[np.uint8]:
    """Lay pictures out in a grid.

    Args:
        rows: Pictures (H, W, 3) uint8 BGR of any size, each scaled to fit its cell.
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
        for column, picture in enumerate(row):
            left = _GAP + column * (width + _GAP)
            scale = min(height / picture.shape[0], width / picture.shape[1])
            size = (max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale)))
            small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            y, x = top + (height - size[1]) // 2, left + (width - size[0]) // 2
            sheet[y : y + size[1], x : x + size[0]] = small
    return sheet


def _write(sheet: NDArray[np.uint8], text: str, place: tuple[int, int]) -> None:
    plain = text.encode('ascii', 'replace').decode()
    cv2.putText(sheet, plain, place, _FONT, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
