# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The overlay: the heatmap over the image, with the targets and the command."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.targets.target import Target

_MAX_OPACITY = 0.65
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BEST, _OTHER = (255, 255, 255), (190, 190, 190)


class _Box(NamedTuple):
    """Where a text lies, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def meets(self, other: '_Box') -> bool:
        """Whether the two share a pixel."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


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
        targets: Marked with the outline of their region, a ring and one label each, the best one
            in white. No label covers another, nor another's ring while there is room beside it;
            where there is no room for all, the best have them.
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
    taken = [_write(canvas, caption, (4 * unit, 13 * unit), unit=unit)]
    rings = [_ring(target, best=rank == 0, unit=unit) for rank, target in enumerate(targets)]
    for rank, target in enumerate(targets):
        others = [ring for other, ring in enumerate(rings) if other != rank]
        size = canvas.shape[:2]
        place = _find_room(target, taken + others, size, best=rank == 0, unit=unit)
        if place is None:  # on another's ring rather than nowhere
            place = _find_room(target, taken, size, best=rank == 0, unit=unit)
        if place is not None:
            taken.append(_write(canvas, target.label, place, unit=unit))
    return canvas


def _draw_target(canvas: NDArray[np.uint8], target: Target, *, best: bool, unit: int) -> None:
    colour = _BEST if best else _OTHER
    if target.region is not None:
        box = target.region.bbox
        outlines, _ = cv2.findContours(
            target.region.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        cv2.drawContours(canvas, outlines, -1, colour, unit, cv2.LINE_AA, offset=(box.x, box.y))
    centre = (round(target.x), round(target.y))
    radius = _radius(best, unit)
    cv2.circle(canvas, centre, radius, (0, 0, 0), 3 * unit, cv2.LINE_AA)
    cv2.circle(canvas, centre, radius, colour, unit, cv2.LINE_AA)


def _radius(best: bool, unit: int) -> int:
    """Return the radius of a target's ring in pixels."""
    return (6 if best else 4) * unit


def _ring(target: Target, *, best: bool, unit: int) -> _Box:
    """Return the box around a target's ring."""
    x, y, reach = round(target.x), round(target.y), _radius(best, unit) + unit
    return _Box(x - reach, y - reach, x + reach, y + reach)


def _find_room(
    target: Target, taken: list[_Box], size: tuple[int, ...], *, best: bool, unit: int
) -> tuple[int, int] | None:
    """Return where a target's label can stand, the nearest place first; None for nowhere."""
    height, width = size
    gap = _radius(best, unit) + 2 * unit
    x, y = round(target.x), round(target.y)
    own = _measure(target.label, (0, 0), unit)
    long, high = own.right - own.left, own.bottom - own.top
    for line in (0, -1, 1, -2, 2, -3, 3, -4, 4):
        down = y + 4 * unit + line * (high + unit)
        for across in (x + gap, x - gap - long, x - long // 2):
            if line == 0 and across == x - long // 2:
                continue  # that is the ring's own place
            box = _measure(target.label, (across, down), unit)
            inside = box.left >= 0 and box.top >= 0 and box.right <= width and box.bottom <= height
            if inside and not any(box.meets(other) for other in taken):
                return across, down
    return None


def _measure(text: str, place: tuple[int, int], unit: int) -> _Box:
    """Return the box of a text whose baseline begins at a place, its dark edge included."""
    (width, height), below = cv2.getTextSize(text, _FONT, 0.4 * unit, unit)
    x, y = place
    return _Box(x - unit, y - height - unit, x + width + unit, y + below // 2 + unit)


def _write(canvas: NDArray[np.uint8], text: str, place: tuple[int, int], *, unit: int) -> _Box:
    """Write a text and return the box that it takes."""
    plain = text.encode('ascii', 'replace').decode()
    cv2.putText(canvas, plain, place, _FONT, 0.4 * unit, (0, 0, 0), 3 * unit, cv2.LINE_AA)
    cv2.putText(canvas, plain, place, _FONT, 0.4 * unit, (255, 255, 255), unit, cv2.LINE_AA)
    return _measure(plain, place, unit)
