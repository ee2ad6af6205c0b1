# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Images of more than 8 bits: how many bits a camera uses is seen from its frames.

A camera of 10, 12 or 14 bits sends mono16 with the high bits at 0. Scaled as 16 bits its images
are nearly black, and heatmaps move.
"""

import threading
from collections import deque

import numpy as np
from numpy.typing import NDArray

_FRAMES = 60  # about two seconds: a dark moment does not change the scale


class BitDepth:
    """Scales 16-bit images to 8 bits by the highest bit in use over the last frames.

    One per camera; several threads may use it.

    Args:
        bits: Bits in use, 8 to 16; 0 to see them from the frames.

    Raises:
        ValueError: If bits is out of range.
    """

    def __init__(self, bits: int = 0) -> None:
        if bits and not 8 <= bits <= 16:
            raise ValueError(f'image_bits {bits} must be 0 (as the frames use), or 8 to 16')
        self._bits = bits
        self._highest: deque[int] = deque(maxlen=_FRAMES)
        self._lock = threading.Lock()

    def scale(self, words: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """Return an image of any byte order scaled to 8 bits, same shape."""
        bits = self._bits or self._seen(words)
        top = np.float32((1 << bits) - 1)
        scaled = words * (np.float32(255) / top)
        return np.minimum(scaled.round(), 255).astype(np.uint8)

    def _seen(self, words: NDArray[np.uint16]) -> int:
        highest = int(words.max()).bit_length() if words.size else 0
        with self._lock:
            self._highest.append(highest)
            return max(8, *self._highest)
