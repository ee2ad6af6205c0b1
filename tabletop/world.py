# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""One compiled MuJoCo model that holds many objects, of which each scene shows a few.

Compiling costs about a second, so a shard of scenes shares one model: what a scene doesn't show
is hidden by its geom_group, and poses, colours, lights and the camera are set per scene.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.catalogue import Catalogue
from affordance_ros_tabletop.catalogue import ObjectType
from affordance_ros_tabletop.catalogue import Scanned
from affordance_ros_tabletop.gl import mujoco
from affordance_ros_tabletop.meshes import Floats
from affordance_ros_tabletop.modelling import Images
from affordance_ros_tabletop.modelling import add_object
from affordance_ros_tabletop.modelling import add_surfaces
from affordance_ros_tabletop.modelling import empty_spec
from affordance_ros_tabletop.modelling import fill_textures
from affordance_ros_tabletop.modelling import quaternion_matrix
from affordance_ros_tabletop.parts import PartRules
from affordance_ros_tabletop.parts import bind_rules
from affordance_ros_tabletop.planning import Plan
from affordance_ros_tabletop.planning import plan_instances
from affordance_ros_tabletop.sampling import outline_points
from affordance_ros_tabletop.sampling import spread_points

HIDDEN_GROUP = 5
POINTS_PER_ACTION = 24


@dataclass(frozen=True)
class Look:
    """How one geom of an object gets its colour: its geom, material and role."""

    geom: int
    material: int
    role: str


@dataclass(frozen=True)
class Instance:
    """One object of the model.

    Attributes:
        name: unique in the model.
        kind: its type.
        source: 'scanned:<name>' or 'generated:<family>/<style>/<seed>'.
        body: MuJoCo body id.
        looks: its geoms.
        stand: (3, 3) rotation that stands it up.
        stretch: (3,) factors on its own axes.
        vertices: (V, 3) metres, its own frame.
        geom_parts: part value of each of its geoms; -1 where `rules` decide.
        rules: part rules of a scanned object, or None.
        points: action -> (P, 3) affordance points, metres, its own frame.
        colour: its colour, or None where each scene paints it.
        supports: height in metres at which small things may lie on it, or None.
    """

    name: str
    kind: ObjectType
    source: str
    body: int
    looks: tuple[Look, ...]
    stand: Floats
    stretch: Floats
    vertices: Floats
    geom_parts: dict[int, int]
    rules: PartRules | None
    points: dict[str, Floats]
    colour: str | None
    supports: float | None


@dataclass(frozen=True)
class World:
    """A compiled model and what is in it."""

    model: mujoco.MjModel
    data: mujoco.MjData
    instances: tuple[Instance, ...]
    surfaces: tuple[int, ...]
    base_rgba: NDArray[np.float32]


def build_world(
    catalogue: Catalogue,
    nouns: list[str],
    *,
    split: str,
    rng: np.random.Generator,
    width: int,
    height: int,
) -> World:
    """Compile a model with instances of the given nouns from one split."""
    spec = empty_spec(width, height)
    images: Images = {}
    surfaces = add_surfaces(spec, images, rng)
    plans = plan_instances(catalogue, nouns, split, rng)
    for plan in plans:
        add_object(spec, images, plan, rng)
    model = spec.compile()
    fill_textures(model, images)
    data = mujoco.MjData(model)
    instances = tuple(_instance(catalogue, model, plan, rng) for plan in plans)
    return World(
        model,
        data,
        instances,
        tuple(model.material(s).id for s in surfaces),
        model.mat_rgba.copy(),
    )


def _instance(
    catalogue: Catalogue, model: mujoco.MjModel, plan: Plan, rng: np.random.Generator
) -> Instance:
    body = model.body(plan.name).id
    geoms = [int(g) for g in np.flatnonzero(model.geom_bodyid == body)]
    vertices, triangles = [], []
    for g in geoms:
        k = model.geom_dataid[g]
        v = model.mesh_vert[model.mesh_vertadr[k] :][: model.mesh_vertnum[k]]
        f = model.mesh_face[model.mesh_faceadr[k] :][: model.mesh_facenum[k]]
        v = v @ quaternion_matrix(tuple(model.geom_quat[g])).T + model.geom_pos[g]
        vertices.append(v)
        triangles.append(v[f])
    everything = np.concatenate(vertices)
    rules = None
    if plan.item is not None:
        used = plan.kind.part_rules
        values = [catalogue.part_value(r['part']) for r in used]
        rules = bind_rules(used, values, plan.item.up, everything / plan.stretch)
        geom_parts = dict.fromkeys(geoms, -1)
        parts = [rules.classify(t.mean(1) / plan.stretch) for t in triangles]
    else:
        geom_parts = {
            g: catalogue.part_value(p.part) for g, p in zip(geoms, plan.pieces, strict=True)
        }
        parts = [
            np.full(len(t), geom_parts[g], np.uint8) for t, g in zip(triangles, geoms, strict=True)
        ]
    points = {}
    for action, names in plan.kind.actions.items():
        wanted = [catalogue.part_value(n) for n in names]
        chosen = np.concatenate(
            [
                t if names == ('whole',) else t[np.isin(p, wanted)]
                for t, p in zip(triangles, parts, strict=True)
            ]
        )
        if len(chosen):
            points[action] = spread_points(chosen, POINTS_PER_ACTION, rng)
    colour = _settle_colour(plan)
    looks = tuple(
        Look(g, int(model.geom_matid[g]), r) for g, r in zip(geoms, plan.roles, strict=True)
    )
    supports = _support_height(plan, everything)
    return Instance(
        name=plan.name,
        kind=plan.kind,
        source=plan.source,
        body=body,
        looks=looks,
        stand=_stand(plan.item),
        stretch=plan.stretch,
        vertices=outline_points(everything),
        geom_parts=geom_parts,
        rules=rules,
        points=points,
        colour=colour,
        supports=supports,
    )


# What a generated object without a painted piece is called by: the material of its first piece.
_MATERIAL_COLOURS = {'metal': 'silver', 'wood': 'brown', 'dark': 'black', 'white': 'white'}


def _settle_colour(plan: Plan) -> str | None:
    """Return the colour that an instance always has, or None where each scene paints it.

    A generated object must wear the colour that it is called by, so where no piece is painted an
    accent takes the paint, or the object goes by its material.
    """
    if plan.item is not None:
        return plan.item.colour
    if not {'main', 'print'} & set(plan.roles):
        if 'accent' not in plan.roles:
            return _MATERIAL_COLOURS[plan.roles[0]]
        plan.roles[:] = ['main' if r == 'accent' else r for r in plan.roles]
    return None


def _support_height(plan: Plan, vertices: Floats) -> float | None:
    """Return the height of the middle of a plate, tray or book that lies flat."""
    if plan.item is not None or plan.kind.name not in ('plate', 'tray', 'book'):
        return None
    middle = np.hypot(vertices[:, 0], vertices[:, 1]) < 0.4 * np.ptp(vertices[:, 1])
    return float(vertices[middle | (plan.kind.name == 'book'), 2].max())


def _stand(item: Scanned | None) -> Floats:
    if item is not None and item.up == 'y':
        return np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    return np.eye(3)
