# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""From a picture to the model's input."""

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.letterbox import Letterbox

# What OpenAI normalised CLIP's pictures with, RGB in [0, 1].
IMAGE_MEAN = (0.48145466, 0.4578275, 0.40821073)
IMAGE_STD = (0.26862954, 0.26130258, 0.27577711)
# Each channel's 256 normalised values: looking them up is several times faster than computing.
_NORMALISED = ((np.arange(256)[:, None] / 255.0 - IMAGE_MEAN) / IMAGE_STD).astype(np.float32)[None]


def prepare(image: NDArray[np.uint8], box: Letterbox, *, channels: str) -> NDArray[np.float32]:
    """Scale a picture onto the canvas and normalise it; the border is CLIP's mean, that is 0.

    Args:
        image: (H, W, 3) uint8, or (H, W) with channels='mono'.
        box: How it lies on the canvas.
        channels: 'rgb', 'bgr' or 'mono'.

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
    canvas[0][box.window] = cv2.LUT(small, _NORMALISED)
    return canvas.transpose(0, 3, 1, 2)
