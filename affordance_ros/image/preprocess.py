# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""From an image to the model's input."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.letterbox import Letterbox


@dataclass(frozen=True)
class Normalization:
    """How a trunk's RGB input is normalised: (value / 255 - mean) / std for each channel."""

    mean: tuple[float, float, float]  # of red, green and blue in [0, 1]
    std: tuple[float, float, float]

    def table(self) -> NDArray[np.float32]:
        """Return each channel's 256 normalised values, (1, 256, 3), for cv2.LUT."""
        values = (np.arange(256)[:, None] / 255.0 - self.mean) / self.std
        return values.astype(np.float32)[None]


# OpenAI's, for CLIP, and that of networks that began with ImageNet.
CLIP_NORMALIZATION = Normalization(
    mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711)
)
IMAGENET_NORMALIZATION = Normalization(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
_table = lru_cache(maxsize=8)(Normalization.table)  # a look-up is several times faster


def prepare(
    image: NDArray[np.uint8],
    box: Letterbox,
    *,
    channels: str,
    normalization: Normalization,
) -> NDArray[np.float32]:
    """Scale an image onto the canvas and normalise it; the border is the mean, that is 0.

    Args:
        image: (H, W, 3) uint8, or (H, W) with channels='mono'.
        box: How it lies on the canvas.
        channels: 'rgb', 'bgr' or 'mono'.
        normalization: The trunk's.

    Returns:
        (1, 3, h, w) float32, laid out in memory with the channels last, as convolutions on a CPU
        want them.
    """
    small = box.shrink(image)
    if channels == 'bgr':
        small = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
    elif channels == 'mono':
        small = cv2.cvtColor(small, cv2.COLOR_GRAY2RGB)
    canvas = np.zeros((1, *box.canvas, 3), np.float32)
    canvas[0][box.window] = cv2.LUT(small, _table(normalization))
    return canvas.transpose(0, 3, 1, 2)
