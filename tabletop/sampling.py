# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Sample points of meshes: where an object ends, and where one acts on it."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.meshes import Floats


def outline_points(vertices: Floats) -> Floats:
    """Keep the vertices that matter for where an object touches: the farthest in any direction.

    Args:
        vertices: (V, 3).

    Returns:
        (K, 3), at most a thousand: the farthest in many directions, and an even sample.
    """
    corners = np.array(list(np.ndindex(3, 3, 3)), float) - 1
    far = (vertices @ corners.T).argmax(0)
    # Scans have 100,000 vertices, so close together that a sample of them is as good.
    pool = np.unique(np.r_[far, np.arange(0, len(vertices), max(1, len(vertices) // 5000))])
    k = np.arange(400)
    z = 1 - 2 * (k + 0.5) / 400
    angle = np.pi * (3 - np.sqrt(5)) * k
    sphere = np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z])
    chosen = pool[(vertices[pool] @ sphere).argmax(0)]
    return vertices[np.unique(np.r_[far, chosen, pool[:: max(1, len(pool) // 350)]])]


def spread_points(triangles: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Sample points evenly over triangles: many by area, then the ones farthest apart.

    Args:
        triangles: (T, 3, 3) corners.
        count: how many points to return.
        rng: source of randomness.

    Returns:
        (count, 3) points on the triangles.
    """
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) + 1e-15
    pick = rng.choice(len(area), 20 * count, p=area / area.sum())
    u, v = rng.random((2, 20 * count, 1))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    cloud = a[pick] + u * (b - a)[pick] + v * (c - a)[pick]
    chosen = [0]
    far = np.linalg.norm(cloud - cloud[0], axis=1)
    for _ in range(count - 1):
        chosen.append(int(far.argmax()))
        far = np.minimum(far, np.linalg.norm(cloud - cloud[chosen[-1]], axis=1))
    return cloud[chosen]
