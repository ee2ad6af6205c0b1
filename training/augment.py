# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Augmentation: which part of an image is seen, where on the input, mirrored or tinted.

A view is drawn before any pixel is read, so that its parameters can be a key of the feature cache.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.image.preprocess import Normalization
from affordance_ros_training.config import AugmentConfig

# 'left', 'leftmost', 'lefty', 'right'..., and how people shorten them.
_SIDE = re.compile(r"left|right|\b(l|r|lft|lt|rt|rgt|lhs|rhs|east|west)\b|o'?clock", re.IGNORECASE)
_MIN_CROP_PX = 72  # smaller crops are nothing but blur
_LUMA = np.asarray((0.299, 0.587, 0.114), np.float32)


@dataclass(frozen=True)
class Rectangle:
    """Whole pixels: the left and upper edge, width and height."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


@dataclass(frozen=True)
class View:
    """How an image is laid on the square input.

    Attributes:
        source: The part of the image that is seen.
        target: Where it lies on the input, before a flip.
        size: The input's side in pixels.
        flip: Mirror left and right.
        gains: What red, green and blue are multiplied by.
        contrast: What the distance from mid-grey is multiplied by.
        saturation: What the distance from the pixel's own grey is multiplied by.
    """

    source: Rectangle
    target: Rectangle
    size: int
    flip: bool = False
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    contrast: float = 1.0
    saturation: float = 1.0  # 0 is grey

    @classmethod
    def plain(cls, height: int, width: int, *, size: int) -> 'View':
        """Return the letterbox without augmentation, as in validation."""
        box = Letterbox.fit((height, width), size=size, shape='square')
        return cls(
            source=Rectangle(0, 0, width, height),
            target=Rectangle(box.left, box.top, box.inner[1], box.inner[0]),
            size=size,
        )

    def pixels(
        self, image: NDArray[np.uint8], normalization: Normalization
    ) -> NDArray[np.float32]:
        """Return the model's input.

        Args:
            image: (H, W, 3) uint8 RGB.
            normalization: The trunk's.

        Returns:
            (3, size, size) float32, normalised; the border is the mean, that is 0.
        """
        small: NDArray[np.float32] = self._resize(image[self.source.area]).astype(np.float32)
        if self.gains != (1.0, 1.0, 1.0):
            small *= np.asarray(self.gains, np.float32)
        if self.saturation != 1.0:
            grey = (small @ _LUMA)[..., None]
            small = np.asarray(grey + (small - grey) * self.saturation, np.float32)
        if self.contrast != 1.0:
            small = 128 + (small - 128) * self.contrast
        canvas = np.zeros((self.size, self.size, 3), np.float32)
        mean, std = (np.asarray(v, np.float32) for v in (normalization.mean, normalization.std))
        canvas[self.target.area] = (np.clip(small, 0, 255) / 255 - mean) / std
        return np.ascontiguousarray(self._mirror(canvas).transpose(2, 0, 1))

    def coverage(self, mask: NDArray[np.uint8], *, stride: int = 1) -> NDArray[np.uint8]:
        """Return which share of each cell of the input a mask covers.

        Args:
            mask: (H, W) uint8, 0 or 1.
            stride: The side of a cell in pixels of the input.

        Returns:
            (size / stride, size / stride) uint8; 255 is fully covered.
        """
        canvas: NDArray[np.uint8] = np.zeros((self.size, self.size), np.uint8)
        canvas[self.target.area] = self._resize(mask[self.source.area] * np.uint8(255))
        if stride > 1:
            side = self.size // stride
            cells = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)
            return np.asarray(np.ascontiguousarray(self._mirror(cells)), np.uint8)
        return np.ascontiguousarray(self._mirror(canvas))

    def _resize(self, part: NDArray[np.uint8]) -> NDArray[np.uint8]:
        smaller = self.target.height < self.source.height
        method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        size = (self.target.width, self.target.height)
        return np.asarray(cv2.resize(part, size, interpolation=method), np.uint8)

    def _mirror(self, canvas: NDArray) -> NDArray:
        return canvas[:, ::-1] if self.flip else canvas


def names_a_side(sentences: Iterable[str]) -> bool:
    """Tell whether a sentence would be wrong of the mirror image."""
    return any(_SIDE.search(sentence) for sentence in sentences)


def draw_view(
    height: int,
    width: int,
    *,
    size: int,
    config: AugmentConfig,
    keep: Rectangle,
    may_flip: bool,
    rng: np.random.Generator,
    focus: Rectangle | None = None,
) -> View:
    """Draw a random view of an image.

    Args:
        height: The image's, in pixels.
        width: The image's, in pixels.
        size: The input's side in pixels.
        config: How much may change.
        keep: The part that stays in sight: all regions that are referred to.
        may_flip: False where a sentence names a side.
        rng: The source of chance.
        focus: A region to crop around, in place of a zoom that keeps all of `keep` in sight.
    """
    # The zoom's logarithm is uniform, so that twice as large is as likely as half as large.
    zoom = float(np.exp(rng.uniform(np.log(config.zoom_out), np.log(config.zoom_in))))
    at_x, at_y = (float(value) for value in rng.random(2))
    flip = bool(rng.random() < config.flip) and may_flip
    brightness, contrast, saturation = (
        1 + float(rng.uniform(-most, most))
        for most in (config.brightness, config.contrast, config.saturation)
    )
    gains = brightness * (1 + rng.uniform(-config.tint, config.tint, 3))
    if config.grey and rng.random() < config.grey:
        saturation = 0.0
    plain = View.plain(height, width, size=size)
    source, target = plain.source, plain.target
    base = size / max(height, width)
    if focus is not None:
        source, target = _crop(
            focus, height=height, width=width, size=size, config=config, rng=rng
        )
    elif zoom < 1:
        inner = (max(1, round(width * base * zoom)), max(1, round(height * base * zoom)))
        left, top = round((size - inner[0]) * at_x), round((size - inner[1]) * at_y)
        target = Rectangle(left, top, *inner)
    elif zoom > 1:
        side = max(size / (base * zoom), keep.width, keep.height)
        source = Rectangle(*_window(at_x, at_y, side, keep=keep, height=height, width=width))
        scale = size / max(source.width, source.height)
        inner = (max(1, round(source.width * scale)), max(1, round(source.height * scale)))
        target = Rectangle((size - inner[0]) // 2, (size - inner[1]) // 2, *inner)
    return View(
        source=source,
        target=target,
        size=size,
        flip=flip,
        gains=(float(gains[0]), float(gains[1]), float(gains[2])),
        contrast=contrast,
        saturation=saturation,
    )


def _crop(
    focus: Rectangle,
    *,
    height: int,
    width: int,
    size: int,
    config: AugmentConfig,
    rng: np.random.Generator,
) -> tuple[Rectangle, Rectangle]:
    """Draw a crop around a region: its place in the image and on the input.

    The region fills a random share of the crop, lies anywhere in it, and the crop is squeezed a
    little. A crop that is larger than the image is letterboxed.
    """
    fill = rng.uniform(config.focus_fill, 1.0)
    side = max(max(focus.width, focus.height) / fill, _MIN_CROP_PX)
    stretch = float(np.exp(rng.uniform(-config.squeeze, config.squeeze) / 2))
    window = (min(width, round(side * stretch)), min(height, round(side / stretch)))
    slack = np.maximum(0, np.subtract(window, (focus.width, focus.height))) / 2
    centre = np.add((focus.x, focus.y), np.divide((focus.width, focus.height), 2))
    centre = centre + rng.uniform(-1, 1, 2) * slack
    left, top = (
        int(np.clip(round(middle - part / 2), 0, whole - part))
        for middle, part, whole in zip(centre, window, (width, height), strict=True)
    )
    # The stretch is undone on the input, which stays square where the crop is whole.
    scale = size / max(side, *window)
    inner = (
        min(size, max(1, round(window[0] * scale / stretch))),
        min(size, max(1, round(window[1] * scale * stretch))),
    )
    target = Rectangle((size - inner[0]) // 2, (size - inner[1]) // 2, *inner)
    return Rectangle(left, top, *window), target


def _window(
    at_x: float, at_y: float, side: float, *, keep: Rectangle, height: int, width: int
) -> tuple[int, int, int, int]:
    """Return x, y, width, height of a window of the image that holds `keep`."""
    window_width, window_height = min(width, round(side)), min(height, round(side))
    x_range = (max(0, keep.x + keep.width - window_width), min(keep.x, width - window_width))
    y_range = (max(0, keep.y + keep.height - window_height), min(keep.y, height - window_height))
    x = round(x_range[0] + at_x * (x_range[1] - x_range[0]))
    y = round(y_range[0] + at_y * (y_range[1] - y_range[0]))
    return x, y, window_width, window_height
