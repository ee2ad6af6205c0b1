# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Generated balls and flying discs."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.families.grips import check_style
from affordance_ros_tabletop.meshes import ball as ellipsoid
from affordance_ros_tabletop.meshes import lathe
from affordance_ros_tabletop.meshes import tube
from affordance_ros_tabletop.shape import Piece


def ball(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a ball: body (a seam or a band in a second colour)."""
    check_style('ball', style, ('banded', 'plain', 'seamed', 'oval'))
    d = rng.uniform(0.055, 0.095)
    stretch = 1.45 if style == 'oval' else 1.0
    core = ellipsoid(d * stretch, d, d)
    pieces = [Piece('body', 'print' if style == 'plain' else 'main', core.moved(z=d / 2))]
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    if style != 'plain':
        wobble = 0.5 if style == 'seamed' else 0.0
        lat = wobble * np.sin(2 * angle)
        ring = (
            np.stack(
                [np.cos(angle) * np.cos(lat) * stretch, np.sin(angle) * np.cos(lat), np.sin(lat)],
                1,
            )
            * d
            / 2
        )
        band = tube(ring, d * (0.02 if style == 'seamed' else 0.05), closed=True, around=8).turned(
            'x', rng.uniform(20, 70)
        )
        pieces.append(
            Piece('body', str(rng.choice(['accent', 'white', 'dark'])), band.moved(z=d / 2))
        )
    return pieces


def frisbee(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a flying disc lying rim down: body, rim."""
    check_style('frisbee', style, ('flat', 'domed', 'ring'))
    r, h = rng.uniform(0.075, 0.1), rng.uniform(0.014, 0.022)
    dome = 0.008 if style == 'domed' else 0.0015
    hole = r * 0.5 if style == 'ring' else 0.0
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ring = np.stack([np.cos(angle) * r, np.sin(angle) * r, np.full(48, h / 2)], 1)
    rim = tube(ring, 0.005, flat=h / 0.01, closed=True, around=12)
    if style == 'ring':
        mid = np.stack(
            [
                np.cos(angle) * (r + hole) / 2,
                np.sin(angle) * (r + hole) / 2,
                np.full(48, h - 0.003),
            ],
            1,
        )
        top = tube(mid, (r - hole) / 2, flat=0.003 / ((r - hole) / 2), closed=True, around=12)
    else:
        top = lathe([[0, h - 0.004 + dome], [r, h - 0.004], [r, h - 0.001], [0, h + dome]], 48)
    return [
        Piece('body', 'print' if rng.random() < 0.5 else 'main', top),
        Piece('rim', 'main', rim),
    ]
