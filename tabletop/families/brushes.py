# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Generated brushes and pens, lying along +x with the held end at x = 0."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.families.grips import check_style
from affordance_ros_tabletop.families.grips import grip
from affordance_ros_tabletop.meshes import Mesh
from affordance_ros_tabletop.meshes import lathe
from affordance_ros_tabletop.meshes import merged
from affordance_ros_tabletop.meshes import slab
from affordance_ros_tabletop.meshes import smooth
from affordance_ros_tabletop.meshes import tube
from affordance_ros_tabletop.shape import Piece


def _bristles(x: float, length: float, width: float, height: float, step: float) -> Mesh:
    tufts = [
        slab(step * 0.7, step * 0.7, height).moved(x=a, y=b)
        for a in np.arange(x, x + length, step)
        for b in np.arange(-width / 2, width / 2 + 1e-6, step)
    ]
    return merged(*tufts)


def toothbrush(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a toothbrush lying on its back: handle, bristles."""
    check_style('toothbrush', style, ('straight', 'bent', 'fat', 'slim'))
    hold = rng.uniform(0.14, 0.165)
    thick = {'straight': 0.0062, 'bent': 0.006, 'fat': 0.0095, 'slim': 0.0045}[style]
    dip = 0.006 if style == 'bent' else 0.0
    path = smooth(
        [
            [0, 0, thick * 0.7 + dip],
            [hold * 0.4, 0, thick * 0.7],
            [hold * 0.72, 0, thick * 0.6 + dip],
            [hold, 0, thick * 0.6],
            [hold + 0.028, 0, thick * 0.6],
        ],
        22,
    )
    radii = smooth(np.c_[[thick, thick * 1.2, thick * 0.6, 0.0062, 0.0058]].repeat(2, 1), 22)[:, 0]
    handle = tube(path, radii.tolist(), flat=0.65)
    tufts = _bristles(hold - 0.004, 0.03, 0.0085, rng.uniform(0.01, 0.013), 0.0042).moved(
        z=thick * 0.8
    )
    return [
        Piece('handle', 'main', handle),
        Piece('bristles', str(rng.choice(['white', 'accent'])), tufts),
    ]


def paintbrush(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a flat or round paint brush: handle, bristles (and a metal ferrule, body)."""
    check_style('paintbrush', style, ('flat', 'broad', 'round'))
    hold = rng.uniform(0.1, 0.13)
    w = {'flat': 0.016, 'broad': 0.028, 'round': 0.009}[style] * rng.uniform(0.9, 1.15)
    flat = 0.9 if style == 'round' else 0.32
    height = w * flat
    ferrule = tube(
        [[hold - 0.006, 0, height], [hold + 0.01, 0, height], [hold + 0.022, 0, height]],
        [0.009 if w > 0.012 else 0.006, w, w],
        flat=flat,
    )
    hair = tube(
        smooth(
            [[hold + 0.02, 0, height], [hold + 0.045, 0, height], [hold + 0.065, 0, height * 0.8]],
            8,
        ),
        np.r_[
            np.full(5, w * 0.95), w * 0.9, w * 0.8, w * (0.3 if style == 'round' else 0.75)
        ].tolist(),
        flat=flat,
    )
    return [
        Piece(
            'handle',
            str(rng.choice(['main', 'wood'])),
            grip(rng, hold, rng.uniform(0.006, 0.009), 0.7),
        ),
        Piece('body', 'metal', ferrule),
        Piece('bristles', str(rng.choice(['wood', 'dark', 'white'])), hair),
    ]


def pen(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a pen: barrel (body), grip (where fingers go), tip."""
    check_style('pen', style, ('ballpoint', 'marker', 'fountain', 'slim'))
    r = {'ballpoint': 0.0052, 'marker': 0.0085, 'fountain': 0.0065, 'slim': 0.004}[
        style
    ] * rng.uniform(0.9, 1.1)
    hold = rng.uniform(0.085, 0.1)
    body = lathe([[0, 0], [0.7 * r, 0], [r, 0.006], [r, hold], [0, hold]], 16)
    grip_long = rng.uniform(0.03, 0.038)
    grip = lathe(
        [
            [0, hold],
            [r * 1.06, hold],
            [r * 1.1, hold + grip_long * 0.6],
            [r * 0.8, hold + grip_long],
            [0, hold + grip_long],
        ],
        16,
    )
    end = hold + grip_long
    tip = lathe([[0, end], [r * 0.75, end], [r * 0.22, end + 0.013], [0, end + 0.015]], 16)
    clip = (
        slab(0.045, 0.0035, 0.002).turned('y', -90).moved(x=r + 0.002, z=0.008)
        if style != 'marker'
        else None
    )
    stand = [
        Piece('body', 'main', body if clip is None else merged(body, clip)),
        Piece('grip', str(rng.choice(['dark', 'accent', 'main'])), grip),
        Piece('tip', str(rng.choice(['metal', 'dark'])), tip),
    ]
    return [Piece(p.part, p.role, p.mesh.turned('y', 90).moved(z=r * 1.1)) for p in stand]


def pencil(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a pencil: body, grip (where fingers go), tip, and an eraser for some."""
    check_style('pencil', style, ('hexagonal', 'round', 'triangular'))
    around = {'hexagonal': 6, 'round': 16, 'triangular': 3}[style]
    r, hold = rng.uniform(0.004, 0.0055), rng.uniform(0.09, 0.13)
    body = lathe([[0, 0], [r, 0], [r, hold], [0, hold]], around)
    grip = lathe([[0, hold], [r, hold], [r, hold + 0.034], [0, hold + 0.034]], around)
    end = hold + 0.034
    tip = lathe([[0, end], [r, end], [0.0008, end + 0.02], [0, end + 0.0201]], around)
    eraser = lathe([[0, -0.012], [r * 0.95, -0.012], [r * 0.95, 0.001], [0, 0.001]], 16)
    stand = [
        Piece('body', 'main', body),
        Piece('grip', 'main', grip),
        Piece('tip', 'wood', tip),
        Piece('body', 'accent', eraser),
    ]
    return [Piece(p.part, p.role, p.mesh.turned('y', 90).moved(z=r)) for p in stand]
