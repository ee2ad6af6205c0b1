# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Matrices rounded to int8 with one scale for each row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST = 127


@dataclass(frozen=True)
class QuantizedRows:
    """A matrix as int8 rows and their scales: row i is scales[i] * rows[i]."""

    rows: NDArray[np.int8]  # (R, C)
    scales: NDArray[np.float32]  # (R,)

    @classmethod
    def of(cls, matrix: NDArray[np.float32]) -> 'QuantizedRows':
        """Round a matrix, (R, C) float32."""
        scales = np.abs(matrix).max(axis=1) / np.float32(_MOST)
        scales = np.where(scales > 0, scales, np.float32(1))  # a row of zeros stays zero
        rows = np.rint(matrix / scales[:, None]).clip(-_MOST, _MOST).astype(np.int8)
        return cls(rows, scales.astype(np.float32))

    def dequantize(self, numbers: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Return all rows, or those of some numbers, as (R, C) float32."""
        rows, scales = self.rows, self.scales
        if numbers is not None:
            rows, scales = rows[numbers], scales[numbers]
        return np.asarray(rows.astype(np.float32) * scales[:, None], np.float32)
