# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Choose which instances a model holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from affordance_ros_tabletop.catalogue import Catalogue
from affordance_ros_tabletop.catalogue import ObjectType
from affordance_ros_tabletop.catalogue import Scanned
from affordance_ros_tabletop.families import FAMILIES
from affordance_ros_tabletop.meshes import Floats
from affordance_ros_tabletop.shape import Piece


@dataclass(frozen=True)
class Plan:
    """An instance before it is in a model.

    Attributes:
        name: unique in the model.
        kind: its type.
        source: 'scanned:<name>' or 'generated:<family>/<style>/<seed>'.
        item: what to read for a scanned one, or None.
        pieces: what a generated one is made of.
        stretch: (3,) factors on its own axes.
        roles: the look of each geom, filled in while the model is made.
    """

    name: str
    kind: ObjectType
    source: str
    item: Scanned | None
    pieces: list[Piece]
    stretch: Floats
    roles: list[str]


def plan_instances(
    catalogue: Catalogue, nouns: list[str], split: str, rng: np.random.Generator
) -> list[Plan]:
    """Choose the instances of a model: one to three of each noun that the split has."""
    plans: list[Plan] = []
    for noun in nouns:
        kind = catalogue.types[noun]
        if not kind.has(split):
            continue
        scanned = [s for s in kind.scanned.values() if s.split == split]
        generated = kind.generated
        made = int(rng.integers(1, 3)) if generated else 0
        taken = min(len(scanned), int(rng.integers(0, 3)) if generated else 2)
        for k in rng.permutation(len(scanned))[:taken]:
            item = scanned[k]
            stretch = rng.uniform(0.85, 1.2) * rng.uniform(0.9, 1.1, 3)
            plans.append(
                Plan(f'{noun}/{item.name}', kind, f'scanned:{item.name}', item, [], stretch, [])
            )
        for k in range(made):
            assert generated is not None
            style = str(rng.choice(generated.styles(split)))
            # Splits never share a seed, and so never a shape, even where they share a style.
            seed = int(rng.integers(0, 2**30)) * 3 + ('train', 'val', 'test').index(split)
            pieces = FAMILIES[generated.family](np.random.default_rng(seed), style)
            plans.append(
                Plan(
                    f'{noun}/{k}',
                    kind,
                    f'generated:{generated.family}/{style}/{seed}',
                    None,
                    pieces,
                    rng.uniform(0.9, 1.1, 3),
                    [],
                )
            )
    return plans
