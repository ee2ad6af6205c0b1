# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Compose a scene: which objects, where they lie, what they look like, light and camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.catalogue import Catalogue
from affordance_ros_tabletop.gl import mujoco
from affordance_ros_tabletop.meshes import Floats
from affordance_ros_tabletop.meshes import rotation
from affordance_ros_tabletop.projection import look_at
from affordance_ros_tabletop.world import HIDDEN_GROUP
from affordance_ros_tabletop.world import Instance
from affordance_ros_tabletop.world import World


@dataclass(frozen=True)
class Placed:
    """An object in a scene.

    Attributes:
        instance: what it is.
        colour: its named colour here.
        pose: (4, 4) world from object.
        footprint: (K, 2) convex outline on the table, metres.
        support: index of the placed object that it lies on, or None for the table.
    """

    instance: Instance
    colour: str
    pose: Floats
    footprint: NDArray[np.float32]
    support: int | None = None


@dataclass(frozen=True)
class Viewpoint:
    """A camera: (4, 4) pose (world from camera) and vertical field of view."""

    pose: Floats
    fov_y_deg: float


def compose(
    world: World,
    catalogue: Catalogue,
    rng: np.random.Generator,
    *,
    focus: Sequence[str] = (),
    count: int = 1,
    exactly: Sequence[str] = (),
) -> list[Placed]:
    """Choose objects, lay them on the table and dress the model for them.

    Args:
        world: the model; it is changed in place.
        catalogue: the catalogue that the world was built from.
        rng: source of randomness.
        focus: nouns of which at least one object is wanted.
        count: number of objects.
        exactly: nouns to show, one object each; empty draws `count` objects.

    Returns:
        The objects that found a place, at least one.
    """
    if exactly:
        first = {i.kind.name: i for i in reversed(world.instances)}
        wanted = [first[n] for n in exactly if n in first]
    else:
        wanted = _choose(world.instances, rng, focus, count)
    crowded = rng.uniform(0.75, 1.5)
    placed: list[Placed] = []
    for instance in wanted:
        found = _place(instance, placed, rng, crowded)
        if found is not None:
            colour = instance.colour or str(rng.choice(list(instance.kind.colours)))
            placed.append(Placed(instance, colour, found[0], found[1], found[2]))
    _show(world, placed)
    _paint(world, catalogue, placed, rng)
    _dress(world, rng)
    return placed


def _choose(
    instances: Sequence[Instance], rng: np.random.Generator, focus: Sequence[str], count: int
) -> list[Instance]:
    by_noun: dict[str, list[Instance]] = {}
    for instance in instances:
        by_noun.setdefault(instance.kind.name, []).append(instance)
    nouns = list(by_noun)
    # Small and thin things need more looks than boxes: those with parts come twice as often.
    weight = np.array([2.0 if by_noun[n][0].kind.parts else 1.0 for n in nouns])
    chosen = [str(rng.choice([f for f in focus if f in by_noun]))] if focus else []
    chosen += [
        str(n) for n in rng.choice(nouns, min(count, len(nouns)), False, weight / weight.sum())
    ]
    if rng.random() < 0.3:
        chosen.insert(1, chosen[0])
    result: list[Instance] = []
    for noun in chosen[: max(count, 1)]:
        free = [i for i in by_noun[noun] if i not in result]
        if free:
            result.append(free[rng.integers(len(free))])
    return result


def _orientation(instance: Instance, rng: np.random.Generator) -> Floats:
    turn = instance.stand
    if rng.random() < instance.kind.lie:
        turn = rotation('x', 90) @ rotation('z', float(rng.choice([-80, 80, 100]))) @ turn
    return rotation('z', float(rng.uniform(0, 360))) @ turn


def _place(
    instance: Instance, placed: Sequence[Placed], rng: np.random.Generator, crowded: float
) -> tuple[Floats, NDArray[np.float32], int | None] | None:
    turn = _orientation(instance, rng)
    points = instance.vertices @ turn.T
    outline = cv2.convexHull(points[:, :2].astype(np.float32))[:, 0]
    middle = (outline.max(0) + outline.min(0)) / 2
    outline = outline - middle
    span = np.hypot(*np.ptp(outline, axis=0))
    pose = np.eye(4)
    pose[:3, :3] = turn
    if rng.random() < 0.35:
        for k, below in enumerate(placed):
            room = np.ptp(below.footprint, axis=0).min()
            height = below.instance.supports
            free = all(p.support != k for p in placed)
            if height is not None and below.support is None and span < 0.75 * room and free:
                centre = below.footprint.mean(0)
                pose[:3, 3] = [*(centre - middle), below.pose[2, 3] + height - points[:, 2].min()]
                return pose, (outline + centre).astype(np.float32), k
    for attempt in range(30):
        reach = (0.04 + 0.04 * np.sqrt(len(placed))) * crowded + 0.008 * attempt
        centre = rng.uniform(-1, 1, 2) * reach
        mine = (outline * 1.04 + centre).astype(np.float32)
        if not any(overlap(mine, p.footprint) for p in placed):
            pose[:3, 3] = [*(centre - middle), -points[:, 2].min()]
            return pose, mine, None
    return None


