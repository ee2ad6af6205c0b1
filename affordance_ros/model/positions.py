# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Positional embeddings of a square grid, resized to any other grid.

`resize_positions` is torch's bicubic interpolation with antialias, by products of matrices, so
that ONNX, which has no such operator that all runtimes know, takes it for grids of any size.
"""

from collections.abc import Callable

import torch

_CUBIC = -0.5  # Keys' coefficient, which torch and PIL use where they antialias


class PositionGrids:
    """The resized embeddings of every size that was met, so that each is made once."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int, torch.device, torch.dtype], torch.Tensor] = {}

    def get(
        self,
        like: torch.Tensor,
        make: Callable[[int, int], torch.Tensor],
        dtype: torch.dtype | None = None,
    ) -> torch.Tensor:
        """Return the embedding that `make` made for a size.

        Args:
            like: A tensor (..., h, w) of that size and device.
            make: Makes it for a height and a width.
            dtype: Of what is returned; the tensor's by default.
        """
        height, width, dtype = like.shape[-2], like.shape[-1], dtype or like.dtype
        if torch.compiler.is_exporting():  # a size that is known only when the network runs
            return make(height, width).to(like.device, dtype)
        key = (height, width, like.device, dtype)
        if key not in self._made:
            self._made[key] = make(height, width).to(like.device, dtype)
        return self._made[key]


def resize_positions(grid: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Resize a grid of embeddings, bicubic with antialias.

    Args:
        grid: (side, side, C).
        height: Rows wanted.
        width: Columns wanted.

    Returns:
        (C, height, width).
    """
    side, _, channels = grid.shape
    # Two products of plain matrices: OpenVINO takes no broadcast ones of dynamic size.
    rows = _weights(side, height, grid)  # (height, side)
    columns = _weights(side, width, grid)  # (width, side)
    tall = torch.matmul(rows, grid.reshape(side, side * channels)).view(height, side, channels)
    flat = tall.transpose(0, 1).reshape(side, height * channels)
    return torch.matmul(columns, flat).view(width, height, channels).permute(2, 1, 0)


def _weights(side: int, length: int, like: torch.Tensor) -> torch.Tensor:
    """Return how much each of `side` cells counts in each of `length` ones, (length, side)."""
    wanted = torch.arange(length, device=like.device).to(like.dtype) + 0.5
    cells = torch.arange(side, device=like.device).to(like.dtype) + 0.5
    # As a tensor, since an exported length is known only when the network runs.
    scale = side / (wanted[-1] + 0.5)
    distance = (cells - wanted[:, None] * scale) / scale.clamp(min=1)
    kernel = _keys(distance.abs())
    return kernel / kernel.sum(dim=1, keepdim=True)


def _keys(x: torch.Tensor) -> torch.Tensor:
    """Return Keys' cubic convolution kernel (1981) at distances that are not negative."""
    a = _CUBIC
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros_like(x)))
