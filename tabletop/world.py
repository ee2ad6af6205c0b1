"""One compiled MuJoCo model that holds many objects, of which each scene shows a few.

Compiling costs about a second, so a shard of scenes shares one model: what a scene doesn't show
is hidden by its geom_group, and poses, colours, lights and the camera are set per scene.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tabletop.assets import background_files
from tabletop.assets import texture_pixels
from tabletop.assets import visuals
from tabletop.catalogue import FAMILIES
from tabletop.catalogue import Catalogue
from tabletop.catalogue import ObjectType
from tabletop.catalogue import Scanned
from tabletop.gl import mujoco
from tabletop.meshes import Floats
from tabletop.parts import PartRules
from tabletop.parts import bind_rules
from tabletop.shape import Piece
from tabletop.textures import printed
from tabletop.textures import surface

HIDDEN_GROUP = 5
POINTS_PER_ACTION = 24
Pictures = dict[str, NDArray[np.uint8]]
SCANNED_SURFACES, DRAWN_SURFACES, PRINTS = 12, 12, 10


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


@dataclass(frozen=True)
class _Plan:
    name: str
    kind: ObjectType
    source: str
    item: Scanned | None
    pieces: list[Piece]
    stretch: Floats
    roles: list[str]


def plan_instances(
    catalogue: Catalogue, nouns: list[str], split: str, rng: np.random.Generator
) -> list[_Plan]:
    """Choose the instances of a model: one to three of each noun that the split has."""
    plans: list[_Plan] = []
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
            plans.append(_Plan(f'{noun}/{item.name}', kind, f'scanned:{item.name}', item, [],
                               stretch, []))
        for k in range(made):
            assert generated is not None
            style = str(rng.choice(generated.styles(split)))
            # Splits never share a seed, and so never a shape, even where they share a style.
            seed = int(rng.integers(0, 2**30)) * 3 + ('train', 'val', 'test').index(split)
            pieces = FAMILIES[generated.family](np.random.default_rng(seed), style)
            plans.append(_Plan(f'{noun}/{k}', kind, f'generated:{generated.family}/{style}/{seed}',
                               None, pieces, rng.uniform(0.9, 1.1, 3), []))
    return plans


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
    spec = _empty_spec(width, height)
    pictures: Pictures = {}
    surfaces = _add_surfaces(spec, pictures, rng)
    for k in range(PRINTS):
        _texture(spec, pictures, f'print{k}', printed(rng))
    plans = plan_instances(catalogue, nouns, split, rng)
    for plan in plans:
        body = spec.worldbody.add_body(name=plan.name)
        if plan.item is None:
            _add_pieces(spec, body, plan, rng)
        elif plan.item.piece is None:
            _add_scanned(spec, pictures, body, plan)
        else:
            _add_split_piece(spec, body, plan)
    model = spec.compile()
    _fill_textures(model, pictures)
    data = mujoco.MjData(model)
    instances = tuple(_instance(catalogue, model, plan, rng) for plan in plans)
    return World(
        model, data, instances, tuple(model.material(s).id for s in surfaces),
        model.mat_rgba.copy(),
    )


def _empty_spec(width: int, height: int) -> mujoco.MjSpec:
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
        spec.worldbody.add_light(name=f'light{k}', pos=[0, 0, 1.5], dir=[0, 0, -1],
                                 castshadow=k == 0, type=mujoco.mjtLightType.mjLIGHT_SPOT,
                                 cutoff=75, exponent=2)
    return spec


def _texture(
    spec: mujoco.MjSpec, pictures: Pictures, name: str, pixels: NDArray[np.uint8]
) -> None:
    """Make room for a texture; its pixels are copied in after compiling, which is far quicker."""
    spec.add_texture(
        name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=pixels.shape[1],
        height=pixels.shape[0], nchannel=3, builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
    )
    pictures[name] = pixels


def _fill_textures(model: mujoco.MjModel, pictures: Pictures) -> None:
    for name, pixels in pictures.items():
        start = model.tex_adr[model.texture(name).id]
        model.tex_data[start : start + pixels.size] = pixels.ravel()


def _material(
    spec: mujoco.MjSpec, name: str, *, texture: str | None = None,
    rgba: tuple[float, ...] = (1, 1, 1, 1), shine: float = 0.3, repeat: float = 1.0,
) -> None:
    material = spec.add_material(name=name, rgba=list(rgba), specular=shine, shininess=shine,
                                 texrepeat=[repeat, repeat])
    if texture is not None:
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = texture


def _add_surfaces(
    spec: mujoco.MjSpec, pictures: Pictures, rng: np.random.Generator
) -> list[str]:
    """Add the table, floor and walls, and the materials that scenes choose for them."""
    files = background_files()
    choices = [texture_pixels(files[k]) for k in rng.permutation(len(files))[:SCANNED_SURFACES]]
    choices += [surface(rng) for _ in range(DRAWN_SURFACES)]
    names = []
    for k, pixels in enumerate(choices):
        names.append(f'surface{k}')
        _texture(spec, pictures, names[-1], pixels)
        _material(spec, names[-1], texture=names[-1], repeat=float(rng.uniform(1, 4)))
    world = spec.worldbody
    world.add_geom(name='table', type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.6, 0.6, 0.02],
                   pos=[0, 0, -0.02], material=names[0], contype=0, conaffinity=0)
    plane = mujoco.mjtGeom.mjGEOM_PLANE
    world.add_geom(name='floor', type=plane, size=[4, 4, 0.1], pos=[0, 0, -0.7],
                   material=names[0], contype=0, conaffinity=0)
    half = np.sqrt(0.5)
    walls = [([0, 2, 0], [half, half, 0, 0]), ([0, -2, 0], [half, -half, 0, 0]),
             ([2, 0, 0], [half, 0, -half, 0]), ([-2, 0, 0], [half, 0, half, 0])]
    for k, (where, turn) in enumerate(walls):
        world.add_geom(name=f'wall{k}', type=plane, size=[4, 4, 0.1], pos=where, quat=turn,
                       material=names[0], contype=0, conaffinity=0)
    return names


def _add_mesh_geom(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> mujoco.MjsGeom:
    return body.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name,
                         material=name, contype=0, conaffinity=0)


def _add_pieces(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, plan: _Plan, rng: np.random.Generator
) -> None:
    for k, piece in enumerate(plan.pieces):
        name = f'{plan.name}/{k}'
        v = piece.mesh.vertices * plan.stretch
        high = max(float(np.ptp(v[:, 2])), 1e-3)
        # Mirrored halves keep the picture whole where a turned shape closes.
        around = np.abs(np.arctan2(v[:, 1], v[:, 0])) / np.pi
        uv = np.stack([2 * around, (v[:, 2] - v[:, 2].min()) / high], 1)
        spec.add_mesh(name=name, uservert=v.ravel().tolist(),
                      userface=piece.mesh.faces.ravel().tolist(),
                      usertexcoord=uv.ravel().tolist(),
                      inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
        texture = f'print{rng.integers(PRINTS)}' if piece.role == 'print' else None
        shine = 0.7 if piece.role in ('metal', 'screen', 'glass') else float(rng.uniform(0, 0.6))
        _material(spec, name, texture=texture, shine=shine, repeat=float(rng.choice([1.0, 2.0])))
        _add_mesh_geom(spec, body, name)
        plan.roles.append(piece.role)


def _quat_matrix(quaternion: tuple[float, ...]) -> Floats:
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, np.asarray(quaternion, float))
    return matrix.reshape(3, 3)


def _add_scanned(
    spec: mujoco.MjSpec, pictures: Pictures, body: mujoco.MjsBody, plan: _Plan
) -> None:
    assert plan.item is not None
    for k, visual in enumerate(visuals(plan.item.asset)):
        name = f'{plan.name}/{k}'
        # The files' meshes are turned by right angles at most, so a stretch of the object's
        # axes is a stretch of the mesh's axes too.
        along = np.abs(_quat_matrix(visual.quaternion).T) @ plan.stretch
        spec.add_mesh(name=name, file=str(visual.mesh),
                      scale=(np.array(visual.scale) * along).tolist(),
                      inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
        texture = None
        if visual.texture is not None:
            texture = name
            _texture(spec, pictures, name, texture_pixels(visual.texture))
        _material(spec, name, texture=texture, rgba=visual.rgba, shine=min(visual.shine, 0.6))
        geom = _add_mesh_geom(spec, body, name)
        geom.pos = (np.array(visual.position) * plan.stretch).tolist()
        geom.quat = list(visual.quaternion)
        plan.roles.append('tint' if plan.item.tint else 'own')


@lru_cache(maxsize=4)
def _mesh_arrays(path: Path, scale: tuple[float, ...]) -> tuple[Floats, NDArray[np.int32]]:
    """Read a mesh file by MuJoCo: welded (V, 3) vertices in metres and (F, 3) faces."""
    spec = mujoco.MjSpec()
    spec.add_mesh(name='mesh', file=str(path), scale=list(scale),
                  inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
    spec.worldbody.add_geom(name='g', type=mujoco.mjtGeom.mjGEOM_MESH, meshname='mesh',
                            contype=0, conaffinity=0)
    model = spec.compile()
    vertices = model.mesh_vert @ _quat_matrix(tuple(model.geom_quat[0])).T + model.geom_pos[0]
    return vertices, model.mesh_face.copy()


def _add_split_piece(spec: mujoco.MjSpec, body: mujoco.MjsBody, plan: _Plan) -> None:
    """Take one thing out of a mesh that holds several side by side along x."""
    assert plan.item is not None and plan.item.piece is not None
    visual = visuals(plan.item.asset)[0]
    vertices, faces = _mesh_arrays(visual.mesh, visual.scale)
    vertices = vertices @ _quat_matrix(visual.quaternion).T
    order = np.sort(vertices[:, 0])
    gaps = np.flatnonzero(np.diff(order) > 0.004)
    edges = [-np.inf, *((order[g] + order[g + 1]) / 2 for g in gaps), np.inf]
    middle = vertices[faces].mean(1)[:, 0]
    mine = faces[(middle > edges[plan.item.piece]) & (middle < edges[plan.item.piece + 1])]
    used, index = np.unique(mine, return_inverse=True)
    v = (vertices[used] - vertices[used].mean(0)) * plan.stretch
    name = f'{plan.name}/0'
    spec.add_mesh(name=name, uservert=v.ravel().tolist(), userface=index.ravel().tolist(),
                  inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
    _material(spec, name, rgba=(0.7, 0.7, 0.72, 1), shine=0.7)
    _add_mesh_geom(spec, body, name)
    plan.roles.append('own')


def _instance(
    catalogue: Catalogue, model: mujoco.MjModel, plan: _Plan, rng: np.random.Generator
) -> Instance:
    body = model.body(plan.name).id
    geoms = [int(g) for g in np.flatnonzero(model.geom_bodyid == body)]
    vertices, triangles = [], []
    for g in geoms:
        k = model.geom_dataid[g]
        v = model.mesh_vert[model.mesh_vertadr[k] :][: model.mesh_vertnum[k]]
        f = model.mesh_face[model.mesh_faceadr[k] :][: model.mesh_facenum[k]]
        v = v @ _quat_matrix(tuple(model.geom_quat[g])).T + model.geom_pos[g]
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
        parts = [np.full(len(t), geom_parts[g], np.uint8)
                 for t, g in zip(triangles, geoms, strict=True)]
    points = {}
    for action, names in plan.kind.actions.items():
        wanted = [catalogue.part_value(n) for n in names]
        chosen = np.concatenate([
            t if names == ('whole',) else t[np.isin(p, wanted)]
            for t, p in zip(triangles, parts, strict=True)
        ])
        if len(chosen):
            points[action] = spread_points(chosen, POINTS_PER_ACTION, rng)
    colour = _settle_colour(plan)
    looks = tuple(
        Look(g, int(model.geom_matid[g]), r) for g, r in zip(geoms, plan.roles, strict=True)
    )
    supports = _support_height(plan, everything)
    return Instance(
        name=plan.name, kind=plan.kind, source=plan.source, body=body, looks=looks,
        stand=_stand(plan.item), stretch=plan.stretch, vertices=outline_points(everything),
        geom_parts=geom_parts, rules=rules, points=points,
        colour=colour, supports=supports,
    )


# What a generated object without a painted piece is called by: the material of its first piece.
_MATERIAL_COLOURS = {'metal': 'silver', 'wood': 'brown', 'dark': 'black', 'white': 'white'}


def _settle_colour(plan: _Plan) -> str | None:
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


def _support_height(plan: _Plan, vertices: Floats) -> float | None:
    """Return the height of the middle of a plate, tray or book that lies flat."""
    if plan.item is not None or plan.kind.name not in ('plate', 'tray', 'book'):
        return None
    middle = np.hypot(vertices[:, 0], vertices[:, 1]) < 0.4 * np.ptp(vertices[:, 1])
    return float(vertices[middle | (plan.kind.name == 'book'), 2].max())


def _stand(item: Scanned | None) -> Floats:
    if item is not None and item.up == 'y':
        return np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    return np.eye(3)


def outline_points(vertices: Floats) -> Floats:
    """Keep the vertices that matter for where an object touches: the farthest in any direction.

    Args:
        vertices: (V, 3).

    Returns:
        (K, 3), at most a thousand: the farthest in many directions, and an even sample.
    """
    corners = np.array(list(np.ndindex(3, 3, 3)), float) - 1
    far = (vertices @ corners.T).argmax(0)
    # Scans have 100,000 vertices, so close together that a sample of them is as good.
    pool = np.unique(np.r_[far, np.arange(0, len(vertices), max(1, len(vertices) // 5000))])
    k = np.arange(400)
    z = 1 - 2 * (k + 0.5) / 400
    angle = np.pi * (3 - np.sqrt(5)) * k
    sphere = np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z])
    chosen = pool[(vertices[pool] @ sphere).argmax(0)]
    return vertices[np.unique(np.r_[far, chosen, pool[:: max(1, len(pool) // 350)]])]


def spread_points(triangles: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Sample points evenly over triangles: many by area, then the ones farthest apart.

    Args:
        triangles: (T, 3, 3) corners.
        count: how many points to return.
        rng: source of randomness.

    Returns:
        (count, 3) points on the triangles.
    """
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) + 1e-15
    pick = rng.choice(len(area), 20 * count, p=area / area.sum())
    u, v = rng.random((2, 20 * count, 1))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    cloud = a[pick] + u * (b - a)[pick] + v * (c - a)[pick]
    chosen = [0]
    far = np.linalg.norm(cloud - cloud[0], axis=1)
    for _ in range(count - 1):
        chosen.append(int(far.argmax()))
        far = np.minimum(far, np.linalg.norm(cloud - cloud[chosen[-1]], axis=1))
    return cloud[chosen]
