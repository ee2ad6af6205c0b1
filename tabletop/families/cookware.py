# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Generated cookware: moka pots and pans."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.families.hollow import hollow
from affordance_ros_tabletop.meshes import lathe
from affordance_ros_tabletop.meshes import merged
from affordance_ros_tabletop.meshes import smooth
from affordance_ros_tabletop.meshes import tube
from affordance_ros_tabletop.shape import Piece
from affordance_ros_tabletop.shape import unknown_style


def moka_pot(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a stove-top coffee pot: body, lid, spout, handle."""
    sides = {'octagonal': 8, 'hexagonal': 6, 'round': 36}
    if style not in sides:
        raise unknown_style('moka pot', style, tuple(sides))
    around = sides[style]
    radius, height = rng.uniform(0.038, 0.048), rng.uniform(0.12, 0.16)
    waist = height * rng.uniform(0.42, 0.5)
    body = lathe(
        [
            [0, 0],
            [radius, 0],
            [radius * 0.78, waist],
            [radius * 0.84, waist + 0.006],
            [radius * 0.72, waist + 0.012],
            [radius * 0.95, height],
            [0, height],
        ],
        around,
    )
    lid = lathe(
        [
            [0, height],
            [radius * 0.97, height],
            [radius * 0.6, height + 0.012],
            [0.007, height + 0.016],
            [0.009, height + 0.03],
            [0, height + 0.033],
        ],
        around,
    )
    spout = tube(
        [
            [-radius * 0.6, 0, height * 0.78],
            [-radius * 0.95, 0, height * 0.93],
            [-radius * 1.28, 0, height * 1.0],
        ],
        [0.013, 0.011, 0.005],
    )
    grip = rng.uniform(0.022, 0.032)
    handle = tube(
        smooth(
            [
                [radius * 0.8, 0, height * 0.93],
                [radius + grip, 0, height * 0.95],
                [radius + grip * 1.15, 0, height * 0.7],
                [radius + grip * 0.9, 0, height * 0.45],
            ],
            14,
        ),
        0.0075,
        flat=1.2,
    )
    return [
        Piece('body', 'main', body),
        Piece('lid', 'main', lid),
        Piece('spout', 'main', spout),
        Piece('handle', 'dark', handle),
    ]


def pan(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a pan: body, handle."""
    sides = {'frying': (0.2, 0.3), 'sauce': (0.6, 0.85), 'saute': (0.32, 0.45)}
    if style not in sides:
        raise unknown_style('pan', style, tuple(sides))
    radius = rng.uniform(0.06, 0.075) if style == 'sauce' else rng.uniform(0.075, 0.1)
    height = radius * rng.uniform(*sides[style])
    foot = 0.8 if style == 'frying' else 0.97
    body, rim = hollow(
        [(foot, 0), (foot + 0.05, 0.2), (0.97, 0.6), (1, 1)], radius, height, 0.003, 0.2
    )
    length = rng.uniform(0.11, 0.16)
    rise = rng.uniform(0.0, 0.035)
    path = smooth(
        [
            [radius * 0.97, 0, height * 0.8],
            [radius + length * 0.35, 0, height * 0.9 + rise * 0.6],
            [radius + length, 0, height * 0.85 + rise],
        ],
        14,
    )
    handle = tube(path, np.linspace(0.007, 0.011, 14).tolist(), flat=rng.uniform(0.5, 0.9))
    grip = str(rng.choice(['dark', 'wood', 'metal', 'accent']))
    return [Piece('body', 'main', merged(body, rim)), Piece('handle', grip, handle)]
