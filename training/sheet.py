# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A sheet of heatmaps: image, named region and heatmap side by side, to be looked at."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.decode import read_image_file
from affordance_ros.image.letterbox import Letterbox
from affordance_ros.safe_io.atomic import write_atomically
from affordance_ros.viz.overlay import draw_overlay
from affordance_ros_training.refer_cache import ReferImage

_TILE = (240, 320)  # height, width
_STRIP_HEIGHT = 24


def draw_sheet(
    images: Sequence[ReferImage],
    sentences: Sequence[Sequence[str]],
    *,
    masks: Sequence[Sequence[NDArray[np.uint8]]],
    logits: Sequence[NDArray[np.float32]],
    input_size: int,
) -> NDArray[np.uint8]:
    """Draw one row for each image: for each sentence its region, then its heatmap.

    Args:
        images: The images.
        sentences: K sentences for each, the same K for all.
        masks: (H, W) for each sentence.
        logits: (K, h, w) for each image, covering the letterbox.
        input_size: The side of the square input in pixels.

    Returns:
        (rows * 264, K * 640, 3) uint8 BGR.
    """
    rows = []
    for image, texts, regions, maps in zip(images, sentences, masks, logits, strict=True):
        picture = read_image_file(image.path)
        box = Letterbox.fit((image.height, image.width), size=input_size, shape='square')
        tiles = []
        for text, region, logit_map in zip(texts, regions, maps, strict=True):
            heatmap = 1 / (1 + np.exp(-np.clip(box.restore(logit_map), -80, 80)))
            overlays = [
                _fit(draw_overlay(picture, values.astype(np.float32), targets=(), caption=''))
                for values in (region, heatmap)
            ]
            strip = _strip(f'{text}  (maximum {heatmap.max():.2f})')
            tiles.append(np.vstack([strip, np.hstack(overlays)]))
        rows.append(np.hstack(tiles))
    return np.asarray(np.vstack(rows), np.uint8)


def write_sheet(path: Path, sheet: NDArray[np.uint8]) -> None:
    """Write a sheet as JPEG, atomically."""
    _, data = cv2.imencode('.jpg', sheet)
    write_atomically(path, data.tobytes())


def _strip(text: str) -> NDArray[np.uint8]:
    """Write a line of text over a region and its heatmap."""
    strip = np.full((_STRIP_HEIGHT, 2 * _TILE[1], 3), 32, np.uint8)
    plain = text.encode('ascii', 'replace').decode()
    font, colour = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255)
    cv2.putText(strip, plain, (6, 17), font, 0.48, colour, 1, cv2.LINE_AA)
    return strip


def _fit(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale a picture into a tile."""
    height, width = picture.shape[:2]
    scale = min(_TILE[0] / height, _TILE[1] / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    tile = np.full((*_TILE, 3), 32, np.uint8)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    top, left = (_TILE[0] - size[1]) // 2, (_TILE[1] - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = small
    return tile
