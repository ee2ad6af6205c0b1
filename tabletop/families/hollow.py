# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Hollow vessels: their outlines, walls, rims and handles."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.meshes import Floats
from affordance_ros_tabletop.meshes import Mesh
from affordance_ros_tabletop.meshes import lathe
from affordance_ros_tabletop.meshes import smooth
from affordance_ros_tabletop.meshes import tube
from affordance_ros_tabletop.shape import unknown_style

CUP_PROFILES: dict[str, list[tuple[float, float]]] = {
    'straight': [(0.96, 0), (1, 0.06), (1, 0.5), (1, 1)],
    'tapered': [(0.68, 0), (0.74, 0.08), (0.87, 0.5), (1, 1)],
    'barrel': [(0.72, 0), (0.88, 0.18), (1, 0.5), (0.9, 1)],
    'belly': [(0.6, 0), (0.95, 0.22), (1, 0.4), (0.76, 0.75), (0.84, 1)],
    'flared': [(0.6, 0), (0.66, 0.3), (0.74, 0.6), (1, 1)],
    'footed': [(0.62, 0), (0.58, 0.08), (0.9, 0.3), (1, 0.6), (0.97, 1)],
}


BOWL_PROFILES: dict[str, list[tuple[float, float]]] = {
    'round': [(0.4, 0), (0.66, 0.14), (0.9, 0.5), (1, 1)],
    'steep': [(0.55, 0), (0.78, 0.1), (0.93, 0.5), (1, 1)],
    'conical': [(0.36, 0), (0.5, 0.2), (0.76, 0.6), (1, 1)],
    'lipped': [(0.44, 0), (0.68, 0.2), (0.82, 0.7), (0.86, 0.9), (1, 1)],
    'footed': [(0.42, 0), (0.38, 0.12), (0.7, 0.3), (0.95, 0.7), (1, 1)],
}


def _walls(
    outline: Floats, radius: float, height: float, wall: float, floor: float
) -> tuple[Floats, Floats]:
    """Scale an outline and give its inside: two (K, 2) profiles, both from foot to lip."""
    outer = outline * np.array([radius, height])
    inner = outer - np.array([wall, 0])
    inner = inner[inner[:, 1] > floor]
    inner = np.concatenate([[[inner[0, 0], floor]], inner])
    return outer, inner


def hollow(
    outline: list[tuple[float, float]], radius: float, height: float, wall: float, lip: float
) -> tuple[Mesh, Mesh]:
    """Make a vessel: its body, and its rim (the top share `lip` of its height) as two meshes."""
    outer, inner = _walls(smooth(outline, 30), radius, height, wall, max(wall, 0.004))
    cut = (1 - lip) * height
    r_out, r_in = (
        np.interp(cut, outer[:, 1], outer[:, 0]),
        np.interp(cut, inner[:, 1], inner[:, 0]),
    )
    low_out, low_in = outer[outer[:, 1] < cut], inner[inner[:, 1] < cut]
    high_out, high_in = outer[outer[:, 1] >= cut], inner[inner[:, 1] >= cut]
    body = [[0, 0], *low_out, [r_out, cut], [r_in, cut], *low_in[::-1], [0, low_in[0, 1]]]
    # A ring is a profile that closes: start and end at the same point inside the wall.
    ring = [[r_in, cut], [r_out, cut], *high_out, *high_in[::-1], [r_in, cut]]
    return lathe(body), turned_ring(np.asarray(ring, float))


def turned_ring(profile: Floats, around: int = 36) -> Mesh:
    """Turn a closed profile that stays off the axis."""
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    points = profile[:-1]
    rings = np.stack(
        [
            points[None, :, 0] * np.cos(angle)[:, None],
            points[None, :, 0] * np.sin(angle)[:, None],
            np.broadcast_to(points[None, :, 1], (around, len(points))),
        ],
        -1,
    )
    count, size = rings.shape[:2]
    k, j = (m.ravel() for m in np.meshgrid(np.arange(count), np.arange(size)))
    k2, j2 = (k + 1) % count, (j + 1) % size
    a, b, c, d = k * size + j, k * size + j2, k2 * size + j2, k2 * size + j
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    mesh = Mesh(rings.reshape(-1, 3), faces)
    return mesh if mesh.volume() > 0 else Mesh(mesh.vertices, mesh.faces[:, ::-1].copy())


def ear(
    rng: np.random.Generator, outline: Floats, radius: float, height: float, reach: float
) -> Mesh:
    """Make a mug-like handle on +x that runs into the wall at both ends."""
    top, low = rng.uniform(0.72, 0.9), rng.uniform(0.14, 0.32)
    wall = np.interp([low, top], outline[:, 1], outline[:, 0]) * radius - 0.003
    middle = (top + low) / 2
    square = rng.uniform(0.55, 1.0)
    points = [
        [wall[1], 0, top * height],
        [wall[1] + square * reach, 0, (top - 0.02) * height],
        [radius + reach, 0, (middle + rng.uniform(0.0, 0.12)) * height],
        [wall[0] + rng.uniform(0.5, 0.85) * reach, 0, (low + 0.06) * height],
        [wall[0], 0, low * height],
    ]
    thick = rng.uniform(0.0042, 0.0075)
    return tube(smooth(points, 20), thick, flat=rng.uniform(0.8, 1.5))


def profile_of(
    family: str, style: str, table: dict[str, list[tuple[float, float]]]
) -> list[tuple[float, float]]:
    """Look a style up, with an error that names the known ones."""
    if style not in table:
        raise unknown_style(family, style, tuple(table))
    return table[style]
