# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""From an image to the model's input on torch's device, as `preprocess.prepare` on the CPU."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.image.preprocess import Normalization


class DeviceLetterbox(nn.Module):
    """Scales images of one size onto the canvas and normalises them, as `prepare` does.

    Scaling is a product with weights from either side, so that a GPU does it in two steps. A pixel
    differs by at most one of 255 levels from OpenCV's, which rounds weights too.

    Args:
        box: How an image lies on the canvas.
        channels: 'rgb', 'bgr' or 'mono'.
        normalization: The trunk's.
    """

    rows: torch.Tensor
    columns: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, box: Letterbox, channels: str, normalization: Normalization) -> None:
        super().__init__()
        self._box = box
        self._channels = channels
        weights = area_weights if box.averages else linear_weights
        rows, columns = map(weights, box.inner, box.source)
        for name, value in (
            ('rows', rows),
            ('columns', columns.T),
            ('mean', np.reshape(normalization.mean, (3, 1, 1))),
            ('std', np.reshape(normalization.std, (3, 1, 1))),
        ):
            kept = torch.from_numpy(np.ascontiguousarray(value, np.float32))
            self.register_buffer(name, kept, persistent=False)

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        """Prepare an image.

        Args:
            photo: (H, W, 3) uint8, or (H, W) of 'mono'.

        Returns:
            (1, 3, h, w) float32, channels last; the border is 0, the mean.
        """
        if self._channels == 'mono':
            photo = photo[..., None]
        planes = photo.permute(2, 0, 1).float()  # (1 or 3, H, W)
        if self._channels == 'bgr':
            planes = planes.flip(0)
        small = torch.floor(self.rows @ planes @ self.columns + 0.5).clamp(0.0, 255.0)
        canvas = photo.new_zeros((1, 3, *self._box.canvas), dtype=torch.float32)
        rows, columns = self._box.window
        canvas[0][:, rows, columns] = (small / 255.0 - self.mean) / self.std
        return canvas.contiguous(memory_format=torch.channels_last)


def area_weights(to: int, length: int) -> NDArray[np.float64]:
    """Return the weights of cv2.INTER_AREA from one length to a smaller one, (to, length)."""
    step = length / to
    first = np.arange(to)[:, None] * step
    pixels = np.arange(length)
    covered = np.minimum(first + step, pixels + 1.0) - np.maximum(first, pixels)
    return np.asarray(np.maximum(covered, 0.0) / step)


def linear_weights(to: int, length: int) -> NDArray[np.float64]:
    """Return the weights of cv2.INTER_LINEAR from one length to another, (to, length)."""
    places = np.clip((np.arange(to) + 0.5) * length / to - 0.5, 0, length - 1)
    low = np.minimum(places.astype(int), max(length - 2, 0))
    weights = np.zeros((to, length))
    weights[np.arange(to), low] = 1 - (places - low)
    if length > 1:
        weights[np.arange(to), low + 1] = places - low
    return weights
