# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The overlay: the heatmap over the image, with the targets and the command."""

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.targets.peaks import Target

_MAX_OPACITY = 0.65
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_overlay(
    image_bgr: NDArray[np.uint8],
    heatmap: NDArray[np.float32],
    *,
    targets: tuple[Target, ...],
    caption: str,
) -> NDArray[np.uint8]:
    """Draw a heatmap over an image, opaque in proportion to its absolute value.

    Nothing is stretched to the frame's own maximum: where the model sees nothing, the image stays.

    Args:
        image_bgr: (H, W, 3) uint8.
        heatmap: (H, W) float32 in [0, 1].
        targets: Marked with a ring and their score, the best one in white.
        caption: Written in the top left corner; what is not ASCII is written as '?', since
            OpenCV's fonts have nothing else.

    Returns:
        A new (H, W, 3) uint8 BGR image.
    """
    colours = cv2.applyColorMap((heatmap * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    opacity = cv2.merge([heatmap * _MAX_OPACITY] * 3)
    blended = image_bgr + (colours.astype(np.float32) - image_bgr) * opacity
    canvas = blended.astype(np.uint8)
    unit = max(1, round(min(image_bgr.shape[:2]) / 240))
    for rank, target in reversed(list(enumerate(targets))):
        _draw_target(canvas, target, best=rank == 0, unit=unit)
    _write(canvas, caption, (4 * unit, 13 * unit), unit=unit)
    return canvas


def _draw_target(canvas: NDArray[np.uint8], target: Target, *, best: bool, unit: int) -> None:
    centre = (round(target.x), round(target.y))
    colour = (255, 255, 255) if best else (190, 190, 190)
    radius = (6 if best else 4) * unit
    cv2.circle(canvas, centre, radius, (0, 0, 0), 3 * unit, cv2.LINE_AA)
    cv2.circle(canvas, centre, radius, colour, unit, cv2.LINE_AA)
    text = f'{target.score:.2f}'
    (width, _), _ = cv2.getTextSize(text, _FONT, 0.4 * unit, unit)
    x = centre[0] + radius + 2 * unit
    if x + width > canvas.shape[1]:  # no room on the right: write on the left
        x = centre[0] - radius - 2 * unit - width
    y = int(np.clip(centre[1] + 4 * unit, 12 * unit, canvas.shape[0] - 2 * unit))
    _write(canvas, text, (x, y), unit=unit)


def _write(canvas: NDArray[np.uint8], text: str, place: tuple[int, int], *, unit: int) -> None:
    plain = text.encode('ascii', 'replace').decode()
    cv2.putText(canvas, plain, place, _FONT, 0.4 * unit, (0, 0, 0), 3 * unit, cv2.LINE_AA)
    cv2.putText(canvas, plain, place, _FONT, 0.4 * unit, (255, 255, 255), unit, cv2.LINE_AA)
