# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What a depth camera does to depth: noise, whole millimetres, holes at edges and elsewhere."""

import cv2
import numpy as np

from affordance_ros.spatial.depth import DepthImage
from tests.support.image_messages import message


def damage(depth_m, rng, *, noise_m=0.002):
    """Return (H, W) uint16 millimetres, 0 where unknown, of exact depth in metres.

    Most pixels beside a jump of more than 2 cm are lost, as are 1 % of all and ten round spots.
    """
    kernel = np.ones((3, 3), np.uint8)
    jump = cv2.dilate(depth_m, kernel) - cv2.erode(depth_m, kernel)
    noisy = depth_m + rng.normal(0.0, noise_m, depth_m.shape)
    lost = (jump > 0.02) & (rng.random(depth_m.shape) < 0.7)
    lost |= rng.random(depth_m.shape) < 0.01
    height, width = depth_m.shape
    spots = np.zeros((height, width), np.uint8)
    for _ in range(10):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(spots, centre, int(rng.integers(2, max(3, width // 40))), 1, -1)
    lost |= (spots > 0) | (depth_m <= 0)
    return np.where(lost, 0, np.rint(noisy * 1000)).astype(np.uint16)


def as_depth(depth):
    """View an array, uint16 millimetres or float32 metres, as a message brings it."""
    return DepthImage.view(message(depth, '16UC1' if depth.dtype == np.uint16 else '32FC1'))