def overlap(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    """Tell whether two convex (K, 2) outlines overlap: no edge's normal separates them."""
    for a, b in ((first, second), (second, first)):
        edge = np.roll(a, -1, 0) - a
        normal = np.stack([edge[:, 1], -edge[:, 0]], 1)
        mine, other = a @ normal.T, b @ normal.T
        if ((mine.max(0) <= other.min(0)) | (other.max(0) <= mine.min(0))).any():
            return False
    return True


def _show(world: World, placed: Sequence[Placed]) -> None:
    model = world.model
    for instance in world.instances:
        for look in instance.looks:
            model.geom_group[look.geom] = HIDDEN_GROUP
    for item in placed:
        model.body_pos[item.instance.body] = item.pose[:3, 3]
        mujoco.mju_mat2Quat(model.body_quat[item.instance.body], item.pose[:3, :3].ravel())
        for look in item.instance.looks:
            model.geom_group[look.geom] = 0


def _paint(
    world: World, catalogue: Catalogue, placed: Sequence[Placed], rng: np.random.Generator
) -> None:
    palette = list(catalogue.colours)
    for item in placed:
        accent = np.array(catalogue.colours[str(rng.choice(palette))])
        shade = rng.uniform(0.85, 1.12) * np.clip(rng.normal(1, 0.05, 3), 0.88, 1.12)
        main = np.array(catalogue.colours.get(item.colour, (1.0, 1.0, 1.0))) * shade
        for look in item.instance.looks:
            base = world.base_rgba[look.material][:3]
            rgb = {
                'main': main,
                'print': main,
                'tint': base * main,
                'own': base * np.clip(rng.normal(1, 0.06, 3), 0.8, 1.15),
                'metal': np.full(3, rng.uniform(0.5, 0.82)),
                'wood': np.array([0.55, 0.36, 0.2]) * rng.uniform(0.6, 1.45),
                'dark': np.full(3, rng.uniform(0.03, 0.16)),
                'white': np.full(3, rng.uniform(0.8, 0.97)),
                'accent': accent * shade,
                'screen': np.array([0.05, 0.07, 0.1]) + rng.uniform(0, 0.12, 3),
                'stem': np.array([0.2, 0.36, 0.1]) * rng.uniform(0.5, 1.4),
                'glass': np.array([0.8, 0.88, 0.9]),
            }[look.role]
            world.model.mat_rgba[look.material, :3] = np.clip(rgb, 0.015, 1)


def _dress(world: World, rng: np.random.Generator) -> None:
    """Choose table, floor and walls, their shade, and the lights."""
    model = world.model
    table, floor, wall = rng.choice(world.surfaces, 3)
    for name, material in (('table', table), ('floor', floor)):
        model.geom_matid[model.geom(name).id] = material
    for k in range(4):
        model.geom_matid[model.geom(f'wall{k}').id] = wall
    for material in {table, floor, wall}:
        shade = rng.uniform(0.45, 0.95) * rng.normal(1, 0.07, 3)
        model.mat_rgba[material, :3] = np.clip(shade, 0.05, 1)
        model.mat_specular[material] = rng.uniform(0, 0.3)
    for k in range(2):
        where = np.array([*rng.uniform(-1.1, 1.1, 2), rng.uniform(0.8, 1.9)])
        model.light_pos[k] = where
        model.light_dir[k] = -where / np.linalg.norm(where)
        strength = rng.uniform(0.25, 0.65) if k == 0 else rng.uniform(0.0, 0.35)
        model.light_diffuse[k] = strength * np.clip(rng.normal(1, 0.07, 3), 0.8, 1.2)
        model.light_specular[k] = strength * 0.4
    model.vis.headlight.ambient[:] = rng.uniform(0.22, 0.4)
    model.vis.headlight.diffuse[:] = rng.uniform(0.05, 0.3)


def viewpoint(placed: Sequence[Placed], rng: np.random.Generator, aspect: float) -> Viewpoint:
    """Draw a camera that sees the group, or comes close to one object of it.

    Args:
        placed: the objects.
        rng: source of randomness.
        aspect: width over height of the image.
    """
    fov = float(rng.uniform(38, 56))
    corners = [i.instance.vertices[::10] @ i.pose[:3, :3].T + i.pose[:3, 3] for i in placed]
    if rng.random() < 0.5 and len(placed) > 1:
        # Close: the smaller the thing, the closer the camera comes.
        cloud = corners[rng.integers(len(corners))]
        fill = rng.uniform(0.45, 0.85)
    else:
        cloud = np.concatenate(corners)
        fill = rng.uniform(1.1, 1.6)
    centre = (cloud.max(0) + cloud.min(0)) / 2
    radius = max(float(np.linalg.norm(cloud - centre, axis=1).max()), 0.035)
    distance = radius / fill / np.tan(np.deg2rad(fov) / 2) / min(aspect, 1.0)
    azimuth, height = rng.uniform(0, 2 * np.pi), np.deg2rad(rng.uniform(28, 74))
    toward = np.array(
        [np.cos(height) * np.cos(azimuth), np.cos(height) * np.sin(azimuth), np.sin(height)]
    )
    target = centre + rng.normal(0, 0.12 * radius, 3) * [1, 1, 0.3]
    return Viewpoint(look_at(target + toward * np.clip(distance, 0.14, 1.4), target), fov)
