# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Generated tools, bats and rackets, lying along +x with the held end at x = 0."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.families.grips import check_style
from affordance_ros_tabletop.families.grips import grip
from affordance_ros_tabletop.meshes import Mesh
from affordance_ros_tabletop.meshes import ball
from affordance_ros_tabletop.meshes import lathe
from affordance_ros_tabletop.meshes import merged
from affordance_ros_tabletop.meshes import prism
from affordance_ros_tabletop.meshes import slab
from affordance_ros_tabletop.meshes import smooth
from affordance_ros_tabletop.meshes import tube
from affordance_ros_tabletop.shape import Piece


def scissors(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make open scissors: handle (two loops), blade (two)."""
    check_style('scissors', style, ('round', 'oval', 'shears', 'slim'))
    reach = {'round': 0.08, 'oval': 0.1, 'shears': 0.12, 'slim': 0.09}[style] * rng.uniform(
        0.9, 1.1
    )
    loop = {
        'round': (0.02, 0.02),
        'oval': (0.028, 0.019),
        'shears': (0.034, 0.018),
        'slim': (0.018, 0.014),
    }[style]
    half = rng.uniform(8, 22)
    w = 0.006 if style == 'slim' else 0.009
    role = str(rng.choice(['main', 'main', 'dark']))
    loops, blades = [], []
    for side in (-1, 1):
        blade = prism([[-0.01, -w * 0.6], [0, w], [reach, 0], [0.3 * reach, -w * 0.9]], 0, 0.0018)
        blades.append(blade.turned('z', side * half / 2).moved(z=0.004 + 0.001 * side))
        angle = np.linspace(0, 2 * np.pi, 22, endpoint=False)
        ring = np.stack(
            [-0.045 - loop[0] + loop[0] * np.cos(angle), loop[1] * np.sin(angle), 0 * angle], 1
        )
        shank = tube([[-0.005, 0, 0], [-0.03, 0, 0], [-0.05, 0, 0]], 0.0045, flat=0.8)
        one = merged(tube(ring, 0.0045, closed=True, around=10), shank)
        loops.append(one.turned('z', -side * half / 2).moved(y=side * -0.001, z=0.0046))
    spread = 0.011
    moved = [m.moved(y=s * spread * 0.4) for m, s in zip(loops, (1, -1), strict=True)]
    return [Piece('handle', role, merged(*moved)), Piece('blade', 'metal', merged(*blades))]


def hammer(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a hammer: handle, head."""
    check_style('hammer', style, ('claw', 'mallet', 'ball', 'sledge'))
    hold = rng.uniform(0.19, 0.25)
    thick = rng.uniform(0.009, 0.012)
    across = rng.uniform(0.08, 0.1)
    rise = 0.014
    if style == 'mallet':
        head = (
            lathe([[0, -0.5], [1, -0.5], [1, 0.5], [0, 0.5]], 24)
            .scaled(0.024, 0.024, across)
            .turned('x', 90)
        )
        rise = 0.024
    elif style == 'sledge':
        head = slab(0.036, across, 0.036, corner=0.006, bevel=0.004).moved(z=-0.018)
        rise = 0.018
    else:
        face = lathe([[0, 0], [1, 0], [1, 0.5], [0.7, 0.6], [0.7, 1], [0, 1]], 20)
        face = face.scaled(0.014, 0.014, across * 0.5).turned('x', -90).moved(y=-across * 0.5)
        eye = slab(0.024, 0.024, 0.024, bevel=0.003).moved(z=-0.012)
        if style == 'claw':
            claws = [
                tube(
                    smooth(
                        [
                            [d * 0.4, 0.008, 0.002],
                            [d, across * 0.3, 0],
                            [d * 1.3 - 0.012, across * 0.52, -0.003],
                        ],
                        8,
                    ),
                    np.linspace(0.007, 0.003, 8).tolist(),
                    flat=0.7,
                )
                for d in (-0.006, 0.006)
            ]
            head = merged(face, eye, *claws)
        else:
            head = merged(face, eye, ball(0.03, 0.03, 0.028).moved(y=across * 0.3))
    handle = grip(rng, hold, thick, 0.85)
    lift = rise - thick * 0.85
    handle = Mesh(
        handle.vertices + np.c_[0 * handle.vertices[:, :2], lift * handle.vertices[:, 0] / hold],
        handle.faces,
    )
    role = (
        'wood' if style == 'mallet' and rng.random() < 0.6 else str(rng.choice(['metal', 'dark']))
    )
    return [
        Piece('handle', str(rng.choice(['main', 'wood'])), handle),
        Piece('head', role, head.moved(x=hold, z=rise)),
    ]


def axe(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a hatchet: handle, head."""
    check_style('axe', style, ('bearded', 'felling', 'double'))
    hold = rng.uniform(0.23, 0.29)
    w = rng.uniform(0.05, 0.065)
    one = {
        'bearded': [
            [-0.016, -0.014],
            [0.016, -0.014],
            [0.02, 0.01],
            [0.022, w],
            [-0.055, w],
            [-0.018, 0.012],
        ],
        'felling': [
            [-0.016, -0.016],
            [0.016, -0.016],
            [0.018, 0.01],
            [0.034, w],
            [0, w + 0.006],
            [-0.034, w],
            [-0.018, 0.01],
        ],
        'double': [
            [-0.036, -w],
            [0, -w - 0.006],
            [0.036, -w],
            [0.015, 0],
            [0.036, w],
            [0, w + 0.006],
            [-0.036, w],
            [-0.015, 0],
        ],
    }[style]
    head = prism(one, -0.008, 0.008).moved(x=hold - 0.012, z=0.013)
    v = head.vertices.copy()
    edge = np.clip(np.abs(v[:, 1]) / w, 0, 1)
    v[:, 2] = 0.013 + (v[:, 2] - 0.013) * (1 - 0.85 * edge)
    return [
        Piece(
            'handle',
            str(rng.choice(['wood', 'main'])),
            grip(rng, hold, rng.uniform(0.01, 0.013), 0.85),
        ),
        Piece('head', 'metal', Mesh(v, head.faces)),
    ]


def tennis_racket(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a small racket: handle, frame and strings (head)."""
    check_style('tennis racket', style, ('oval', 'round', 'teardrop', 'paddle'))
    hold = rng.uniform(0.1, 0.13)
    rx = rng.uniform(0.07, 0.085)
    ry = rx * {'oval': 0.76, 'round': 0.97, 'teardrop': 0.8, 'paddle': 0.9}[style]
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    taper = 1 + (0.22 * np.cos(angle) if style == 'teardrop' else 0 * angle)
    mid = hold + rx + 0.02
    ring = np.stack([mid + rx * np.cos(angle), ry * np.sin(angle) * taper, np.full(40, 0.006)], 1)
    parts = [tube(ring, 0.0055, closed=True, around=10)]
    role = 'main'
    if style == 'paddle':
        parts.append(prism(ring[:, :2], 0.002, 0.01))
    else:
        for k in np.linspace(-0.82, 0.82, 9):
            y = ry * np.sqrt(1 - k**2) * (1 + (0.22 * k if style == 'teardrop' else 0))
            parts.append(slab(0.0022, 2 * y, 0.002).moved(x=mid + rx * k, z=0.005))
            parts.append(
                slab(2 * rx * np.sqrt(1 - k**2), 0.0022, 0.002).moved(x=mid, y=ry * k, z=0.0056)
            )
    parts.append(
        prism(
            [
                [hold - 0.005, 0.005],
                [hold + 0.03, 0.016],
                [hold + 0.03, -0.016],
                [hold - 0.005, -0.005],
            ],
            0.003,
            0.009,
        )
    )
    return [
        Piece('handle', str(rng.choice(['dark', 'wood', 'accent'])), grip(rng, hold, 0.011, 0.8)),
        Piece('head', role, merged(*parts)),
    ]


def baseball_bat(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a small bat: handle with a knob, barrel (body)."""
    check_style('baseball bat', style, ('classic', 'slim', 'club'))
    hold, reach = rng.uniform(0.12, 0.15), rng.uniform(0.15, 0.19)
    thin = rng.uniform(0.008, 0.01)
    fat = thin * {'classic': 2.2, 'slim': 1.7, 'club': 2.9}[style]
    bend = {'classic': 0.45, 'slim': 0.7, 'club': 0.25}[style]
    handle = lathe(
        [[0, 0], [thin * 1.7, 0.002], [thin * 1.7, 0.009], [thin, 0.016], [thin, hold], [0, hold]],
        24,
    )
    side = smooth(
        [
            [thin, hold],
            [thin + (fat - thin) * 0.6, hold + reach * bend],
            [fat, hold + reach * 0.85],
            [fat * 0.75, hold + reach],
        ],
        16,
    )
    barrel = lathe([[0, hold], *side, [0, hold + reach + 0.004]], 24)
    role = str(rng.choice(['main', 'wood']))
    pieces = [
        Piece('handle', str(rng.choice([role, 'dark', 'accent'])), handle),
        Piece('body', role, barrel),
    ]
    return [Piece(p.part, p.role, p.mesh.turned('y', 90).moved(z=fat)) for p in pieces]
