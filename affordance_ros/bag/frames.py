# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""RGB-D frames out of a rosbag2, read by rosbags: needs no ROS."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from affordance_ros.image.ros_image import CameraImage
from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import decode_compressed
from affordance_ros.image.ros_image import needs_bridge
from affordance_ros.image.ros_image import read_message
from affordance_ros.image.source_frame import SourceError
from affordance_ros.image.source_frame import SourceFrame
from affordance_ros.spatial.depth import DepthError
from affordance_ros.spatial.depth import DepthImage

_COLOUR = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
_INFO = 'sensor_msgs/msg/CameraInfo'


def is_bag(path: Path) -> bool:
    """Tell whether a folder is a rosbag2."""
    return (path / 'metadata.yaml').is_file()


def read_bag(path: Path) -> Iterator[SourceFrame]:
    """Read a bag's colour frames, with the depth and the intrinsics of the same stamp.

    The colour topic is the one whose name holds 'image' and not 'depth', the depth topic the one
    that holds 'depth'.

    Args:
        path: The bag's folder.

    Returns:
        An iterator over the frames in the order of the bag; depth and intrinsics must lie before
        their colour frame, and are None where there are none.

    Raises:
        SourceError: If rosbags is not installed, or the folder is no bag with a colour topic.
    """
    try:
        from rosbags.highlevel import AnyReader  # slow to import, and for bags alone
        from rosbags.highlevel import AnyReaderError
        from rosbags.typesys import Stores
        from rosbags.typesys import get_typestore
    except ImportError as error:
        raise SourceError(f'{path} is a bag, and reading it needs: pip install rosbags') from error
    try:
        with AnyReader([path], default_typestore=get_typestore(Stores.LATEST)) as reader:
            kinds = {c.topic: _kind(c.topic, c.msgtype) for c in reader.connections}
            if 'colour' not in kinds.values():
                raise SourceError(f'{path} has no topic of colour images; it has {sorted(kinds)}')
            yield from _pair(reader, kinds)
    except AnyReaderError as error:
        raise SourceError(f'{path} is not a readable bag: {error}') from error


def decode_image(message: Any) -> CameraImage:
    """Read an Image or CompressedImage message by the node's own code.

    Raises:
        ImageError: If it can't be used, or needs cv_bridge, which is ROS.
    """
    if hasattr(message, 'format'):
        return decode_compressed(message.data)
    image = None if needs_bridge(message) else read_message(message)
    if image is None:
        raise ImageError(
            'encoding',
            f'images with encoding {message.encoding!r} need cv_bridge, which comes with ROS: '
            f'play the bag to the node, or record rgb8 or bgr8',
        )
    return image


def _kind(topic: str, message_type: str) -> str:
    if message_type == _INFO:
        return 'info'
    if message_type not in _COLOUR:
        return ''
    return 'depth' if 'depth' in topic else 'colour'


def _pair(reader: Any, kinds: dict[str, str]) -> Iterator[SourceFrame]:
    newest: dict[str, Any] = {}
    wanted = [connection for connection in reader.connections if kinds[connection.topic]]
    for connection, _, raw in reader.messages(connections=wanted):
        message = reader.deserialize(raw, connection.msgtype)
        kind = kinds[connection.topic]
        if kind != 'colour':
            newest[kind] = message
            continue
        same = {
            name: other
            for name, other in newest.items()
            if other.header.stamp == message.header.stamp
        }
        info, depth = same.get('info'), same.get('depth')
        yield SourceFrame(
            bgr=_colour(message).to_bgr(),
            depth_m=_depth(depth) if depth is not None else None,
            matrix=np.asarray(info.k, np.float64).reshape(3, 3) if info is not None else None,
        )


def _colour(message: Any) -> CameraImage:
    try:
        return decode_image(message)
    except ImageError as error:
        raise SourceError(f'the bag holds a frame that can not be used: {error}') from error


def _depth(message: Any) -> np.ndarray:
    try:
        return DepthImage.view(message).metres()
    except DepthError as error:
        raise SourceError(f'the bag holds depth that can not be used: {error}') from error
