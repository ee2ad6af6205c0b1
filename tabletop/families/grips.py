# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Handles that lie along +x, as cutlery, tools and brushes have them."""

from __future__ import annotations

import numpy as np

from affordance_ros_tabletop.meshes import Mesh
from affordance_ros_tabletop.meshes import smooth
from affordance_ros_tabletop.meshes import tube
from affordance_ros_tabletop.shape import unknown_style


def check_style(family: str, style: str, known: tuple[str, ...]) -> None:
    """Raise ValueError, naming the known styles, unless the style is one of them."""
    if style not in known:
        raise unknown_style(family, style, known)


def grip(rng: np.random.Generator, length: float, thick: float, flat: float = 0.7) -> Mesh:
    """Make a handle along +x from 0 to `length`, lying on z = 0."""
    knots = 6
    swell = np.r_[0.75, rng.uniform(0.85, 1.15, knots - 2), rng.uniform(0.7, 0.95)]
    radii = smooth(np.c_[swell, swell], 18)[:, 0] * thick
    path = np.stack([np.linspace(0, length, 18), np.zeros(18), np.full(18, thick * flat)], 1)
    return tube(path, radii.tolist(), flat=flat)


def handle_role(rng: np.random.Generator) -> str:
    """Draw what a handle is made of."""
    return str(rng.choice(['main', 'wood', 'dark']))
