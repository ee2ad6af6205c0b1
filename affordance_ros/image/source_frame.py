# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What a source of frames gives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class SourceError(RuntimeError):
    """A source of frames can't be opened, has nothing in it, or holds what can't be used."""


@dataclass(frozen=True)
class SourceFrame:
    """A picture, with what else the source knows of it.

    Attributes:
        bgr: (H, W, 3) uint8.
        depth_m: (H, W) float32 in metres, NaN where unknown; None where there is no depth.
        matrix: (3, 3) intrinsics in pixels, pixel centres at integers; None where unknown.
    """

    bgr: NDArray[np.uint8]
    depth_m: NDArray[np.float32] | None = None
    matrix: NDArray[np.float64] | None = None
