# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Depth images as messages bring them, converted to metres only where they are read.

REP 118: depth is millimetres in 16 bits, 0 (or 65535) where unknown, or metres as float, not
finite where unknown.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import ImageMessage
from affordance_ros.image.ros_image import MessageError
from affordance_ros.image.ros_image import check_layout
from affordance_ros.image.ros_image import strided_view

# The numpy type without its byte order, and metres for one unit.
_ENCODINGS = {'16UC1': ('u2', 0.001), 'mono16': ('u2', 0.001), '32FC1': ('f4', 1.0)}
# The largest number that 16 bits hold stands for no distance: cameras write it for "too far".
_SATURATED = 0xFFFF
_ALL = slice(None)


class DepthError(MessageError):
    """A depth image can't be used."""


@dataclass(frozen=True, eq=False)
class DepthImage:
    """The pixels of a depth message, not converted yet.

    Attributes:
        raw: (H, W) in the message's own unit and byte order; a view, so the message must outlive
            it.
        unit_m: Metres for one unit.
        max_m: Depth beyond it counts as unknown.
    """

    raw: NDArray[Any]
    unit_m: float
    max_m: float = math.inf

    @classmethod
    def view(cls, message: ImageMessage) -> 'DepthImage':
        """View a message's bytes, row padding and either byte order included; copies nothing.

        Args:
            message: An image of encoding 16UC1, mono16 or 32FC1.

        Raises:
            DepthError: If the encoding is another, or sizes, step and data disagree.
        """
        if message.encoding not in _ENCODINGS:
            raise DepthError(
                'encoding',
                f'depth with encoding {message.encoding!r} is not understood; use one of '
                f'{", ".join(_ENCODINGS)}',
            )
        kind, unit_m = _ENCODINGS[message.encoding]
        dtype = np.dtype(f'{">" if message.is_bigendian else "<"}{kind}')
        try:
            check_layout(message, dtype.itemsize)
        except ImageError as error:
            raise DepthError(error.cause, f'depth: {error}') from error
        return cls(strided_view(message, dtype.str, count=1), unit_m)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        height, width = self.raw.shape
        return height, width

    def metres(self, rows: slice = _ALL, columns: slice = _ALL) -> NDArray[np.float32]:
        """Convert a window, and nothing outside it.

        Args:
            rows: The window's rows.
            columns: Its columns.

        Returns:
            (h, w) float32 metres, all positive and at most max_m but for NaN where depth is
            unknown.
        """
        raw = self.raw[rows, columns]
        values = raw.astype(np.float32) * np.float32(self.unit_m)
        unknown = ~((values > 0) & (values < np.inf))  # NaN compares false
        if raw.dtype.kind == 'u':
            unknown |= raw == _SATURATED
        if self.max_m < math.inf:
            unknown |= values > self.max_m
        values[unknown] = np.nan
        return values
