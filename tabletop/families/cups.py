# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Generated vessels to drink and pour from: mugs, cups, glasses, bottles, jugs."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.families.hollow import CUP_PROFILES
from affordance_ros_tabletop.families.hollow import ear
from affordance_ros_tabletop.families.hollow import hollow
from affordance_ros_tabletop.families.hollow import profile_of
from affordance_ros_tabletop.meshes import Mesh
from affordance_ros_tabletop.meshes import lathe
from affordance_ros_tabletop.meshes import merged
from affordance_ros_tabletop.meshes import smooth
from affordance_ros_tabletop.shape import Piece


def mug(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a mug: body, rim, handle."""
    profile = profile_of('mug', style, CUP_PROFILES)
    radius, height = rng.uniform(0.034, 0.05), rng.uniform(0.07, 0.115)
    body, rim = hollow(profile, radius, height, rng.uniform(0.003, 0.0055), 0.2)
    handle = ear(rng, smooth(profile, 30), radius, height, rng.uniform(0.018, 0.034))
    role = 'print' if rng.random() < 0.5 else 'main'
    trim = 'main' if rng.random() < 0.7 else 'accent'
    return [Piece('body', role, body), Piece('rim', role, rim), Piece('handle', trim, handle)]


def cup(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a tumbler without a handle: body, rim."""
    profile = profile_of('cup', style, CUP_PROFILES)
    radius = rng.uniform(0.03, 0.042)
    body, rim = hollow(profile, radius, rng.uniform(0.08, 0.14), rng.uniform(0.002, 0.004), 0.22)
    role = 'print' if rng.random() < 0.4 else 'main'
    return [Piece('body', role, body), Piece('rim', role, rim)]


def wine_glass(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a glass on a stem: foot and bowl (body), stem, rim."""
    bowls = {
        'tulip': [(0.12, 0), (0.7, 0.16), (1, 0.45), (0.84, 1)],
        'wide': [(0.12, 0), (0.85, 0.25), (1, 0.6), (0.95, 1)],
        'flute': [(0.14, 0), (0.8, 0.2), (1, 0.5), (0.95, 1)],
        'cone': [(0.1, 0), (0.4, 0.33), (0.7, 0.66), (1, 1)],
    }
    profile = profile_of('wine glass', style, bowls)
    radius = rng.uniform(0.026, 0.032) if style == 'flute' else rng.uniform(0.034, 0.045)
    bowl_height = rng.uniform(0.1, 0.13) if style == 'flute' else rng.uniform(0.06, 0.085)
    stem = rng.uniform(0.06, 0.09)
    body, rim = hollow(profile, radius, bowl_height, 0.0022, 0.25)
    foot = radius * rng.uniform(0.75, 0.95)
    base = lathe([[0, 0], [foot, 0], [foot, 0.003], [0.008, 0.007], [0, 0.007]])
    rod = lathe(
        [
            [0, 0.005],
            [0.006, 0.006],
            [0.004, 0.02],
            [0.004, stem],
            [0.007, stem + 0.006],
            [0, stem + 0.007],
        ],
        16,
    )
    return [
        Piece('body', 'main', merged(base, body.moved(z=stem))),
        Piece('stem', 'main', rod),
        Piece('rim', 'main', rim.moved(z=stem)),
    ]


def bottle(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a bottle: body, neck, cap."""
    shoulders = {
        'sloped': [(1, 0.0), (0.95, 0.25), (0.6, 0.65), (0.36, 1.0)],
        'square': [(1, 0.0), (1.0, 0.45), (0.85, 0.8), (0.36, 1.0)],
        'round': [(1, 0.0), (0.9, 0.4), (0.65, 0.75), (0.36, 1.0)],
        'waisted': [(1, 0.0), (0.8, 0.35), (0.7, 0.6), (0.34, 1.0)],
    }
    shoulder = smooth(profile_of('bottle', style, shoulders), 12)
    radius, height = rng.uniform(0.028, 0.04), rng.uniform(0.18, 0.26)
    straight, neck = height * rng.uniform(0.48, 0.62), height * rng.uniform(0.16, 0.26)
    top = height - neck - 0.016
    slope = np.c_[shoulder[:, 0] * radius, straight + shoulder[:, 1] * (top - straight)]
    waist = [[radius * 0.9, straight * 0.55]] if style == 'waisted' else []
    side = smooth([[radius, 0.006], *waist, [radius, straight]], 12)
    body = lathe([[0, 0], [radius * 0.92, 0], *side, *slope[1:], [0, top]])
    thin = slope[-1, 0]
    throat = lathe(
        [[0, top - 0.002], [thin, top - 0.002], [thin * 0.92, top + neck], [0, top + neck]]
    )
    cap = lathe([[0, 0], [thin * 1.12, 0], [thin * 1.12, 0.017], [0, 0.018]]).moved(
        z=top + neck - 0.002
    )
    return [
        Piece('body', 'print' if rng.random() < 0.6 else 'main', body),
        Piece('neck', 'main', throat),
        Piece('cap', str(rng.choice(['accent', 'dark', 'metal', 'white'])), cap),
    ]


def jug(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a jug: body, handle, spout (a lip drawn out of the rim)."""
    profile = profile_of(
        'jug',
        style,
        {
            'belly': CUP_PROFILES['belly'],
            'tapered': [(1, 0), (0.95, 0.3), (0.75, 0.7), (0.7, 1)],
            'barrel': CUP_PROFILES['barrel'],
        },
    )
    radius, height = rng.uniform(0.045, 0.058), rng.uniform(0.13, 0.18)
    body, rim = hollow(profile, radius, height, 0.004, 0.16)
    # Draw the rim out towards -x into a lip.
    v = rim.vertices.copy()
    toward = np.clip(-v[:, 0] / np.hypot(v[:, 0], v[:, 1]), 0, 1) ** 6
    lift = np.clip((v[:, 2] - v[:, 2].min()) / np.ptp(v[:, 2]), 0, 1)
    v[:, 0] -= toward * lift * rng.uniform(0.018, 0.028)
    v[:, 2] += toward * lift * 0.006
    v[:, 1] *= 1 - 0.4 * toward * lift
    lip = toward[rim.faces].max(1) > 0.25
    handle = ear(rng, smooth(profile, 30), radius, height, rng.uniform(0.026, 0.038))
    handle = Mesh(handle.vertices * np.array([1.0, 1.25, 1.0]), handle.faces)
    pieces = [
        Piece('body', 'print' if rng.random() < 0.4 else 'main', body),
        Piece('handle', 'main', handle),
        Piece('spout', 'main', Mesh(v, rim.faces[lip])),
        Piece('body', 'main', Mesh(v, rim.faces[~lip])),
    ]
    return pieces
