# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets in 3D: the point and the normal of the surface that a target's pixel shows."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.plane import connected_surface
from affordance_ros.spatial.plane import fit_plane
from affordance_ros.spatial.region_mask import mask_of_depth
from affordance_ros.spatial.region_mask import to_depth
from affordance_ros.targets.target import Target

# Why a target has no point. The first four concern a whole frame: whoever pairs depth and
# camera_info with the image says three, the node's target_frame the fourth; `locate` the others.
REASONS = {
    'no_depth': 'no depth image came with this stamp',
    'no_camera_info': 'no camera_info came with this stamp',
    'unusable': 'depth or camera_info can not be used with this image',
    'no_transform': 'there is no transform into the target frame at this stamp',
    'hole': "depth is unknown, or beyond max_depth_m, at the target's pixel",
    'too_few': "too little depth is known on the target's surface around its pixel",
    'rough': "the depth at the target's pixel is off the surface around it: an edge, or noise",
}

_MIN_RADIUS_PX, _MAX_RADIUS_PX = 2, 20
# Two neighbouring pixels show one surface if their depths differ by no more than noise, and what
# a surface slanted by 70 degrees makes between them.
_STEP_SIGMAS, _MAX_SLOPE = 3.0, math.tan(math.radians(70))


@dataclass(frozen=True)
class PointConfig:
    """How the surface at a target is read.

    Attributes:
        radius_m: Half the side of the window around the target, in metres on the surface.
        noise_m: Standard deviation of the depth up to 1 m away; beyond, it is taken to grow with
            the square of the distance, as a stereo camera's does.
        max_offset_m: How far the point may lie from the depth measured at the target's own pixel,
            along the optical axis; with noise of 2 mm, 0.01 keeps it within 2 cm of the surface.
        min_pixels: How many pixels of the target's surface must have depth.
    """

    radius_m: float = 0.01
    noise_m: float = 0.002
    max_offset_m: float = 0.01
    min_pixels: int = 5

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for name in ('radius_m', 'noise_m', 'max_offset_m'):
            if not getattr(self, name) > 0:
                raise ValueError(f'{name} {getattr(self, name)} must be positive')
        if self.min_pixels < 1:
            raise ValueError(f'min_pixels {self.min_pixels} must be at least 1')

    def noise_at(self, distance_m: float) -> float:
        """Return the standard deviation of depth at a distance, in metres."""
        return self.noise_m * max(1.0, distance_m**2)

    def step_at(self, distance_m: float, noise_m: float, pixel: float) -> float:
        """Return by how much the depth of one surface may change between pixels, in metres.

        Args:
            distance_m: The surface's.
            noise_m: `noise_at` that distance.
            pixel: From one pixel to the next at a distance of 1, that is, over the focal length.
        """
        return _STEP_SIGMAS * noise_m + _MAX_SLOPE * distance_m * pixel


@dataclass(frozen=True, eq=False)
class SurfacePoint:
    """Where a target lies in 3D.

    Attributes:
        position: (3,) float64 metres in the camera's optical frame, on the ray of the target's
            sub-pixel place.
        normal: (3,) float64, the surface's unit normal towards the camera; None where the surface
            is too thin for a plane.
    """

    position: NDArray[np.float64]
    normal: NDArray[np.float64] | None


@dataclass(frozen=True)
class NoPoint:
    """Why a target has no point: a key of `REASONS`."""

    reason: str


@dataclass(frozen=True, eq=False)
class _Window:
    """What is read around a target, on the depth image's grid.

    Attributes:
        z: (h, w) float32 metres, NaN where unknown.
        inside: (h, w) bool: depth is known, and the pixel belongs to the target's region.
        seed: Row and column of the target's pixel in the window.
        first: (x, y) of the window's first pixel from the target, sub-pixel.
    """

    z: NDArray[np.float32]
    inside: NDArray[np.bool_]
    seed: tuple[int, int]
    first: tuple[float, float]


