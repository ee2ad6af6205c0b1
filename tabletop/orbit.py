# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A camera that moves smoothly around one scene: what the bag and the live camera show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.catalogue import load_catalogue
from affordance_ros_tabletop.errors import CatalogueError
from affordance_ros_tabletop.meshes import Floats
from affordance_ros_tabletop.projection import camera_matrix
from affordance_ros_tabletop.projection import look_at
from affordance_ros_tabletop.renderer import Renderer
from affordance_ros_tabletop.scene import compose
from affordance_ros_tabletop.world import build_world

DEFAULT_OBJECTS = ('mug', 'knife', 'bottle', 'bowl', 'apple', 'spatula', 'scissors')
FOV_Y_DEG = 45.0
# How much of the view's height the group takes: what stands apart leaves it now and then.
_FILL = 1.5


@dataclass(frozen=True)
class Shot:
    """One image of an orbit.

    Attributes:
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32, metres.
        matrix: (3, 3) intrinsics.
        pose: (4, 4) world from camera; x right, y down, z forward.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    matrix: Floats
    pose: Floats


class Orbit:
    """One scene with test instances, and a camera on a slow path around it.

    Args:
        seed: of the shapes, the arrangement and the path.
        width: pixels.
        height: pixels.
        objects: nouns to show.
        period_s: seconds of one turn around the table.
    """

    def __init__(
        self,
        seed: int,
        width: int,
        height: int,
        *,
        objects: Sequence[str] = DEFAULT_OBJECTS,
        period_s: float = 40.0,
    ) -> None:
        catalogue = load_catalogue()
        unknown = [n for n in objects if n not in catalogue.types]
        if unknown:
            raise CatalogueError(
                f'no object {", ".join(unknown)}; there are {", ".join(catalogue.types)}'
            )
        rng = np.random.default_rng([seed, 77])
        self._world = build_world(
            catalogue, list(objects), split='test', rng=rng, width=width, height=height
        )
        self.placed = compose(self._world, catalogue, rng, exactly=objects)
        self._renderer = Renderer(self._world, width, height)
        cloud = np.concatenate(
            [p.instance.vertices @ p.pose[:3, :3].T + p.pose[:3, 3] for p in self.placed]
        )
        self._target = (cloud.max(0) + cloud.min(0)) / 2
        radius = np.linalg.norm(cloud - self._target, axis=1).max()
        self._distance = float(radius / _FILL / np.tan(np.deg2rad(FOV_Y_DEG) / 2))
        self._phase = float(rng.uniform(0, 2 * np.pi))
        self._period_s = period_s
        self._matrix = camera_matrix(width, height, FOV_Y_DEG)

    def __enter__(self) -> Orbit:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the GL context."""
        self._renderer.close()

    def pose(self, time_s: float) -> Floats:
        """Return the camera's pose at a time, world from camera, (4, 4)."""
        turn = 2 * np.pi * time_s / self._period_s
        azimuth = self._phase + turn
        height = np.deg2rad(44 + 10 * np.sin(2 * turn))
        distance = self._distance * (0.95 + 0.12 * np.sin(3 * turn))
        toward = np.array(
            [np.cos(height) * np.cos(azimuth), np.cos(height) * np.sin(azimuth), np.sin(height)]
        )
        return look_at(self._target + distance * toward, self._target)

    def shoot(self, time_s: float) -> Shot:
        """Render the image at a time."""
        return self.shoot_things(time_s)[0]

    def shoot_things(self, time_s: float) -> tuple[Shot, NDArray[np.uint8]]:
        """Render the image at a time, and which thing each pixel shows.

        Returns:
            The image, and (H, W) uint8: 1 + the index into `placed`, 0 for everything else.
        """
        pose = self.pose(time_s)
        rgb, depth, geoms = self._renderer.draw(pose, FOV_Y_DEG)
        # Geoms are numbered from 0, and -1 is the background: the last entry of the table.
        table = np.zeros(self._world.model.ngeom + 1, np.uint8)
        for number, item in enumerate(self.placed, start=1):
            table[[look.geom for look in item.instance.looks]] = number
        return Shot(rgb, depth, self._matrix, pose), table[geoms]

    def affording(self, action: str) -> tuple[int, ...]:
        """Return the numbers of the things that afford an action, as `shoot_things` has them."""
        return tuple(
            number
            for number, item in enumerate(self.placed, start=1)
            if action in item.instance.points
        )
