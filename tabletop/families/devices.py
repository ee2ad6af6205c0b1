# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Generated devices: phones, cameras, keyboards, laptops."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.families.grips import check_style
from affordance_ros_tabletop.meshes import Mesh
from affordance_ros_tabletop.meshes import lathe
from affordance_ros_tabletop.meshes import merged
from affordance_ros_tabletop.meshes import slab
from affordance_ros_tabletop.shape import Piece


def phone(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a phone lying face up: body, screen, buttons."""
    check_style('phone', style, ('smart', 'wide', 'keypad'))
    x, y, z = rng.uniform(0.062, 0.074), rng.uniform(0.13, 0.155), rng.uniform(0.008, 0.011)
    if style == 'wide':
        x, y = y * 0.8, y
    if style == 'keypad':
        x, y, z = x * 0.72, y * 0.85, 0.015
    body = slab(x, y, z, corner=0.01, bevel=0.002)
    if style == 'keypad':
        screen = slab(x * 0.8, y * 0.36, 0.001).moved(y=y * 0.22, z=z - 0.0002)
        keys = merged(
            *[
                slab(x * 0.2, y * 0.07, 0.002, corner=0.002).moved(
                    x=a * x * 0.27, y=y * b, z=z - 0.0003
                )
                for a in (-1, 0, 1)
                for b in (-0.06, -0.16, -0.26, -0.36)
            ]
        )
        return [
            Piece('body', 'main', body),
            Piece('screen', 'screen', screen),
            Piece('buttons', 'white', keys),
        ]
    screen = slab(x * 0.92, y * rng.uniform(0.86, 0.94), 0.001, corner=0.007).moved(z=z - 0.0002)
    key = slab(0.003, y * 0.1, z * 0.4).moved(x=x / 2, y=y * 0.2, z=z * 0.3)
    return [
        Piece('body', 'main', body),
        Piece('screen', 'screen', screen),
        Piece('buttons', 'accent', key),
    ]


def camera(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a photo camera: body, lens, button."""
    check_style('camera', style, ('compact', 'reflex', 'boxy'))
    x, y, z = rng.uniform(0.09, 0.12), rng.uniform(0.032, 0.045), rng.uniform(0.06, 0.078)
    if style == 'boxy':
        x = z * 1.15
    body = slab(x, y, z, corner=0.008, bevel=0.004)
    if style == 'reflex':
        hump = slab(x * 0.35, y * 0.9, 0.018, corner=0.006, bevel=0.004).moved(z=z - 0.002)
        body = merged(body, hump)
    reach = {'compact': 0.022, 'reflex': 0.048, 'boxy': 0.016}[style] * rng.uniform(0.9, 1.2)
    r = z * rng.uniform(0.3, 0.38)
    lens = (
        lathe(
            [
                [0, 0],
                [r, 0],
                [r, reach * 0.6],
                [r * 0.88, reach],
                [r * 0.7, reach],
                [r * 0.66, reach - 0.006],
                [0, reach - 0.008],
            ],
            32,
        )
        .turned('x', 90)
        .moved(y=-y / 2 + 0.002, z=z * 0.48)
    )
    button = lathe([[0, 0], [0.007, 0], [0.007, 0.006], [0, 0.007]], 20).moved(
        x=x * 0.34, z=z - 0.001
    )
    return [
        Piece('body', 'main', body),
        Piece('lens', 'dark', lens),
        Piece('button', str(rng.choice(['metal', 'accent'])), button),
    ]


def _keys(x: float, y: float, cols: int, rows: int, height: float) -> Mesh:
    step_x, step_y = x / cols, y / rows
    keys = [
        slab(step_x * 0.82, step_y * 0.82, height, bevel=height * 0.3).moved(
            x=(i - (cols - 1) / 2) * step_x, y=(j - (rows - 1) / 2) * step_y
        )
        for i in range(cols)
        for j in range(1, rows)
    ]
    bar = slab(x * 0.45, step_y * 0.82, height, bevel=height * 0.3).moved(
        y=-(rows - 1) / 2 * step_y
    )
    ends = [
        slab(x * 0.22, step_y * 0.82, height, bevel=height * 0.3).moved(
            x=s * x * 0.37, y=-(rows - 1) / 2 * step_y
        )
        for s in (-1, 1)
    ]
    return merged(*keys, bar, *ends)


def keyboard(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a keyboard: body, keys."""
    sizes = {
        'compact': (0.22, 0.085, 11, 5),
        'full': (0.31, 0.1, 16, 5),
        'pad': (0.09, 0.11, 4, 5),
    }
    check_style('keyboard', style, tuple(sizes))
    x, y, cols, rows = sizes[style]
    x, y = x * rng.uniform(0.92, 1.08), y * rng.uniform(0.92, 1.08)
    body = slab(x, y, 0.012, corner=0.006, bevel=0.002)
    keys = _keys(x * 0.94, y * 0.88, cols, rows, 0.006).moved(z=0.011)
    return [
        Piece('body', 'main', body),
        Piece('keys', str(rng.choice(['white', 'dark', 'accent'])), keys),
    ]


def laptop(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make an open laptop: body, keys, screen."""
    check_style('laptop', style, ('thin', 'thick', 'small'))
    x, y = rng.uniform(0.24, 0.28), rng.uniform(0.165, 0.19)
    if style == 'small':
        x, y = x * 0.75, y * 0.78
    z = 0.02 if style == 'thick' else 0.01
    tilt = rng.uniform(95, 115)
    base = slab(x, y, z, corner=0.008, bevel=0.002)
    keys = _keys(x * 0.88, y * 0.46, 12, 5, 0.003).moved(y=y * 0.18, z=z - 0.0005)
    pad = slab(x * 0.3, y * 0.26, 0.001, corner=0.003).moved(y=-y * 0.28, z=z - 0.0004)
    lid = slab(x, y * 0.96, 0.006, corner=0.008, bevel=0.001).moved(y=-y * 0.48)
    face = slab(x * 0.92, y * 0.82, 0.001).moved(y=-y * 0.49, z=0.0058)

    def hinged(mesh: Mesh) -> Mesh:
        return mesh.turned('x', -tilt).moved(y=y / 2 - 0.004, z=z)

    return [
        Piece('body', 'main', merged(base, hinged(lid))),
        Piece('body', 'dark', pad),
        Piece('keys', str(rng.choice(['dark', 'white'])), keys),
        Piece('screen', 'screen', hinged(face)),
    ]
