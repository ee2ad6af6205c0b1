# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Image geometry: the letterbox between an image and the model's input.

Pixel centres are at integers, as in OpenCV and image_geometry, so resizing by s maps x to
(x + 0.5) * s - 0.5.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

STRIDE = (
    32  # of a trunk's coarsest stage, in pixels: both sides of every input are multiples of it
)
SHAPES = ('rectangle', 'square')


@dataclass(frozen=True)
class Letterbox:
    """An image scaled into the middle of a canvas whose sides are multiples of 32.

    Attributes:
        source: (height, width) of the image, in pixels.
        inner: (height, width) of the scaled image on the canvas.
        canvas: (height, width) of the model's input.
        top: Rows of border above the scaled image.
        left: Columns of border to its left.
    """

    source: tuple[int, int]
    inner: tuple[int, int]
    canvas: tuple[int, int]
    top: int
    left: int

    @classmethod
    def into(cls, source: tuple[int, int], canvas: tuple[int, int]) -> 'Letterbox':
        """Lay an image out as large as a given canvas, (height, width), holds it."""
        scale = min(c / max(s, 1) for c, s in zip(canvas, source, strict=True))
        inner = max(1, round(source[0] * scale)), max(1, round(source[1] * scale))
        top, left = (canvas[0] - inner[0]) // 2, (canvas[1] - inner[1]) // 2
        return cls(source, inner, canvas, top, left)

    @classmethod
    def fit(cls, source: tuple[int, int], *, size: int, shape: str = 'rectangle') -> 'Letterbox':
        """Lay an image out so that its long side has `size` pixels.

        Args:
            source: (height, width) of the image.
            size: The long side on the canvas, a multiple of 32.
            shape: 'rectangle' for the smallest canvas that holds the image, 'square' for a
                size x size one, as in training.

        Raises:
            ValueError: If the image is empty, or size or shape can't be used.
        """
        height, width = source
        if height < 1 or width < 1:
            raise ValueError(f'an image of {width}x{height} pixels has nothing to look at')
        check_size(size)
        if shape not in SHAPES:
            raise ValueError(f'shape {shape!r} is unknown; known are {", ".join(SHAPES)}')
        scale = size / max(height, width)
        inner = (max(1, round(height * scale)), max(1, round(width * scale)))
        if shape == 'square':
            canvas = (size, size)
        else:
            canvas = (_next_multiple(inner[0]), _next_multiple(inner[1]))
        top, left = (canvas[0] - inner[0]) // 2, (canvas[1] - inner[1]) // 2
        return cls(source, inner, canvas, top, left)

    @property
    def window(self) -> tuple[slice, slice]:
        """The scaled image's rows and columns on the canvas."""
        height, width = self.inner
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    @property
    def averages(self) -> bool:
        """Whether the image is scaled by averaging areas, since it gets smaller."""
        return self.inner[0] < self.source[0]

    def shrink(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Scale an image (H, W, ...) to the inner size; area averaging where it gets smaller."""
        height, width = self.inner
        method = cv2.INTER_AREA if self.averages else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)

    def restore(self, maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a map of the canvas back to the image, bilinearly.

        Args:
            maps: (h, w) float32 that covers the whole canvas at any resolution.

        Returns:
            (H, W) float32 that covers the image.
        """
        (canvas_height, canvas_width), (height, width) = self.canvas, self.source
        full = cv2.resize(maps, (canvas_width, canvas_height), interpolation=cv2.INTER_LINEAR)
        inner = full[self.window]
        return np.asarray(
            cv2.resize(inner, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
        )


def check_size(size: int) -> None:
    """Refuse an input size that the trunk can't take.

    Raises:
        ValueError: If it is not a positive multiple of 32.
    """
    if size < STRIDE or size % STRIDE:
        raise ValueError(f'input size {size} must be a positive multiple of {STRIDE}, such as 320')


def _next_multiple(length: int) -> int:
    return math.ceil(length / STRIDE) * STRIDE
