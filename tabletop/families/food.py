# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Generated fruit and vegetables."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.families.grips import check_style
from affordance_ros_tabletop.meshes import Mesh
from affordance_ros_tabletop.meshes import ball as ellipsoid
from affordance_ros_tabletop.meshes import lathe
from affordance_ros_tabletop.meshes import merged
from affordance_ros_tabletop.meshes import smooth
from affordance_ros_tabletop.meshes import tube
from affordance_ros_tabletop.shape import Piece


def _bumpy(mesh: Mesh, rng: np.random.Generator, amount: float) -> Mesh:
    """Dent a mesh by a few long waves, so that no two fruit are the same."""
    v = mesh.vertices
    size = np.ptp(v, axis=0).max()
    for _ in range(4):
        wave = rng.normal(size=3) * 5 / size
        v = v * (1 + amount * np.sin(v @ wave + rng.uniform(0, 6.28)))[:, None]
    return Mesh(v, mesh.faces)


def apple(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make an apple: body, stem."""
    profiles = {
        'round': [
            [0, 0.08],
            [0.35, 0.0],
            [0.85, 0.25],
            [1.0, 0.6],
            [0.8, 0.97],
            [0.35, 1.03],
            [0, 0.86],
        ],
        'heart': [
            [0, 0.06],
            [0.3, 0.0],
            [0.65, 0.2],
            [1.0, 0.7],
            [0.85, 1.0],
            [0.4, 1.08],
            [0, 0.88],
        ],
        'flat': [
            [0, 0.1],
            [0.5, 0.0],
            [0.95, 0.3],
            [1.0, 0.55],
            [0.8, 0.85],
            [0.4, 0.9],
            [0, 0.72],
        ],
        'tall': [
            [0, 0.05],
            [0.4, 0.0],
            [0.8, 0.3],
            [0.95, 0.8],
            [0.8, 1.15],
            [0.35, 1.22],
            [0, 1.05],
        ],
    }
    check_style('apple', style, tuple(profiles))
    r = rng.uniform(0.03, 0.04)
    profile = np.maximum(smooth(profiles[style], 24), [0, -1])
    body = _bumpy(lathe(profile * np.array([r, 2 * r * 0.92])), rng, 0.015)
    top = body.vertices[np.hypot(body.vertices[:, 0], body.vertices[:, 1]) < 0.004][:, 2].max()
    bend = rng.normal(0, 0.005, 2)
    stalk = tube(
        smooth([[0, 0, top - 0.003], [0, 0, top + 0.008], [*bend, top + 0.018]], 8),
        0.0017,
        around=8,
    )
    return [Piece('body', 'main', body), Piece('stem', 'stem', stalk)]


def orange(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make an orange: body, stem (a flat green star)."""
    flat = {'round': 0.98, 'flat': 0.8, 'navel': 1.08}
    check_style('orange', style, tuple(flat))
    d = rng.uniform(0.062, 0.082)
    high = d * flat[style]
    body = ellipsoid(d, d, high)
    if style == 'navel':
        body = merged(body, ellipsoid(d * 0.3, d * 0.3, d * 0.16).moved(z=-high * 0.47))
    body = _bumpy(body, rng, 0.008)
    body = body.moved(z=-body.vertices[:, 2].min())
    top = body.vertices[:, 2].max()
    star = lathe([[0, -0.002], [0.006, -0.002], [0.004, 0.001], [0, 0.002]], 5).moved(z=top)
    return [Piece('body', 'main', body), Piece('stem', 'stem', star)]


def banana(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a banana lying on its side: body, stem."""
    bends = {'bent': 80.0, 'straight': 35.0, 'short': 65.0, 'hooked': 115.0}
    check_style('banana', style, tuple(bends))
    length = rng.uniform(0.1, 0.125) if style == 'short' else rng.uniform(0.15, 0.19)
    span = np.deg2rad(bends[style] * rng.uniform(0.9, 1.1))
    t = np.linspace(-span / 2, span / 2, 26)
    arc = length / span
    r = rng.uniform(0.015, 0.019)
    path = np.stack([arc * np.sin(t), arc * (1 - np.cos(t)), np.full(26, r)], 1)
    u = np.linspace(0, 1, 26)
    radii = r * np.clip(np.minimum((u + 0.02) / 0.22, (1.04 - u) / 0.2), 0.28, 1) ** 0.7
    stalk = tube(
        smooth([path[-2], path[-1] + [0.008, 0.01, 0], path[-1] + [0.012, 0.02, 0]], 6),
        np.linspace(r * 0.34, r * 0.26, 6).tolist(),
        around=8,
    )
    return [
        Piece('body', 'main', tube(path, radii.tolist(), around=8)),
        Piece('stem', 'stem', stalk),
    ]


def carrot(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a carrot lying down: body, leaves."""
    shapes = {'long': (0.17, 0.2, 0.014), 'stump': (0.1, 0.12, 0.017), 'fat': (0.13, 0.15, 0.021)}
    check_style('carrot', style, tuple(shapes))
    low, high, r = shapes[style]
    length = rng.uniform(low, high)
    u = np.linspace(0, 1, 20)
    end = 0.5 if style == 'stump' else 0.12
    radii = r * np.clip(1 - (1 - end) * u**1.2, 0.05, 1) * np.minimum(1, (u + 0.05) / 0.1) ** 0.5
    radii *= 1 + 0.04 * np.sin(u * rng.uniform(40, 60))
    path = np.stack([u * length, rng.uniform(-0.008, 0.008) * np.sin(u * 3), radii], 1)
    leaves = []
    for k in range(int(rng.integers(4, 7))):
        side = rng.uniform(-0.02, 0.02)
        leaf = smooth(
            [[0.004, 0, r], [-0.025, side * 0.5, r + 0.004], [-0.05, side, 0.006 + 0.002 * k]], 8
        )
        leaves.append(tube(leaf, np.linspace(0.0028, 0.0045, 8).tolist(), flat=0.5, around=8))
    return [
        Piece('body', 'main', tube(path, radii.tolist(), around=16)),
        Piece('leaves', 'stem', merged(*leaves)),
    ]
