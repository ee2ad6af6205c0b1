# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Put surfaces, lights and objects into a MuJoCo specification."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.assets import background_files
from affordance_ros_tabletop.assets import texture_pixels
from affordance_ros_tabletop.assets import visuals
from affordance_ros_tabletop.gl import mujoco
from affordance_ros_tabletop.meshes import Floats
from affordance_ros_tabletop.planning import Plan
from affordance_ros_tabletop.textures import printed
from affordance_ros_tabletop.textures import surface

SCANNED_SURFACES, DRAWN_SURFACES, PRINTS = 12, 12, 10
Images = dict[str, NDArray[np.uint8]]


def empty_spec(width: int, height: int) -> mujoco.MjSpec:
    """Start a specification: lights, the camera, nothing on the table yet."""
    spec = mujoco.MjSpec()
    spec.stat.extent = 1.0
    spec.stat.center = [0, 0, 0]
    visual = spec.visual
    visual.global_.offwidth, visual.global_.offheight = width, height
    visual.quality.shadowsize, visual.quality.offsamples = 1024, 4
    visual.map.znear, visual.map.zfar = 0.02, 12.0
    visual.headlight.ambient = [0.35] * 3
    visual.headlight.diffuse = [0.3] * 3
    visual.headlight.specular = [0.0] * 3
    spec.worldbody.add_camera(name='camera')
    for k in range(2):
        spec.worldbody.add_light(
            name=f'light{k}',
            pos=[0, 0, 1.5],
            dir=[0, 0, -1],
            castshadow=k == 0,
            type=mujoco.mjtLightType.mjLIGHT_SPOT,
            cutoff=75,
            exponent=2,
        )
    return spec


def _texture(spec: mujoco.MjSpec, images: Images, name: str, pixels: NDArray[np.uint8]) -> None:
    """Make room for a texture; its pixels are copied in after compiling, which is far quicker."""
    spec.add_texture(
        name=name,
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        width=pixels.shape[1],
        height=pixels.shape[0],
        nchannel=3,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
    )
    images[name] = pixels


def fill_textures(model: mujoco.MjModel, images: Images) -> None:
    """Copy images into the textures of a compiled model."""
    for name, pixels in images.items():
        start = model.tex_adr[model.texture(name).id]
        model.tex_data[start : start + pixels.size] = pixels.ravel()


def _material(
    spec: mujoco.MjSpec,
    name: str,
    *,
    texture: str | None = None,
    rgba: tuple[float, ...] = (1, 1, 1, 1),
    shine: float = 0.3,
    repeat: float = 1.0,
) -> None:
    material = spec.add_material(
        name=name, rgba=list(rgba), specular=shine, shininess=shine, texrepeat=[repeat, repeat]
    )
    if texture is not None:
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = texture


def add_surfaces(spec: mujoco.MjSpec, images: Images, rng: np.random.Generator) -> list[str]:
    """Add the table, floor and walls; return the materials that scenes choose for them."""
    for k in range(PRINTS):
        _texture(spec, images, f'print{k}', printed(rng))
    files = background_files()
    choices = [texture_pixels(files[k]) for k in rng.permutation(len(files))[:SCANNED_SURFACES]]
    choices += [surface(rng) for _ in range(DRAWN_SURFACES)]
    names = []
    for k, pixels in enumerate(choices):
        names.append(f'surface{k}')
        _texture(spec, images, names[-1], pixels)
        _material(spec, names[-1], texture=names[-1], repeat=float(rng.uniform(1, 4)))
    world = spec.worldbody
    world.add_geom(
        name='table',
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[0.6, 0.6, 0.02],
        pos=[0, 0, -0.02],
        material=names[0],
        contype=0,
        conaffinity=0,
    )
    plane = mujoco.mjtGeom.mjGEOM_PLANE
    world.add_geom(
        name='floor',
        type=plane,
        size=[4, 4, 0.1],
        pos=[0, 0, -0.7],
        material=names[0],
        contype=0,
        conaffinity=0,
    )
    half = np.sqrt(0.5)
    walls = [
        ([0, 2, 0], [half, half, 0, 0]),
        ([0, -2, 0], [half, -half, 0, 0]),
        ([2, 0, 0], [half, 0, -half, 0]),
        ([-2, 0, 0], [half, 0, half, 0]),
    ]
    for k, (where, turn) in enumerate(walls):
        world.add_geom(
            name=f'wall{k}',
            type=plane,
            size=[4, 4, 0.1],
            pos=where,
            quat=turn,
            material=names[0],
            contype=0,
            conaffinity=0,
        )
    return names


def _add_mesh_geom(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> mujoco.MjsGeom:
    return body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=name,
        material=name,
        contype=0,
        conaffinity=0,
    )


