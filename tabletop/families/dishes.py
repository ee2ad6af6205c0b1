# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Generated dishes: bowls, ramekins, plates, trays, baskets."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.families.hollow import BOWL_PROFILES
from affordance_ros_tabletop.families.hollow import CUP_PROFILES
from affordance_ros_tabletop.families.hollow import hollow
from affordance_ros_tabletop.families.hollow import profile_of
from affordance_ros_tabletop.meshes import Mesh
from affordance_ros_tabletop.meshes import merged
from affordance_ros_tabletop.meshes import slab
from affordance_ros_tabletop.meshes import smooth
from affordance_ros_tabletop.meshes import tube
from affordance_ros_tabletop.shape import Piece
from affordance_ros_tabletop.shape import unknown_style


def bowl(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a bowl: body, rim."""
    profile = profile_of('bowl', style, BOWL_PROFILES)
    radius = rng.uniform(0.055, 0.085)
    height = radius * rng.uniform(0.55, 0.95)
    body, rim = hollow(profile, radius, height, rng.uniform(0.003, 0.005), 0.2)
    role = 'print' if rng.random() < 0.35 else 'main'
    return [Piece('body', role, body), Piece('rim', 'main', rim)]


def ramekin(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a small ribbed baking dish: body, rim."""
    profile = profile_of(
        'ramekin',
        style,
        {
            'upright': CUP_PROFILES['straight'],
            'sloped': CUP_PROFILES['tapered'],
            'round': BOWL_PROFILES['steep'],
        },
    )
    radius = rng.uniform(0.036, 0.05)
    height = radius * rng.uniform(0.75, 1.05)
    body, rim = hollow(profile, radius, height, 0.005, 0.22)
    ribs = int(rng.integers(18, 30))
    angle = np.arctan2(body.vertices[:, 1], body.vertices[:, 0])
    wave = 1 + 0.03 * (np.abs(np.cos(angle * ribs / 2)) - 0.5)
    ribbed = body.vertices * np.stack([wave, wave, np.ones_like(wave)], 1)
    return [Piece('body', 'main', Mesh(ribbed, body.faces)), Piece('rim', 'main', rim)]


def plate(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a plate: body, rim (its raised border)."""
    shapes = {
        'flat': [(0.62, 0), (0.68, 0.25), (0.76, 0.6), (1, 1)],
        'coupe': [(0.5, 0), (0.75, 0.25), (0.9, 0.6), (1, 1)],
        'broad': [(0.5, 0), (0.56, 0.4), (0.6, 0.7), (1, 1)],
        'deep': [(0.55, 0), (0.72, 0.3), (0.76, 0.8), (1, 1)],
    }
    profile = profile_of('plate', style, shapes)
    radius = rng.uniform(0.075, 0.11)
    height = rng.uniform(0.03, 0.04) if style == 'deep' else rng.uniform(0.014, 0.022)
    body, rim = hollow(profile, radius, height, 0.004, 0.4)
    return [
        Piece('body', 'print' if rng.random() < 0.3 else 'main', body),
        Piece('rim', 'main', rim),
    ]


def tray(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a tray with two handles at its short sides: body, handle."""
    round_corner = {'square': 0.004, 'rounded': 0.03, 'oval': 0.075}
    if style not in round_corner:
        raise unknown_style('tray', style, tuple(round_corner))
    x, y, rise = rng.uniform(0.2, 0.27), rng.uniform(0.15, 0.19), rng.uniform(0.018, 0.032)
    corner = round_corner[style]
    base = slab(x, y, 0.006, corner=corner)
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    # A superellipse follows the rounded outline closely enough for a border.
    power = 2.2 if style == 'oval' else 5.0 if style == 'rounded' else 12.0
    c, s = np.cos(angle), np.sin(angle)
    path = np.stack(
        [
            np.sign(c) * np.abs(c) ** (2 / power) * x / 2,
            np.sign(s) * np.abs(s) ** (2 / power) * y / 2,
            np.full(60, rise / 2),
        ],
        1,
    )
    border = tube(path, 0.004, flat=rise / 0.008, around=10, closed=True)
    pieces = [Piece('body', 'main', merged(base, border))]
    role = str(rng.choice(['main', 'dark', 'metal', 'accent']))
    half = y * rng.uniform(0.2, 0.28)
    for side in (-1, 1):
        out = x / 2 + rng.uniform(0.022, 0.03)
        arc = smooth(
            [
                [side * (x / 2 - 0.002), -half, rise * 0.8],
                [side * out, -half * 0.75, rise],
                [side * out, half * 0.75, rise],
                [side * (x / 2 - 0.002), half, rise * 0.8],
            ],
            18,
        )
        pieces.append(Piece('handle', role, tube(arc, 0.0065)))
    return pieces


def basket(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a basket with a bow over it: body, handle."""
    profile = profile_of(
        'basket',
        style,
        {
            'round': BOWL_PROFILES['steep'],
            'bucket': CUP_PROFILES['tapered'],
            'drum': CUP_PROFILES['straight'],
        },
    )
    radius = rng.uniform(0.065, 0.085)
    height = radius * rng.uniform(0.8, 1.2)
    body, rim = hollow(profile, radius, height, 0.005, 0.15)
    angle = np.linspace(0, np.pi, 22)
    rise = radius * rng.uniform(0.9, 1.3)
    bow = np.stack(
        [np.cos(angle) * radius * 0.97, np.zeros(22), height * 0.9 + np.sin(angle) * rise], 1
    )
    stretch = rng.uniform(1.0, 1.35)
    return [
        Piece('body', 'print', merged(body, rim).scaled(1, stretch, 1)),
        Piece('handle', str(rng.choice(['main', 'wood', 'accent'])), tube(bow, 0.006, flat=1.5)),
    ]
