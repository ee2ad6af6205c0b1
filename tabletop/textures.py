# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Random textures drawn from a seed: what tables, walls and printed objects wear."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = 128


def _noise(rng: np.random.Generator, cells: int) -> NDArray[np.float32]:
    """Return (SIZE, SIZE) smooth noise in 0..1."""
    small = rng.random((cells, cells), dtype=np.float32)
    big = cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return np.clip(big, 0, 1)


def _mask(rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a pattern in 0..1: stripes, checks, dots, clouds, grain or a label."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32) / SIZE
    kind = rng.choice(['stripes', 'checks', 'dots', 'clouds', 'grain', 'label', 'lines'])
    count = int(rng.integers(3, 12))
    if kind == 'stripes':
        angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi * count)
        return (wave > rng.uniform(-0.5, 0.7)).astype(np.float32)
    if kind == 'checks':
        return ((np.floor(x * count) + np.floor(y * count)) % 2).astype(np.float32)
    if kind == 'dots':
        far = np.hypot((x * count) % 1 - 0.5, (y * count) % 1 - 0.5)
        return (far < rng.uniform(0.18, 0.4)).astype(np.float32)
    if kind == 'clouds':
        return 0.6 * _noise(rng, 5) + 0.4 * _noise(rng, 14)
    if kind == 'grain':
        wave = np.sin((x * count + 1.2 * _noise(rng, 4)) * 2 * np.pi) * 0.5 + 0.5
        return wave.astype(np.float32)
    image = np.zeros((SIZE, SIZE), np.float32)
    if kind == 'label':
        low, high = sorted(rng.uniform(0.15, 0.85, 2))
        cv2.rectangle(image, (0, int(low * SIZE)), (SIZE, int(high * SIZE)), 1.0, -1)
    for _ in range(count):
        a, b = rng.integers(0, SIZE, 2), rng.integers(4, SIZE // 2, 2)
        end = (int(a[0] + b[0]), int(a[1] + b[1] // 6 + 2))
        cv2.rectangle(image, (int(a[0]), int(a[1])), end, float(rng.random()), -1)
    return image


def printed(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a print to lay over a named colour: light mostly, so that the colour stays itself.

    Returns:
        (SIZE, SIZE, 3) uint8 RGB.
    """
    mask = _mask(rng)[..., None]
    if mask.mean() > 0.5:
        mask = 1 - mask
    ink = rng.uniform(0.15, 0.75, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(0.2, 0.7))
    pixels = 1.0 - mask * 0.85 * (1.0 - ink)
    return (255 * np.clip(pixels, 0, 1)).astype(np.uint8)


def surface(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a table, floor or wall: two colours, a pattern and some noise.

    Returns:
        (SIZE, SIZE, 3) uint8 RGB.
    """
    first, second = rng.uniform(0.05, 0.95, (2, 3))
    if rng.random() < 0.6:
        second = np.clip(first + rng.normal(0, 0.15, 3), 0, 1)
    mask = _mask(rng)[..., None]
    pixels = first * (1 - mask) + second * mask
    pixels = pixels + (0.12 * (_noise(rng, 40) - 0.5))[..., None]
    return (255 * np.clip(pixels, 0, 1)).astype(np.uint8)
