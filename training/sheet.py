"""A sheet of heatmaps: image, named region and heatmap side by side, to be looked at."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.geometry import Letterbox
from affordance_ros.overlay import draw_overlay
from training.atomic import write_atomically
from training.refer_cache import ReferImage

_TILE = (240, 320)  # height, width


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
        (rows * 240, K * 640, 3) uint8 BGR.
    """
    rows = []
    for image, texts, regions, maps in zip(images, sentences, masks, logits, strict=True):
        picture = np.asarray(cv2.imread(str(image.path), cv2.IMREAD_COLOR), np.uint8)
        box = Letterbox.fit((image.height, image.width), size=input_size, shape='square')
        tiles = []
        for text, region, logit_map in zip(texts, regions, maps, strict=True):
            heatmap = 1 / (1 + np.exp(-np.clip(box.restore(logit_map), -80, 80)))
            for values, caption in ((region, text), (heatmap, f'{heatmap.max():.2f}')):
                overlay = draw_overlay(
                    picture, values.astype(np.float32), targets=(), caption=caption
                )
                tiles.append(_fit(overlay))
        rows.append(np.hstack(tiles))
    return np.asarray(np.vstack(rows), np.uint8)


def write_sheet(path: Path, sheet: NDArray[np.uint8]) -> None:
    """Write a sheet as JPEG, atomically."""
    _, data = cv2.imencode('.jpg', sheet)
    write_atomically(path, data.tobytes())


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
