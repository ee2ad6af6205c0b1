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
from affordance_ros.viz.contact_sheet import Panel
from affordance_ros.viz.contact_sheet import draw_panels
from affordance_ros.viz.overlay import draw_overlay
from affordance_ros_training.refer_cache import ReferImage


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
        The sheet, uint8 BGR.
    """
    panels = []
    for image, texts, regions, maps in zip(images, sentences, masks, logits, strict=True):
        # As it is stored, as its masks are.
        photo = read_image_file(image.path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        box = Letterbox.fit((image.height, image.width), size=input_size, shape='square')
        for text, region, logit_map in zip(texts, regions, maps, strict=True):
            heatmap = 1 / (1 + np.exp(-np.clip(box.restore(logit_map), -80, 80)))
            named, found = (
                draw_overlay(photo, values.astype(np.float32), targets=(), caption='')
                for values in (region, heatmap)
            )
            panels.append(Panel(named, text, ''))
            panels.append(Panel(found, '', f'maximum {heatmap.max():.2f}'))
    return draw_panels(panels, banner='', columns=2 * len(sentences[0]))


def write_sheet(path: Path, sheet: NDArray[np.uint8]) -> None:
    """Write a sheet as JPEG, atomically."""
    _, data = cv2.imencode('.jpg', sheet)
    write_atomically(path, data.tobytes())
