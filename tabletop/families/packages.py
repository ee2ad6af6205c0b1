# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Generated packages and books."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.families.grips import check_style
from affordance_ros_tabletop.meshes import Mesh
from affordance_ros_tabletop.meshes import lathe
from affordance_ros_tabletop.meshes import merged
from affordance_ros_tabletop.meshes import slab
from affordance_ros_tabletop.meshes import smooth
from affordance_ros_tabletop.shape import Piece
from affordance_ros_tabletop.shape import unknown_style


def can(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a tin can: body, lid."""
    sizes = {
        'food': (0.033, 0.042, 2.2, 2.9),
        'tuna': (0.04, 0.05, 0.75, 1.1),
        'drink': (0.026, 0.032, 3.4, 4.2),
    }
    if style not in sizes:
        raise unknown_style('can', style, tuple(sizes))
    low, high, short, tall = sizes[style]
    radius = rng.uniform(low, high)
    height = radius * rng.uniform(short, tall)
    neck = 0.82 if style == 'drink' else 0.97
    body = lathe(
        [
            [0, 0],
            [radius * 0.95, 0],
            [radius, 0.004],
            [radius, height - 0.012],
            [radius * neck, height - 0.003],
            [0, height - 0.003],
        ]
    )
    lid = lathe(
        [
            [0, height - 0.004],
            [radius * neck * 1.02, height - 0.004],
            [radius * neck * 1.02, height],
            [radius * neck * 0.9, height],
            [radius * neck * 0.88, height - 0.002],
            [0, height - 0.002],
        ]
    )
    tab = slab(0.02, 0.012, 0.0025, corner=0.005).moved(x=0.006, z=height - 0.001)
    return [Piece('body', 'print', body), Piece('lid', 'metal', merged(lid, tab))]


def carton(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a drink carton: body, and the top that opens."""
    check_style('carton', style, ('gable', 'brick', 'screw'))
    x, y = rng.uniform(0.05, 0.068), rng.uniform(0.05, 0.068)
    h = rng.uniform(0.11, 0.16)
    body = slab(x, y, h, corner=0.003)
    if style == 'gable':
        roof = slab(x, y, 0.03).moved(z=h)
        v = roof.vertices.copy()
        v[v[:, 2] > h + 0.01, 1] *= 0.06
        fin = slab(x, 0.004, 0.014).moved(z=h + 0.029)
        top = merged(Mesh(v, roof.faces), fin)
    elif style == 'brick':
        flap = slab(x * 0.99, y * 0.4, 0.008, corner=0.002, bevel=0.002).moved(z=h + 0.008)
        top = merged(slab(x, y, 0.009, corner=0.003).moved(z=h), flap)
    else:
        screw = lathe([[0, 0], [0.014, 0], [0.014, 0.016], [0, 0.017]]).moved(z=h + 0.011)
        top = merged(slab(x, y, 0.012, corner=0.003, bevel=0.003).moved(z=h), screw)
    return [
        Piece('body', 'print', body),
        Piece('top', str(rng.choice(['main', 'white', 'accent'])), top),
    ]


def box(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a cardboard box or package: body."""
    sizes = {
        'flat': (0.12, 0.08, 0.03),
        'cube': (0.08, 0.08, 0.075),
        'tall': (0.1, 0.04, 0.14),
        'long': (0.17, 0.05, 0.045),
    }
    check_style('box', style, tuple(sizes))
    x, y, z = np.array(sizes[style]) * rng.uniform(0.85, 1.15, 3)
    tape = slab(x * 1.004, y * 0.14, z * 1.004)
    return [Piece('body', 'print', slab(x, y, z, corner=0.002)), Piece('body', 'accent', tape)]


def sauce_bottle(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a squeeze bottle: body, cap."""
    check_style('sauce bottle', style, ('flat', 'round', 'pinched', 'cone'))
    r, h = rng.uniform(0.024, 0.032), rng.uniform(0.12, 0.16)
    side = {
        'flat': [[r, 0.004], [r * 1.05, h * 0.5], [r * 0.95, h * 0.85], [r * 0.55, h]],
        'round': [[r, 0.004], [r, h * 0.5], [r, h * 0.85], [r * 0.5, h]],
        'pinched': [[r, 0.004], [r * 0.8, h * 0.45], [r * 0.95, h * 0.75], [r * 0.5, h]],
        'cone': [[r * 1.1, 0.004], [r, h * 0.35], [r * 0.75, h * 0.75], [r * 0.5, h]],
    }[style]
    squash = 0.65 if style in ('flat', 'pinched') else 1.0
    curve = smooth(side, 20)
    body = lathe([[0, 0], [r * 0.9, 0], *curve, [0, h]], squash=squash)
    neck = curve[-1, 0]
    nozzle = style in ('cone', 'round')
    tip = (
        [[neck * 0.5, 0.016], [0.003, 0.038], [0, 0.038]]
        if nozzle
        else [[neck, 0.024], [0, 0.026]]
    )
    cap = lathe([[0, -0.002], [neck * 1.08, -0.002], [neck * 1.02, 0.014], *tip]).moved(z=h)
    return [
        Piece('body', 'print', body),
        Piece('cap', str(rng.choice(['accent', 'white', 'dark', 'main'])), cap),
    ]


def book(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a closed book lying down: cover, pages (body), spine."""
    sizes = {
        'paperback': (0.11, 0.16, 0.018),
        'hardback': (0.14, 0.19, 0.034),
        'square': (0.16, 0.16, 0.024),
        'notebook': (0.12, 0.17, 0.01),
    }
    check_style('book', style, tuple(sizes))
    x, y, z = np.array(sizes[style]) * rng.uniform(0.88, 1.12, 3)
    lip = 0.004 if style == 'hardback' else 0.001
    pages = slab(x - 2 * lip, y - 2 * lip, z - 0.003).moved(z=0.0015)
    lids = merged(slab(x, y, 0.002), slab(x, y, 0.002).moved(z=z - 0.002))
    spine = slab(0.003, y, z).moved(x=-x / 2)
    return [
        Piece('pages', 'white', pages),
        Piece('cover', 'print', lids),
        Piece('spine', 'main', spine),
    ]
