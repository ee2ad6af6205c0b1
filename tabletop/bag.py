# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Write an orbit of the tabletop as a rosbag2 in MCAP, without ROS.

/camera/image         sensor_msgs/Image rgb8 (or /camera/image/compressed, JPEG)
/camera/depth         sensor_msgs/Image 16UC1, millimetres, 0 = nothing
/camera/camera_info   sensor_msgs/CameraInfo
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.rosbag2 import CompressionFormat
from rosbags.rosbag2 import CompressionMode
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores
from rosbags.typesys import get_typestore
from tqdm import tqdm

from affordance_ros_tabletop.errors import StoreError
from affordance_ros_tabletop.meshes import Floats
from affordance_ros_tabletop.orbit import DEFAULT_OBJECTS
from affordance_ros_tabletop.orbit import Orbit

FRAME_ID = 'camera_optical_frame'
# Under this key of the bag's custom_data stands which scene it shows.
SCENE_KEY = 'affordance_ros_tabletop'
START_S = 1_700_000_000  # any fixed date: the same seed gives the same bag


def depth_millimetres(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Turn (H, W) metres into uint16 millimetres; what doesn't fit becomes 0, not known."""
    mm = np.rint(depth * 1000.0)
    return np.where((mm > 0) & (mm < 65536), mm, 0).astype(np.uint16)


class _Messages:
    """Makes the messages of one camera."""

    def __init__(self) -> None:
        self.store = get_typestore(Stores.ROS2_JAZZY)
        self._types = self.store.types

    def _make(self, name: str, **fields: Any) -> Any:
        return self._types[name](**fields)

    def header(self, stamp_ns: int) -> Any:
        stamp = self._make(
            'builtin_interfaces/msg/Time', sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
        )
        return self._make('std_msgs/msg/Header', stamp=stamp, frame_id=FRAME_ID)

    def image(self, header: Any, pixels: NDArray[Any], encoding: str) -> Any:
        data = np.ascontiguousarray(pixels)
        return self._make(
            'sensor_msgs/msg/Image',
            header=header,
            height=data.shape[0],
            width=data.shape[1],
            encoding=encoding,
            is_bigendian=0,
            step=data.strides[0],
            data=data.reshape(-1).view(np.uint8),
        )

    def jpeg(self, header: Any, rgb: NDArray[np.uint8]) -> Any:
        data = cv2.imencode('.jpg', rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        return self._make(
            'sensor_msgs/msg/CompressedImage', header=header, format='jpeg', data=data.reshape(-1)
        )

    def info(self, header: Any, matrix: Floats, width: int, height: int) -> Any:
        region = self._make(
            'sensor_msgs/msg/RegionOfInterest',
            x_offset=0,
            y_offset=0,
            height=0,
            width=0,
            do_rectify=False,
        )
        projection = np.hstack([matrix, np.zeros((3, 1))])
        return self._make(
            'sensor_msgs/msg/CameraInfo',
            header=header,
            height=height,
            width=width,
            distortion_model='plumb_bob',
            d=np.zeros(5),
            k=matrix.reshape(-1),
            r=np.eye(3).reshape(-1),
            p=projection.reshape(-1),
            binning_x=0,
            binning_y=0,
            roi=region,
        )


def write_bag(
    path: Path,
    *,
    seed: int,
    seconds: float,
    rate_hz: float,
    width: int,
    height: int,
    compressed: bool = False,
    objects: Sequence[str] = DEFAULT_OBJECTS,
) -> int:
    """Render an orbit into a bag.

    Args:
        path: the bag's folder; it must not exist.
        seed: of the scene and the path.
        seconds: length.
        rate_hz: frames a second.
        width: pixels.
        height: pixels.
        compressed: JPEG images and zstd storage, for a bag that is passed on.
        objects: nouns to show.

    Returns:
        The number of frames.

    Raises:
        StoreError: if the folder exists.
    """
    if path.exists():
        raise StoreError(f'{path} exists: remove it first, or choose another --out')
    part = path.with_name(f'.{path.name}.part')
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    messages, count = _Messages(), max(1, round(seconds * rate_hz))
    # The metadata file names the storage file after the folder, so it is moved as a whole.
    with Orbit(seed, width, height, objects=objects) as orbit:
        writer = Writer(part / path.name, version=9, storage_plugin=StoragePlugin.MCAP)
        if compressed:
            writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        writer.set_custom_data(SCENE_KEY, json.dumps({'seed': seed, 'objects': list(objects)}))
        with writer:
            kind = 'CompressedImage' if compressed else 'Image'
            topic = '/camera/image/compressed' if compressed else '/camera/image'
            links = {
                name: writer.add_connection(
                    where, f'sensor_msgs/msg/{what}', typestore=messages.store
                )
                for name, where, what in (
                    ('image', topic, kind),
                    ('depth', '/camera/depth', 'Image'),
                    ('info', '/camera/camera_info', 'CameraInfo'),
                )
            }
            for k in tqdm(range(count), desc='bag', unit='frame'):
                shot = orbit.shoot(k / rate_hz)
                stamp = START_S * 10**9 + round(k / rate_hz * 10**9)
                header = messages.header(stamp)
                colour = (
                    messages.jpeg(header, shot.rgb)
                    if compressed
                    else messages.image(header, shot.rgb, 'rgb8')
                )
                depth = messages.image(header, depth_millimetres(shot.depth), '16UC1')
                for name, message in (
                    ('info', messages.info(header, shot.matrix, width, height)),
                    ('depth', depth),
                    ('image', colour),
                ):
                    raw = messages.store.serialize_cdr(message, links[name].msgtype)
                    writer.write(links[name], stamp, raw)
    (part / path.name).rename(path)
    part.rmdir()
    return count
