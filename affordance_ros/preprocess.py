# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""From a picture to the model's input."""

import numpy as np
from numpy.typing import NDArray

from affordance_ros.geometry import Letterbox

# What OpenAI normalised CLIP's pictures with, RGB in [0, 1].
IMAGE_MEAN = (0.48145466, 0.4578275, 0.40821073)
IMAGE_STD = (0.26862954, 0.26130258, 0.27577711)
# uint8 to normalised float in one multiply and one add: x * scale + shift.
_SCALE = 1.0 / (255.0 * np.asarray(IMAGE_STD, np.float32))
_SHIFT = -np.asarray(IMAGE_MEAN, np.float32) / np.asarray(IMAGE_STD, np.float32)


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
        small = small[..., ::-1]
    elif channels == 'mono':
        small = small[..., None]
    canvas = np.zeros((1, *box.canvas, 3), np.float32)
    inner = canvas[0][box.window]
    np.multiply(small, _SCALE, out=inner)
    inner += _SHIFT
    return canvas.transpose(0, 3, 1, 2)
