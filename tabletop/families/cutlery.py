# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Generated cutlery and kitchen tools, lying along +x with the held end at x = 0."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.families.grips import check_style
from affordance_ros_tabletop.families.grips import grip
from affordance_ros_tabletop.families.grips import handle_role
from affordance_ros_tabletop.meshes import Mesh
from affordance_ros_tabletop.meshes import lathe
from affordance_ros_tabletop.meshes import merged
from affordance_ros_tabletop.meshes import prism
from affordance_ros_tabletop.meshes import slab
from affordance_ros_tabletop.meshes import smooth
from affordance_ros_tabletop.meshes import tube
from affordance_ros_tabletop.shape import Piece


def _cutlery_handle(rng: np.random.Generator, length: float) -> Mesh:
    """Make a flat metal handle along +x that widens towards its free end."""
    wide, thin = rng.uniform(0.006, 0.009), rng.uniform(0.003, 0.0042)
    radii = np.linspace(wide, thin, 14)
    path = np.stack([np.linspace(0, length, 14), np.zeros(14), np.full(14, 0.004)], 1)
    return tube(path, radii.tolist(), flat=0.35)


def _blade(outline: list[list[float]], thick: float = 0.0022) -> Mesh:
    return prism(outline, 0.002, 0.002 + thick)


