# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What a generated object is made of: pieces, each a closed mesh that is one named part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from affordance_ros_tabletop.meshes import Mesh

# What a piece looks like. 'main' takes the object's named colour, 'print' as well but with a
# random texture over it; the others keep to their own range.
ROLES = ('main', 'print', 'metal', 'wood', 'dark', 'white', 'accent', 'screen', 'stem', 'glass')


@dataclass(frozen=True)
class Piece:
    """One part of a generated object.

    Attributes:
        part: the part's name, or 'body' for what has no name of its own.
        role: one of `ROLES`.
        mesh: metres, in the object's own frame: z up, standing on z = 0.
    """

    part: str
    role: str
    mesh: Mesh


Family = Callable[[np.random.Generator, str], list[Piece]]


def unknown_style(family: str, style: str, known: tuple[str, ...]) -> ValueError:
    """Return the error for a style that a family doesn't have."""
    return ValueError(f'{family} has no style {style!r}; it has {", ".join(known)}')