def locate(
    target: Target,
    *,
    depth: DepthImage,
    pinhole: Pinhole,
    config: PointConfig | None = None,
) -> SurfacePoint | NoPoint:
    """Find the point and the normal of the surface at a target.

    Depth is read in a small window around the target alone. What counts there belongs to the
    target's region and hangs together with its pixel in depth, so that things before and behind
    never mix; of a region of too few pixels, the edges of depth alone count. A plane is fitted to
    it, robustly, and the point is where the target's ray meets the plane. Where the surface is too
    thin for a plane, its median depth serves.

    Args:
        target: One of the image's; where it has no region, the whole window counts.
        depth: Depth registered to the image, of its size or of the same aspect ratio.
        pinhole: The image's.
        config: How to read the surface.

    Returns:
        The point, or why there is none.

    Raises:
        PinholeError: If the aspect ratios of depth and image differ.
    """
    config = config or PointConfig()
    grid = pinhole.resized(depth.size)
    height, width = grid.size
    x, y = to_depth(target, depth_size=grid.size, image_size=pinhole.size)
    column, row = min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1)
    own = float(depth.metres(slice(row, row + 1), slice(column, column + 1))[0, 0])
    if math.isnan(own):
        return NoPoint('hole')
    radius = min(max(math.ceil(config.radius_m * grid.fx / own), _MIN_RADIUS_PX), _MAX_RADIUS_PX)
    window = _read(depth, target, (x, y), (column, row), radius, pinhole.size)
    noise_m = config.noise_at(own)
    step_m = config.step_at(own, noise_m, 1 / grid.fx)
    surface = connected_surface(window.z, window.inside, window.seed, step_m=step_m)
    if np.count_nonzero(surface) < config.min_pixels:
        # The region is thinner than depth's pixels: depth's own edges bound the surface.
        surface = connected_surface(window.z, np.isfinite(window.z), window.seed, step_m=step_m)
    if np.count_nonzero(surface) < config.min_pixels:
        return NoPoint('too_few')
    places = np.argwhere(surface)[:, ::-1] + np.array(window.first)
    z = window.z[surface].astype(np.float64)
    plane = fit_plane(places, z, own=own, noise_m=noise_m, sigma_px=radius / 2)
    at_target = float(np.median(z)) if plane is None else 1.0 / max(float(plane[2]), 1e-9)
    if abs(at_target - own) > config.max_offset_m:
        return NoPoint('rough')
    normal = None if plane is None else _normal(plane, grid, x, y)
    return SurfacePoint(grid.deproject(x, y, at_target), normal)


def _read(
    depth: DepthImage,
    target: Target,
    place: tuple[float, float],
    pixel: tuple[int, int],
    radius: int,
    image_size: tuple[int, int],
) -> _Window:
    """Read depth around a pixel (x, y) of the depth image, and which of it shows the region."""
    (height, width), (column, row) = depth.size, pixel
    rows = np.arange(max(row - radius, 0), min(row + radius + 1, height))
    columns = np.arange(max(column - radius, 0), min(column + radius + 1, width))
    z = depth.metres(slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    inside = np.isfinite(z)
    seed = (row - int(rows[0]), column - int(columns[0]))
    if target.region is not None:
        inside &= mask_of_depth(
            target.region, rows, columns, depth_size=depth.size, image_size=image_size
        )
        inside[seed] = True  # its own pixel, also where depth is coarser than the region
    return _Window(z, inside, seed, (columns[0] - place[0], rows[0] - place[1]))


def _normal(plane: NDArray[np.float64], grid: Pinhole, x: float, y: float) -> NDArray[np.float64]:
    """Return the unit normal towards the camera of the plane 1/z = a (u - x) + b (v - y) + c."""
    a, b, c = plane
    # Times z, with u and v put in, it reads a fx X + b fy Y + (a (cx - x) + b (cy - y) + c) Z = 1.
    away = np.array([a * grid.fx, b * grid.fy, a * (grid.cx - x) + b * (grid.cy - y) + c])
    return np.asarray(-away / np.linalg.norm(away))