def knife(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a knife: handle, blade."""
    check_style('knife', style, ('chef', 'table', 'paring', 'bread'))
    small = style in ('table', 'paring')
    hold = rng.uniform(0.09, 0.11)
    reach = rng.uniform(0.08, 0.11) if small else rng.uniform(0.13, 0.18)
    w = rng.uniform(0.008, 0.011) if small else rng.uniform(0.013, 0.02)
    x = hold - 0.004
    outline = {
        'chef': [
            [x, w],
            [x + 0.7 * reach, w],
            [x + reach, 0],
            [x + 0.8 * reach, -0.6 * w],
            [x + 0.5 * reach, -w],
            [x, -w],
        ],
        'table': [
            [x, 0.6 * w],
            [x + 0.3 * reach, w],
            [x + 0.9 * reach, w],
            [x + reach, 0.2 * w],
            [x + 0.85 * reach, -w],
            [x, -0.7 * w],
        ],
        'paring': [[x, w], [x + 0.6 * reach, 0.8 * w], [x + reach, -0.4 * w], [x, -w]],
        'bread': [
            [x, w],
            [x + reach, w],
            [x + reach, 0.1 * w],
            *[
                [x + reach * (1 - t), -w * (0.85 + 0.25 * (k % 2))]
                for k, t in enumerate(np.linspace(0.05, 1, 16))
            ],
        ],
    }[style]
    metal_grip = style == 'table' and rng.random() < 0.6
    handle = (
        _cutlery_handle(rng, hold) if metal_grip else grip(rng, hold, rng.uniform(0.0075, 0.0105))
    )
    role = 'metal' if metal_grip else handle_role(rng)
    return [Piece('handle', role, handle), Piece('blade', 'metal', _blade(outline))]


def cleaver(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a cleaver: handle, a broad blade."""
    check_style('cleaver', style, ('butcher', 'chinese', 'hooked'))
    hold, reach = rng.uniform(0.1, 0.12), rng.uniform(0.14, 0.18)
    w = rng.uniform(0.032, 0.045)
    x = hold - 0.006
    outline = {
        'butcher': [
            [x, 0.012],
            [x + reach, 0.012],
            [x + reach, -2 * w + 0.02],
            [x + 0.02, -2 * w + 0.02],
            [x, -0.012],
        ],
        'chinese': [
            [x, 0.014],
            [x + 0.95 * reach, 0.014],
            [x + reach, -w],
            [x + 0.95 * reach, -1.7 * w],
            [x + 0.015, -1.8 * w],
            [x, -0.012],
        ],
        'hooked': [
            [x, 0.012],
            [x + reach, 0.03],
            [x + reach, -1.2 * w],
            [x + 0.7 * reach, -1.7 * w],
            [x + 0.03, -1.5 * w],
            [x, -0.012],
        ],
    }[style]
    return [
        Piece('handle', handle_role(rng), grip(rng, hold, rng.uniform(0.01, 0.013))),
        Piece('blade', 'metal', _blade(outline, 0.003)),
    ]


def fork(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a fork: handle, tines."""
    check_style('fork', style, ('four', 'three', 'two', 'wide'))
    count = {'four': 4, 'three': 3, 'two': 2, 'wide': 4}[style]
    hold, reach = rng.uniform(0.1, 0.13), rng.uniform(0.045, 0.06)
    half = rng.uniform(0.014, 0.017) if style == 'wide' else rng.uniform(0.01, 0.013)
    root = prism(
        [
            [hold - 0.004, 0.003],
            [hold + 0.014, half],
            [hold + 0.02, half],
            [hold + 0.02, -half],
            [hold + 0.014, -half],
            [hold - 0.004, -0.003],
        ],
        0.003,
        0.0055,
    )
    rods = []
    for y in np.linspace(-half + 0.0017, half - 0.0017, count):
        bend = [
            [hold + 0.018, y, 0.0045],
            [hold + reach * 0.6, y, 0.003],
            [hold + reach, y, 0.007],
        ]
        rods.append(tube(smooth(bend, 8), np.linspace(0.0021, 0.0011, 8).tolist(), around=8))
    wooden = rng.random() < 0.3
    handle = grip(rng, hold, 0.0075) if wooden else _cutlery_handle(rng, hold)
    return [
        Piece('handle', handle_role(rng) if wooden else 'metal', handle),
        Piece('tines', 'metal', merged(root, *rods)),
    ]


def _dish(length: float, width: float, depth: float) -> Mesh:
    """Make a shallow hollow ellipse centred on the origin, open upwards."""
    profile = [
        [0, 0],
        [0.45, 0.06],
        [0.8, 0.4],
        [1, 1],
        [0.93, 1],
        [0.74, 0.5],
        [0.4, 0.2],
        [0, 0.15],
    ]
    return lathe(profile, 28).scaled(length / 2, width / 2, depth)


def spoon(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a spoon: handle, scoop."""
    check_style('spoon', style, ('oval', 'round', 'wooden', 'pointed'))
    hold = rng.uniform(0.17, 0.2) if style == 'wooden' else rng.uniform(0.1, 0.14)
    long = rng.uniform(0.05, 0.062)
    wide = long * {'oval': 0.66, 'round': 0.95, 'wooden': 0.75, 'pointed': 0.55}[style]
    scoop = _dish(long, wide, rng.uniform(0.007, 0.011)).moved(x=hold + long / 2 - 0.004)
    if style == 'pointed':
        v = scoop.vertices.copy()
        t = np.clip((v[:, 0] - hold) / long, 0, 1)
        v[:, 1] *= 1 - 0.5 * t**2
        scoop = Mesh(v, scoop.faces)
    role = 'wood' if style == 'wooden' else 'metal'
    wooden = style == 'wooden'
    handle = grip(rng, hold, 0.006, 0.9) if wooden else _cutlery_handle(rng, hold)
    return [Piece('handle', role, handle), Piece('scoop', role, scoop)]


def ladle(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a ladle: handle, a deep scoop."""
    check_style('ladle', style, ('deep', 'wide', 'oval'))
    across = rng.uniform(0.06, 0.075) if style != 'wide' else rng.uniform(0.075, 0.09)
    depth = {'deep': 0.032, 'wide': 0.022, 'oval': 0.026}[style] * rng.uniform(0.9, 1.1)
    hold = rng.uniform(0.15, 0.19)
    scoop = _dish(across, across * (0.7 if style == 'oval' else 1.0), depth).moved(
        x=hold + across / 2
    )
    path = smooth(
        [[0, 0, depth * 1.25], [hold * 0.6, 0, depth * 1.5], [hold + 0.006, 0, depth * 0.95]], 16
    )
    role = str(rng.choice(['main', 'metal', 'wood', 'dark']))
    handle = tube(path, np.linspace(0.008, 0.0045, 16).tolist(), flat=0.6)
    handle = handle.moved(z=-min(0.0, handle.vertices[:, 2].min()))
    return [
        Piece('handle', role, handle),
        Piece('scoop', role if role != 'dark' else 'metal', scoop),
    ]


def spatula(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a turner: handle, head."""
    check_style('spatula', style, ('plain', 'flared', 'slotted', 'rounded'))
    hold, reach = rng.uniform(0.14, 0.18), rng.uniform(0.07, 0.09)
    w = rng.uniform(0.026, 0.036)
    x = hold - 0.005
    if style == 'slotted':
        bars = [
            slab(reach * 0.75, w * 0.3, 0.003).moved(x=x + 0.02 + reach * 0.37, y=y)
            for y in np.linspace(-w * 0.85, w * 0.85, 4)
        ]
        ends = [slab(0.012, 2 * w, 0.003).moved(x=x + 0.02 + reach * k) for k in (0.0, 0.75)]
        head = merged(*bars, *ends, slab(0.03, 0.012, 0.003).moved(x=x + 0.008))
    else:
        front = {'plain': 1.0, 'flared': 1.35, 'rounded': 0.85}[style]
        outline = [
            [x, 0.005],
            [x + 0.02, 0.8 * w],
            [x + reach, front * w],
            [x + reach, -front * w],
            [x + 0.02, -0.8 * w],
            [x, -0.005],
        ]
        if style == 'rounded':
            arc = np.linspace(np.pi / 2, -np.pi / 2, 9)
            outline[2:4] = [[x + reach - 0.02 + 0.03 * np.cos(a), w * np.sin(a)] for a in arc]
        head = prism(outline, 0.0, 0.003)
    return [
        Piece('handle', handle_role(rng), grip(rng, hold, rng.uniform(0.007, 0.009))),
        Piece('head', str(rng.choice(['dark', 'main', 'metal', 'wood'])), head.moved(z=0.003)),
    ]
