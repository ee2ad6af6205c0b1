"""One rendered scene with everything that is known about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tabletop.catalogue import Catalogue
from tabletop.meshes import Floats
from tabletop.projection import camera_matrix
from tabletop.projection import project
from tabletop.projection import unproject
from tabletop.renderer import Renderer
from tabletop.scene import Placed
from tabletop.scene import Viewpoint

# A point is seen if the depth image has its surface there, to within this much.
VISIBLE_M = 0.006
MIN_OBJECT_PX = 30


@dataclass(frozen=True)
class SceneObject:
    """What is known of one visible object.

    Attributes:
        noun: its type's name.
        instance: its source, the same for the same geometry.
        colour: its named colour.
        unseen: whether its type is one that FPN training never sees.
        pose: (4, 4) world from object, nested lists.
        support: index of the visible object that it lies on, or None.
    """

    noun: str
    instance: str
    colour: str
    unseen: bool
    pose: list[list[float]]
    support: int | None


@dataclass(frozen=True)
class AffordancePoints:
    """The affordance points of all objects of a scene.

    Attributes:
        owner: (P,) index of the object.
        action: (P,) index of the action in the catalogue's order.
        position: (P, 3) metres, world.
        pixel: (P, 2) x, y.
        visible: (P,) whether the point is in the picture and nothing is before it.
    """

    owner: NDArray[np.int16]
    action: NDArray[np.int16]
    position: NDArray[np.float32]
    pixel: NDArray[np.float32]
    visible: NDArray[np.bool_]


@dataclass(frozen=True)
class Frame:
    """A rendered scene.

    Attributes:
        name: its identifier, unique in a store.
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32 metres, 0 where nothing was hit.
        instance: (H, W) uint8, 1 + index into `objects`; 0 for everything else.
        part: (H, W) uint8, the part's value in the catalogue; 0 for everything else.
        matrix: (3, 3) intrinsics.
        pose: (4, 4) world from camera.
        objects: the visible objects.
        points: their affordance points.
    """

    name: str
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    instance: NDArray[np.uint8]
    part: NDArray[np.uint8]
    matrix: Floats
    pose: Floats
    objects: tuple[SceneObject, ...]
    points: AffordancePoints


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
        noun=kind.name, instance=item.instance.source, colour=item.colour, unseen=kind.unseen,
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
    catalogue: Catalogue, placed: Sequence[Placed], depth: NDArray[np.float32],
    instance: NDArray[np.uint8], matrix: Floats, pose: Floats,
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
    return AffordancePoints(owners, np.concatenate(action), where.astype(np.float32),
                            pixel.astype(np.float32), seen)


def visible_points(
    pixel: Floats, far: Floats, owner: NDArray[np.int16], depth: NDArray[np.float32],
    instance: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    """Tell which points the camera sees.

    Args:
        pixel: (P, 2) x, y.
        far: (P,) depth of each point in metres.
        owner: (P,) index of the object that each belongs to.
        depth: (H, W) metres.
        instance: (H, W) uint8 mask, 1 + index.

    Returns:
        (P,) True where the point is in the picture, its pixel shows its own object and the
        surface there is at the point's depth.
    """
    height, width = depth.shape
    x, y = np.rint(pixel[:, 0]).astype(int), np.rint(pixel[:, 1]).astype(int)
    inside = (far > 0) & (x >= 0) & (y >= 0) & (x < width) & (y < height)
    x, y = np.where(inside, x, 0), np.where(inside, y, 0)
    # On a slanted surface the pixel's centre is up to half a pixel away from the point.
    near = np.abs(depth[y, x] - far) < VISIBLE_M + 0.01 * far
    return inside & near & (instance[y, x] == owner + 1)
