# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Where a pixel of the image lies on the canvas, and the other way round, by pixel centres."""


def to_canvas(box, x, y):
    """Map a pixel of the image to the canvas."""
    scale_y, scale_x = (i / s for i, s in zip(box.inner, box.source, strict=True))
    return (x + 0.5) * scale_x - 0.5 + box.left, (y + 0.5) * scale_y - 0.5 + box.top


def to_source(box, x, y):
    """Map a pixel of the canvas to the image."""
    scale_y, scale_x = (s / i for i, s in zip(box.inner, box.source, strict=True))
    return (x - box.left + 0.5) * scale_x - 0.5, (y - box.top + 0.5) * scale_y - 0.5
