# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Activation maps drawn of Gaussians, whose middles are known exactly."""

import numpy as np

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.instances import InstanceConfig
from affordance_ros.targets.instances import find_instances
from tests.support.letterbox_points import to_canvas


def layout(source, size, shape, stride):
    """Return a letterbox and the size of its maps."""
    box = Letterbox.fit(source, size=size, shape=shape)
    return box, tuple(side // stride for side in box.canvas)


def draw(box, size, *bumps, background=0.002):
    """Draw heat as a sum of Gaussians (x, y, height, sigma): pixels of the image, sigma in cells.

    The reference for a place: the Gaussians' own middles, mapped by the letterbox's definition.
    """
    heat = np.full(size, background)
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float64)
    for x, y, height, sigma in bumps:
        canvas_x, canvas_y = to_canvas(box, x, y)
        column = (canvas_x + 0.5) * size[1] / box.canvas[1] - 0.5
        row = (canvas_y + 0.5) * size[0] / box.canvas[0] - 0.5
        heat += height * np.exp(-((columns - column) ** 2 + (rows - row) ** 2) / (2 * sigma**2))
    return as_activation(np.minimum(heat, 0.999), box)


def as_activation(heat, box):
    return Activation(np.log(heat / (1 - heat)).astype(np.float32), box)


def whole(heat):
    """Return the activation of a map whose cells are the image's pixels."""
    size = heat.shape
    return as_activation(np.clip(heat, 1e-6, 0.999), Letterbox(size, size, size, 0, 0))


def find(activation, **config):
    (targets,) = find_instances([activation], InstanceConfig(**config))
    return targets


def cell_px(box, size):
    """Return how many pixels of the image a cell has."""
    return box.canvas[1] / size[1] * box.source[1] / box.inner[1]
