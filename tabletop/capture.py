# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Render a composed scene into a frame: masks, parts and affordance points worked out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.catalogue import Catalogue
from affordance_ros_tabletop.frame import AffordancePoints
from affordance_ros_tabletop.frame import Frame
from affordance_ros_tabletop.frame import SceneObject
from affordance_ros_tabletop.frame import visible_points
from affordance_ros_tabletop.meshes import Floats
from affordance_ros_tabletop.projection import camera_matrix
from affordance_ros_tabletop.projection import project
from affordance_ros_tabletop.projection import unproject
from affordance_ros_tabletop.renderer import Renderer
from affordance_ros_tabletop.scene import Placed
from affordance_ros_tabletop.scene import Viewpoint

MIN_OBJECT_PX = 30


def capture(
    renderer: Renderer,
    catalogue: Catalogue,
    placed: Sequence[Placed],
    view: Viewpoint,
    *,
    name: str,
) -> Frame:
    """Render a composed scene and work out its masks and affordance points."""
    rgb, depth, geom = renderer.draw(view.pose, view.fov_y_deg)
    height, width = depth.shape
    matrix = camera_matrix(width, height, view.fov_y_deg)
    instance, part = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    world = unproject(depth, matrix, view.pose)
    kept: list[int] = []
    for index, item in enumerate(placed):
        mask = np.isin(geom, [look.geom for look in item.instance.looks])
        if int(mask.sum()) < MIN_OBJECT_PX:
            continue
        kept.append(index)
        instance[mask] = len(kept)
        part[mask] = _parts(item, geom[mask], world[mask])
    objects = tuple(_describe(placed[k], kept) for k in kept)
    points = _points(catalogue, [placed[k] for k in kept], depth, instance, matrix, view.pose)
    return Frame(name, rgb, depth, instance, part, matrix, view.pose, objects, points)


def _describe(item: Placed, kept: Sequence[int]) -> SceneObject:
    kind = item.instance.kind
    support = item.support
    return SceneObject(
        noun=kind.name,
        instance=item.instance.source,
        colour=item.colour,
        unseen=kind.unseen,
        pose=item.pose.tolist(),
        support=kept.index(support) if support is not None and support in kept else None,
    )


def _parts(item: Placed, geom: NDArray[np.int32], world: Floats) -> NDArray[np.uint8]:
    instance = item.instance
    values = np.array([max(instance.geom_parts[g], 0) for g in geom.tolist()], np.uint8)
    if instance.rules is not None:
        local = (world - item.pose[:3, 3]) @ item.pose[:3, :3]
        values = instance.rules.classify(local / instance.stretch)
    return values


def _points(
    catalogue: Catalogue,
    placed: Sequence[Placed],
    depth: NDArray[np.float32],
    instance: NDArray[np.uint8],
    matrix: Floats,
    pose: Floats,
) -> AffordancePoints:
    order = list(catalogue.actions)
    owner, action, position = [], [], []
    for k, item in enumerate(placed):
        for name, points in item.instance.points.items():
            owner.append(np.full(len(points), k, np.int16))
            action.append(np.full(len(points), order.index(name), np.int16))
            position.append(points @ item.pose[:3, :3].T + item.pose[:3, 3])
    if not owner:
        empty = np.zeros(0, np.int16)
        nowhere = np.zeros((0, 3), np.float32)
        return AffordancePoints(empty, empty, nowhere, nowhere[:, :2], empty.astype(bool))
    where = np.concatenate(position)
    pixel, far = project(where, matrix, pose)
    owners = np.concatenate(owner)
    seen = visible_points(pixel, far, owners, depth, instance)
    return AffordancePoints(
        owners, np.concatenate(action), where.astype(np.float32), pixel.astype(np.float32), seen
    )