def _add_pieces(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, plan: Plan, rng: np.random.Generator
) -> None:
    for k, piece in enumerate(plan.pieces):
        name = f'{plan.name}/{k}'
        v = piece.mesh.vertices * plan.stretch
        high = max(float(np.ptp(v[:, 2])), 1e-3)
        # Mirrored halves keep the image whole where a turned shape closes.
        around = np.abs(np.arctan2(v[:, 1], v[:, 0])) / np.pi
        uv = np.stack([2 * around, (v[:, 2] - v[:, 2].min()) / high], 1)
        spec.add_mesh(
            name=name,
            uservert=v.ravel().tolist(),
            userface=piece.mesh.faces.ravel().tolist(),
            usertexcoord=uv.ravel().tolist(),
            inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
        )
        texture = f'print{rng.integers(PRINTS)}' if piece.role == 'print' else None
        shine = 0.7 if piece.role in ('metal', 'screen', 'glass') else float(rng.uniform(0, 0.6))
        _material(spec, name, texture=texture, shine=shine, repeat=float(rng.choice([1.0, 2.0])))
        _add_mesh_geom(spec, body, name)
        plan.roles.append(piece.role)


def quaternion_matrix(quaternion: tuple[float, ...]) -> Floats:
    """Return the (3, 3) rotation of a quaternion w x y z."""
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, np.asarray(quaternion, float))
    return matrix.reshape(3, 3)


def _add_scanned(spec: mujoco.MjSpec, images: Images, body: mujoco.MjsBody, plan: Plan) -> None:
    assert plan.item is not None
    for k, visual in enumerate(visuals(plan.item.asset)):
        name = f'{plan.name}/{k}'
        # The files' meshes are turned by right angles at most, so a stretch of the object's
        # axes is a stretch of the mesh's axes too.
        along = np.abs(quaternion_matrix(visual.quaternion).T) @ plan.stretch
        spec.add_mesh(
            name=name,
            file=str(visual.mesh),
            scale=(np.array(visual.scale) * along).tolist(),
            inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
        )
        texture = None
        if visual.texture is not None:
            texture = name
            _texture(spec, images, name, texture_pixels(visual.texture))
        _material(spec, name, texture=texture, rgba=visual.rgba, shine=min(visual.shine, 0.6))
        geom = _add_mesh_geom(spec, body, name)
        geom.pos = (np.array(visual.position) * plan.stretch).tolist()
        geom.quat = list(visual.quaternion)
        plan.roles.append('tint' if plan.item.tint else 'own')


@lru_cache(maxsize=4)
def _mesh_arrays(path: Path, scale: tuple[float, ...]) -> tuple[Floats, NDArray[np.int32]]:
    """Read a mesh file by MuJoCo: welded (V, 3) vertices in metres and (F, 3) faces."""
    spec = mujoco.MjSpec()
    spec.add_mesh(
        name='mesh',
        file=str(path),
        scale=list(scale),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    spec.worldbody.add_geom(
        name='g', type=mujoco.mjtGeom.mjGEOM_MESH, meshname='mesh', contype=0, conaffinity=0
    )
    model = spec.compile()
    vertices = model.mesh_vert @ quaternion_matrix(tuple(model.geom_quat[0])).T + model.geom_pos[0]
    return vertices, model.mesh_face.copy()


def _add_split_piece(spec: mujoco.MjSpec, body: mujoco.MjsBody, plan: Plan) -> None:
    """Take one thing out of a mesh that holds several side by side along x."""
    assert plan.item is not None and plan.item.piece is not None
    visual = visuals(plan.item.asset)[0]
    vertices, faces = _mesh_arrays(visual.mesh, visual.scale)
    vertices = vertices @ quaternion_matrix(visual.quaternion).T
    order = np.sort(vertices[:, 0])
    gaps = np.flatnonzero(np.diff(order) > 0.004)
    edges = [-np.inf, *((order[g] + order[g + 1]) / 2 for g in gaps), np.inf]
    middle = vertices[faces].mean(1)[:, 0]
    mine = faces[(middle > edges[plan.item.piece]) & (middle < edges[plan.item.piece + 1])]
    used, index = np.unique(mine, return_inverse=True)
    v = (vertices[used] - vertices[used].mean(0)) * plan.stretch
    name = f'{plan.name}/0'
    spec.add_mesh(
        name=name,
        uservert=v.ravel().tolist(),
        userface=index.ravel().tolist(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    _material(spec, name, rgba=(0.7, 0.7, 0.72, 1), shine=0.7)
    _add_mesh_geom(spec, body, name)
    plan.roles.append('own')


def add_object(spec: mujoco.MjSpec, images: Images, plan: Plan, rng: np.random.Generator) -> None:
    """Add a planned instance as a body of its own."""
    body = spec.worldbody.add_body(name=plan.name)
    if plan.item is None:
        _add_pieces(spec, body, plan, rng)
    elif plan.item.piece is None:
        _add_scanned(spec, images, body, plan)
    else:
        _add_split_piece(spec, body, plan)
