# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Closed triangle meshes from a few primitives: turned profiles, swept tubes, prisms.

Units are metres, z is up, and every mesh is closed with its faces turned outwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# A list of points, or an array of them.
Rows = Sequence[Any] | NDArray[Any]


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh.

    Attributes:
        vertices: (V, 3) float64, metres.
        faces: (F, 3) int32, indices into `vertices`, counter-clockwise seen from outside.
    """

    vertices: Floats
    faces: NDArray[np.int32]

    def moved(
        self,
        x: float | np.floating = 0.0,
        y: float | np.floating = 0.0,
        z: float | np.floating = 0.0,
    ) -> Mesh:
        """Return the mesh shifted by (x, y, z) metres."""
        return Mesh(self.vertices + np.array([x, y, z]), self.faces)

    def turned(self, axis: str, degrees: float) -> Mesh:
        """Return the mesh turned about the x, y or z axis through the origin."""
        return Mesh(self.vertices @ rotation(axis, degrees).T, self.faces)

    def scaled(self, x: float, y: float, z: float) -> Mesh:
        """Return the mesh stretched by positive factors along the axes."""
        return Mesh(self.vertices * np.array([x, y, z]), self.faces)

    def volume(self) -> float:
        """Return the signed volume in cubic metres; positive when faces point outwards."""
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        return float(np.einsum('ij,ij->i', a, np.cross(b, c)).sum() / 6.0)


def rotation(axis: str, degrees: float) -> Floats:
    """Return the (3, 3) matrix of a right-handed turn about 'x', 'y' or 'z'."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    i, j = {'x': (1, 2), 'y': (2, 0), 'z': (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def merged(*meshes: Mesh) -> Mesh:
    """Join meshes into one; they may touch or overlap."""
    offsets = np.cumsum([0, *(len(m.vertices) for m in meshes[:-1])])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + k for m, k in zip(meshes, offsets, strict=True)]).astype(
            np.int32
        ),
    )


def _rings(rings: Floats, closed: bool) -> Mesh:
    """Skin (R, N, 3) rings; the ends get caps unless the rings themselves close up."""
    count, around = rings.shape[:2]
    ring, step = np.meshgrid(np.arange(count if closed else count - 1), np.arange(around))
    ring, step = ring.ravel(), step.ravel()
    after, beside = (ring + 1) % count, (step + 1) % around
    a, b = ring * around + step, ring * around + beside
    c, d = after * around + beside, after * around + step
    faces = [np.stack([a, b, c], 1), np.stack([a, c, d], 1)]
    vertices = [rings.reshape(-1, 3)]
    if not closed:
        spokes = np.arange(around)
        nxt = (spokes + 1) % around
        size = count * around
        last = (count - 1) * around
        vertices += [rings[0].mean(0)[None], rings[-1].mean(0)[None]]
        faces.append(np.stack([np.full(around, size), nxt, spokes], 1))
        faces.append(np.stack([np.full(around, size + 1), last + spokes, last + nxt], 1))
    mesh = Mesh(np.concatenate(vertices), np.concatenate(faces).astype(np.int32))
    return mesh if mesh.volume() > 0 else Mesh(mesh.vertices, mesh.faces[:, ::-1].copy())


def lathe(profile: Rows, around: int = 36, squash: float = 1.0) -> Mesh:
    """Turn a profile about the z axis.

    Args:
        profile: (K, 2) radius and height in metres, from one end on the axis to the other. Go up
            the outside and down the inside to make a hollow vessel.
        around: corners of each ring.
        squash: factor on y, 1 for round.
    """
    points = np.asarray(profile, float)
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    radius = np.maximum(points[:, :1], 1e-5)
    x, y = radius * np.cos(angle), radius * np.sin(angle) * squash
    return _rings(np.stack([x, y, np.broadcast_to(points[:, 1:], x.shape)], -1), closed=False)


def tube(
    path: Rows,
    radius: float | Sequence[float],
    *,
    flat: float = 1.0,
    around: int = 12,
    closed: bool = False,
) -> Mesh:
    """Sweep an ellipse along a path.

    Args:
        path: (K, 3) points in metres.
        radius: one radius, or one per point; across the path.
        flat: factor on the radius along the direction nearest to z (below 1 flattens).
        around: corners of each ring.
        closed: whether the path runs back into its first point (a ring).
    """
    points = np.asarray(path, float)
    radii = np.broadcast_to(np.asarray(radius, float), (len(points),))
    if closed:
        tangent = np.roll(points, -1, 0) - np.roll(points, 1, 0)
    else:
        tangent = np.gradient(points, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    # A plane curve swept with its own plane's normal never twists.
    centred = points - points.mean(0)
    normal = np.linalg.svd(centred)[2][2] if np.linalg.matrix_rank(centred, 1e-6) > 1 else None
    if normal is None:
        normal = np.cross(tangent[0], [0, 0, 1] if abs(tangent[0][2]) < 0.9 else [0, 1, 0])
        normal /= np.linalg.norm(normal)
    side = np.cross(tangent, normal)
    up_is_side = abs(side[:, 2]).mean() > abs(normal[2])
    scale_side, scale_normal = (flat, 1.0) if up_is_side else (1.0, flat)
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)[None, :, None]
    ring = np.cos(angle) * side[:, None] * scale_side + np.sin(angle) * normal * scale_normal
    return _rings(points[:, None] + radii[:, None, None] * ring, closed=closed)


def prism(outline: Rows, z0: float, z1: float) -> Mesh:
    """Raise a flat outline from z0 to z1; the outline must see all of itself from its mean."""
    flat = np.asarray(outline, float)
    rings = np.stack([np.c_[flat, np.full(len(flat), z)] for z in (z0, z1)])
    return _rings(rings, closed=False)


def slab(x: float, y: float, z: float, *, corner: float = 0.0, bevel: float = 0.0) -> Mesh:
    """Make a box of the given sizes on z = 0 with rounded corners and bevelled edges."""
    corner = min(corner, x / 2 - 1e-4, y / 2 - 1e-4)
    bevel = min(bevel, z / 2 - 1e-4, x / 4, y / 4)

    def ring(inset: float, height: float) -> Floats:
        half = np.array([x / 2 - inset, y / 2 - inset])
        r = max(corner - inset, 1e-5)
        angle = np.concatenate([np.linspace(0, 90, 5) + 90 * k for k in range(4)])
        signs = np.repeat([[1, 1], [-1, 1], [-1, -1], [1, -1]], 5, 0)
        arc = np.stack([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))], 1)
        flat = signs * (half - r) + r * arc
        return np.c_[flat, np.full(len(flat), height)]

    rings = [ring(0, 0), ring(0, z)]
    if bevel > 0:
        rings = [ring(bevel, 0), ring(0, bevel), ring(0, z - bevel), ring(bevel, z)]
    return _rings(np.stack(rings), closed=False)


def ball(x: float, y: float, z: float, *, around: int = 28) -> Mesh:
    """Make an ellipsoid of the given diameters, centred on the origin."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, around // 2 + 1)
    unit = lathe(np.stack([np.cos(angle), np.sin(angle)], 1), around)
    return unit.scaled(x / 2, y / 2, z / 2)


def smooth(points: Rows, count: int = 24) -> Floats:
    """Run a Catmull-Rom curve through (K, D) points and sample it evenly in its parameter."""
    knots = np.asarray(points, float)
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    where = np.linspace(0, len(knots) - 1, count)
    k = np.minimum(where.astype(int), len(knots) - 2)
    t = (where - k)[:, None]
    p0, p1, p2, p3 = (padded[k + i] for i in range(4))
    return 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
