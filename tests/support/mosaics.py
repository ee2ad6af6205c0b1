# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What raw cameras send of an image: Bayer mosaics and YUV 4:2:2, by their definitions."""

import cv2
import numpy as np

_CHANNEL = {'b': 0, 'g': 1, 'r': 2}


def smooth_photo(height=48, width=64):
    """Return (height, width, 3) uint8 BGR without detail, whose channels differ everywhere."""
    corners = np.array(
        [[[20, 90, 230], [40, 200, 120]], [[200, 60, 160], [240, 130, 40]]], np.uint8
    )
    return cv2.resize(corners, (width, height))


def mosaic(bgr, pattern):
    """Return (H, W): of each pixel the one channel that the pattern's filter lets through."""
    cells = np.zeros(bgr.shape[:2], np.uint8)
    for place, colour in enumerate(pattern):
        row, column = divmod(place, 2)
        cells[row::2, column::2] = bgr[row::2, column::2, _CHANNEL[colour]]
    return cells


def yuv422(bgr, order):
    """Return (H, W, 2) of BT.601 YUV 4:2:2 in 'uyvy' or 'yuyv' order."""
    b, g, r = np.moveaxis(bgr.astype(np.float64), -1, 0)
    y = 16 + 0.257 * r + 0.504 * g + 0.098 * b
    u = 128 - 0.148 * r - 0.291 * g + 0.439 * b
    v = 128 + 0.439 * r - 0.368 * g - 0.071 * b
    colour = np.empty_like(y)
    colour[:, 0::2], colour[:, 1::2] = u[:, 0::2], v[:, 0::2]
    pair = (colour, y) if order == 'uyvy' else (y, colour)
    return np.stack(pair, axis=-1).round().astype(np.uint8)
