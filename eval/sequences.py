# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Sequences of a camera that moves around a table, of which each pixel's thing is known."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affordance_ros.bag.frames import read_bag
from affordance_ros.image.ros_image import MessageError
from affordance_ros.image.source_frame import SourceError
from affordance_ros.safe_io.yaml import YamlError
from affordance_ros.safe_io.yaml import read_yaml
from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_tabletop.bag import SCENE_KEY
from affordance_ros_tabletop.bag import START_S
from affordance_ros_tabletop.errors import TabletopError
from affordance_ros_tabletop.orbit import Orbit

# Rounding to millimetres is half of one; more is another scene.
_MAX_DEPTH_ERROR_M = 0.002


@dataclass(frozen=True, eq=False)
class View:
    """One image of a sequence.

    Attributes:
        rgb: (H, W, 3) uint8.
        rgbd: What it shows in 3D.
        things: (H, W) uint8, the number of the thing that each pixel shows; 0 for none.
        stamp_s: When it was taken, in seconds.
    """

    rgb: NDArray[np.uint8]
    rgbd: Rgbd
    things: NDArray[np.uint8]
    stamp_s: float


@dataclass(frozen=True, eq=False)
class Sequence:
    """A sequence of images.

    Attributes:
        orbit: Its scene, for the things that afford an action.
        views: Its images, in order; to be read once.
    """

    orbit: Orbit
    views: Iterator[View]


@contextmanager
def rendered(
    seed: int, *, frames: int, rate_hz: float, size: tuple[int, int]
) -> Iterator[Sequence]:
    """Render a sequence.

    Args:
        seed: Of the scene and the camera's path.
        frames: How many images.
        rate_hz: Images a second.
        size: (width, height) in pixels.
    """

    def views() -> Iterator[View]:
        for k in range(frames):
            shot, things = orbit.shoot_things(k / rate_hz)
            rgbd = Rgbd(DepthImage(shot.depth, 1.0), _pinhole(shot.matrix, shot.depth.shape))
            yield View(shot.rgb, rgbd, things, k / rate_hz)

    with Orbit(seed, *size) as orbit:
        yield Sequence(orbit, views())


@contextmanager
def recorded(bag: Path) -> Iterator[Sequence]:
    """Read a bag that `affordance_ros_tabletop render --what bag` wrote.

    Which thing each pixel shows is rendered again from the scene that its metadata names.

    Args:
        bag: Its folder.

    Raises:
        EvaluationError: If the bag can't be read, names no scene, or shows another one.
    """
    try:
        about = read_yaml(bag / 'metadata.yaml')['rosbag2_bagfile_information']['custom_data']
        scene = json.loads(about[SCENE_KEY])
        seed, objects = int(scene['seed']), [str(name) for name in scene['objects']]
        first = next(read_bag(bag))
        height, width = first.bgr.shape[:2]
        orbit = Orbit(seed, width, height, objects=objects)
    except (OSError, YamlError, SourceError, TabletopError) as error:
        raise EvaluationError(f'{bag} can not be scored: {error}') from error
    except (KeyError, TypeError, ValueError, OverflowError, StopIteration) as error:
        raise EvaluationError(
            f'{bag} does not say which scene it shows ({SCENE_KEY} in metadata.yaml): give a bag '
            f'of affordance_ros_tabletop render --what bag'
        ) from error

    def refuse(error: MessageError) -> None:
        raise EvaluationError(f'{bag} has an image that can not be scored: {error}') from error

    def views() -> Iterator[View]:
        for frame in read_bag(bag, on_skip=refuse):
            if frame.depth is None or frame.camera_info is None:
                raise EvaluationError(f'{bag} has an image without depth or camera_info')
            depth = DepthImage.view(frame.depth)
            if depth.raw.shape != (height, width):
                raise EvaluationError(f'{bag} has depth of another size than its images')
            stamp = frame.depth.header.stamp
            stamp_s = stamp.sec - START_S + stamp.nanosec / 1e9
            shot, things = orbit.shoot_things(stamp_s)
            error_m = np.nanmedian(np.abs(depth.metres() - shot.depth))
            if not error_m <= _MAX_DEPTH_ERROR_M:
                raise EvaluationError(
                    f'{bag} shows another scene than its metadata says: depth at {stamp_s} s '
                    f'differs by {error_m:.3f} m'
                )
            rgbd = Rgbd(depth, Pinhole.from_info(frame.camera_info, (height, width)))
            yield View(np.ascontiguousarray(frame.bgr[..., ::-1]), rgbd, things, stamp_s)

    with orbit:
        yield Sequence(orbit, views())


def _pinhole(matrix: NDArray[np.float64], size: tuple[int, ...]) -> Pinhole:
    return Pinhole(matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2], (size[0], size[1]))
