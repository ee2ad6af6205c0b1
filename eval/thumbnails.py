# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Small images for the report, as data URIs: photo, ground truth and prediction."""

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 200
_QUALITY = 80
_OPACITY = 0.6


def photo_uri(image: NDArray[np.uint8]) -> str:
    """Return an image (H, W, 3) uint8 BGR as a small JPEG."""
    return _jpeg(_shrink(image))


def overlay_uri(image: NDArray[np.uint8], heatmap: NDArray) -> str:
    """Return a map over its image, stretched to its own range as the min-max protocols do.

    Args:
        image: (H, W, 3) uint8 BGR.
        heatmap: (H', W') of any real type and size.
    """
    small = _shrink(image)
    heat = cv2.resize(np.asarray(heatmap, np.float32), (small.shape[1], small.shape[0]))
    span = float(heat.max() - heat.min())
    heat = (heat - heat.min()) / span if span else np.zeros_like(heat)
    colours = cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    grey = cv2.cvtColor(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    weight = (heat * _OPACITY + 0.1)[..., None]
    return _jpeg((grey * (1 - weight) + colours * weight).astype(np.uint8))


def _shrink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = _SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(pixels: NDArray[np.uint8]) -> str:
    _, data = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return 'data:image/jpeg;base64,' + base64.b64encode(data.tobytes()).decode()
