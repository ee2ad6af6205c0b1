# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""One rendered scene with everything that is known about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.meshes import Floats

# A point is seen if the depth image has its surface there, to within this much and this share of
# the distance: on a slanted surface a pixel's centre is nearer or farther than the point.
VISIBLE_M, VISIBLE_SHARE = 0.003, 0.006


@dataclass(frozen=True)
class SceneObject:
    """What is known of one visible object.

    Attributes:
        noun: its type's name.
        instance: its source, the same for the same geometry.
        colour: its named colour, or 'mixed'.
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
        visible: (P,) whether the point is in the image and nothing is before it.
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


def visible_points(
    pixel: Floats,
    far: Floats,
    owner: NDArray[np.int16],
    depth: NDArray[np.float32],
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
        (P,) True where a pixel around the point shows its own object at the point's depth.
    """
    height, width = depth.shape
    seen = np.zeros(len(far), bool)
    # Any of the four pixels around the point will do: at a thin thing's edge the nearest one may
    # show what is behind it.
    for dx, dy in ((0, 0), (0, 1), (1, 0), (1, 1)):
        x, y = np.floor(pixel[:, 0]).astype(int) + dx, np.floor(pixel[:, 1]).astype(int) + dy
        inside = (far > 0) & (x >= 0) & (y >= 0) & (x < width) & (y < height)
        x, y = np.where(inside, x, 0), np.where(inside, y, 0)
        near = np.abs(depth[y, x] - far) < VISIBLE_M + VISIBLE_SHARE * far
        seen |= inside & near & (instance[y, x] == owner + 1)
    return seen
