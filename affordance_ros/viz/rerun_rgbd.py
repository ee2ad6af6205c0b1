# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What a recording for the rerun viewer shows in 3D, in the camera's optical frame."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affordance_ros.spatial.approach import approach_quaternion
from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.targets.target import Target

_RADIUS_M = 0.008
_ARROW_M, _AXIS_M = 0.1, 0.05
_UNITS_PER_M = 1000.0  # whole millimetres are what depth cameras give, and half of a float's size


def begin_scene(rerun: Any, stream: Any) -> None:
    """Log what stays: x is right, y is down and z is forward."""
    stream.log('scene', rerun.ViewCoordinates.RDF, static=True)
    axes = rerun.TransformAxes3D(axis_length=_AXIS_M)
    stream.log('scene/target_pose', axes, static=True)


def log_rgbd(
    rerun: Any,
    stream: Any,
    rgbd: Rgbd | NoRgbd,
    *,
    targets: Sequence[Target],
    points: Sequence[SurfacePoint | NoPoint],
) -> None:
    """Log depth, the targets' points, their approaches, and the best target's pose.

    Args:
        rerun: The module of that name.
        stream: rerun's recording stream, its time set.
        rgbd: What the image shows; where nothing is known the depth from before goes.
        targets: Best first.
        points: One for each target, in order.
    """
    if isinstance(rgbd, Rgbd):
        grid = rgbd.pinhole.resized(rgbd.depth.size)
        height, width = grid.size
        # rerun's pixels begin at integers, ours have their centres there.
        lens = rerun.Pinhole(
            focal_length=[grid.fx, grid.fy],
            principal_point=[grid.cx + 0.5, grid.cy + 0.5],
            resolution=[width, height],
            camera_xyz=rerun.ViewCoordinates.RDF,
        )
        stream.log('scene/camera', lens)
        depth = rerun.DepthImage(
            _millimetres(rgbd.depth), meter=_UNITS_PER_M, colormap='grayscale'
        )
        stream.log('scene/camera/depth', depth)
    else:
        stream.log('scene/camera/depth', rerun.Clear(recursive=False))
    found = [
        (target, point)
        for target, point in zip(targets, points, strict=True)
        if isinstance(point, SurfacePoint)
    ]
    places = np.array([point.position for _, point in found]).reshape(-1, 3)
    labels = [target.label for target, _ in found]
    stream.log('scene/targets', rerun.Points3D(places, radii=_RADIUS_M, labels=labels))
    normals = [(point.position, point.normal) for _, point in found if point.normal is not None]
    ends = np.array([position for position, _ in normals]).reshape(-1, 3)
    outwards = np.array([normal for _, normal in normals]).reshape(-1, 3)
    arrows = rerun.Arrows3D(origins=ends + _ARROW_M * outwards, vectors=-_ARROW_M * outwards)
    stream.log('scene/approaches', arrows)
    best = points[0] if points else None
    if isinstance(best, SurfacePoint) and best.normal is not None:
        turn = rerun.Quaternion(xyzw=approach_quaternion(best.normal))
        pose = rerun.Transform3D(translation=best.position, quaternion=turn)
        stream.log('scene/target_pose', pose)
    else:
        stream.log('scene/target_pose', rerun.Clear(recursive=False))


def _millimetres(depth: DepthImage) -> NDArray[np.uint16]:
    """Return (H, W) whole millimetres, 0 where depth is unknown or beyond 65 m."""
    values = np.rint(np.nan_to_num(depth.metres(), nan=0.0) * _UNITS_PER_M)
    values[values > np.iinfo(np.uint16).max] = 0
    return np.asarray(values, np.uint16)
