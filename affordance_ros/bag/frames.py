# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""RGB-D frames out of a rosbag2, read by rosbags: needs no ROS."""

from collections import deque
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from affordance_ros.bag.file import BagMessage
from affordance_ros.bag.file import InputBag
from affordance_ros.bag.file import open_bag
from affordance_ros.bag.rgbd import READ_AHEAD_NS
from affordance_ros.bag.rgbd import BagRgbd
from affordance_ros.bag.topics import DepthTopics
from affordance_ros.bag.topics import TopicOptions
from affordance_ros.image.bit_depth import BitDepth
from affordance_ros.image.compressed import decode_compressed
from affordance_ros.image.compressed import is_compressed
from affordance_ros.image.ros_image import CameraImage
from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import MessageError
from affordance_ros.image.ros_image import read_message
from affordance_ros.image.source_frame import SourceFrame
from affordance_ros.spatial.depth import DepthError
from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.plausible import RgbdChecks
from affordance_ros.spatial.rgbd import NoRgbd

OnSkip = Callable[[MessageError], None]


def read_bag(
    path: Path,
    topic: str = '',
    depth: DepthTopics | None = None,
    *,
    options: TopicOptions | None = None,
    allow_other_frames: bool = False,
    on_skip: OnSkip | None = None,
) -> Iterator[SourceFrame]:
    """Read a bag's images, with the depth and the camera_info that belong to them.

    Topics are chosen and matched as by the bag tool.

    Args:
        path: A rosbag2 folder, or a single .mcap or .db3.
        topic: The topic of images; '' for the only one there is.
        depth: The topics of depth and camera_info; what is empty there is looked for.
        options: What the options are called that name topics.
        allow_other_frames: Whether depth of another frame than the images' may be chosen.
        on_skip: Told why an image, or an image's depth, could not be used and was left out.

    Returns:
        An iterator over the frames in the order of the bag.

    Raises:
        SourceError: If the bag can't be read or has no such topics.
    """
    options = options or TopicOptions()
    on_skip = on_skip or (lambda error: None)
    bits = BitDepth()
    checks = RgbdChecks(allow_other_frames=allow_other_frames)
    with open_bag(path, topic, option=options.image) as source:
        rgbd = BagRgbd(source, depth or DepthTopics(), checks, options)
        for message in in_turn(source, rgbd):
            content = source.read(message)
            try:
                bgr = decode_image(content, bits).to_bgr()
            except ImageError as error:
                on_skip(error)
                continue
            found, info = rgbd.pair(content.header, message.log_ns)
            yield SourceFrame(bgr, _usable(found, on_skip), info, content.header.frame_id)


def in_turn(source: InputBag, rgbd: BagRgbd) -> Iterator[BagMessage]:
    """Yield the bag's images, each once its depth can have come."""
    held = HeldImages(source, rgbd)
    for message in source.messages(everything=False, beside=rgbd.topics):
        yield from held.take(message)
    yield from held.rest()


class HeldImages:
    """Images that wait for their depth, which is often recorded after them.

    Args:
        source: The bag.
        rgbd: Takes depth and camera_info.
    """

    def __init__(self, source: InputBag, rgbd: BagRgbd) -> None:
        self._topic = source.topic
        self._rgbd = rgbd
        self._ahead_ns = READ_AHEAD_NS if rgbd.topics else 0
        self._held: deque[BagMessage] = deque()

    def take(self, message: BagMessage) -> Iterator[BagMessage]:
        """Take the bag's next message; yield the images that have waited long enough."""
        if message.connection.topic == self._topic:
            self._held.append(message)
        else:
            self._rgbd.add(message)
        while self._held and message.log_ns - self._held[0].log_ns >= self._ahead_ns:
            yield self._held.popleft()

    def rest(self) -> Iterator[BagMessage]:
        """Yield the images that still wait at the bag's end."""
        while self._held:
            yield self._held.popleft()


def decode_image(message: Any, bit_depth: BitDepth | None = None) -> CameraImage:
    """Read an Image or CompressedImage message by the node's own code.

    Raises:
        ImageError: If it can't be used.
    """
    if is_compressed(message):
        return decode_compressed(message, bit_depth)
    return read_message(message, bit_depth)


def _usable(depth: Any, on_skip: OnSkip) -> Any:
    """Return a depth message that can be read, or None."""
    if depth is None:
        return None
    if isinstance(depth, NoRgbd):
        on_skip(DepthError(depth.cause, depth.text))
        return None
    try:
        DepthImage.view(depth)
    except DepthError as error:
        on_skip(error)
        return None
    return depth
