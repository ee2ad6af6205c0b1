# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The depth and camera_info that belong to a bag's images: needs no ROS."""

import logging
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from affordance_ros.bag.file import BagMessage
from affordance_ros.bag.file import InputBag
from affordance_ros.image.source_frame import SourceError
from affordance_ros.spatial.rgbd import DEPTH_TOLERANCE_S
from affordance_ros.spatial.rgbd import NO_DEPTH
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.spatial.rgbd import read_rgbd
from affordance_ros.spatial.stamp_cache import StampCache
from affordance_ros.spatial.stamp_cache import to_ns

_LOG = logging.getLogger('affordance-bag')
# Depth is often recorded after its image: so much of the bag is read ahead for it.
READ_AHEAD_NS = 300_000_000
_DEPTH_TYPE, _INFO_TYPE = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CameraInfo'
_KEPT_DEPTHS, _KEPT_INFOS = 60, 10  # twice what a camera of 90 Hz gives while an image waits


@dataclass(frozen=True)
class DepthTopics:
    """Where depth and camera_info are.

    Attributes:
        depth: Of Image messages, registered to the images; empty where there is none.
        camera_info: Of the images; empty where there is none.
    """

    depth: str = ''
    camera_info: str = ''


class BagRgbd:
    """Keeps the newest depth and camera_info, matched by stamp as in the node.

    Args:
        source: The bag.
        wanted: The topics; what is empty there is looked for in the bag.

    Raises:
        SourceError: If a topic is named that the bag doesn't have.
    """

    def __init__(self, source: InputBag, wanted: DepthTopics) -> None:
        self._source = source
        self._topics = find_depth_topics(source.types, source.topic, wanted)
        self._depths: StampCache[Any] = StampCache(_KEPT_DEPTHS, DEPTH_TOLERANCE_S)
        self._infos: StampCache[Any] = StampCache(_KEPT_INFOS, math.inf)
        self._named: set[str] = set()
        self.without_points: Counter[str] = Counter()
        if self._topics.depth:
            _LOG.info(
                '3D points from %s, which must be registered to %s, and %s',
                self._topics.depth,
                source.topic,
                self._topics.camera_info or 'no camera_info',
            )

    @property
    def topics(self) -> set[str]:
        """The topics to read beside the images; none if the bag has no depth."""
        if not self._topics.depth:
            return set()
        return {self._topics.depth, self._topics.camera_info} - {''}

    def add(self, message: BagMessage) -> None:
        """Keep a message if it is depth or camera_info."""
        topic = message.connection.topic
        if topic not in self.topics:
            return
        content = self._source.read(message)
        cache = self._depths if topic == self._topics.depth else self._infos
        cache.add(to_ns(content.header.stamp), content)

    def rgbd(self, header: Any, *, size: tuple[int, int]) -> Rgbd | NoRgbd:
        """Return what an image shows in 3D; what keeps it from being known is named once.

        Args:
            header: The image's.
            size: (height, width) of the image in pixels.
        """
        if not self._topics.depth:
            return NO_DEPTH
        stamp_ns = to_ns(header.stamp)
        rgbd = read_rgbd(self._depths.match(stamp_ns), self._infos.match(stamp_ns), size=size)
        if isinstance(rgbd, NoRgbd):
            self.without_points[rgbd.cause] += 1
            self._name_once(rgbd.cause, f'an image gets no 3D points: {rgbd.text}')
        elif rgbd.pinhole.warning:
            self._name_once('warning', rgbd.pinhole.warning)
        return rgbd

    def _name_once(self, cause: str, text: str) -> None:
        if cause not in self._named:
            self._named.add(cause)
            _LOG.warning('%s', text)


def find_depth_topics(types: dict[str, str], image: str, wanted: DepthTopics) -> DepthTopics:
    """Choose the topics of depth and camera_info.

    Depth is the only Image topic with 'depth' in its name, camera_info the one beside the images
    or the only one. Where several are left, none is taken, and that is named.

    Args:
        types: The type of each topic, such as sensor_msgs/msg/Image.
        image: The topic of the images.
        wanted: What is not empty there is taken.

    Raises:
        SourceError: If a topic is wanted that isn't there.
    """
    depths = [t for t, k in types.items() if k == _DEPTH_TYPE and 'depth' in t and t != image]
    depth = _choose(wanted.depth, depths, types, _DEPTH_TYPE, option='--depth-topic')
    infos = [t for t, k in types.items() if k == _INFO_TYPE]
    # /camera/image/compressed lies a level below the camera's own topics.
    folders = (image.rpartition('/')[0], image.rpartition('/')[0].rpartition('/')[0])
    beside = [f'{folder}/camera_info' for folder in folders]
    near = next((topic for topic in beside if topic in infos), '')
    if not depth and not wanted.camera_info:
        return DepthTopics()
    infos = [near] if near else infos
    info = _choose(wanted.camera_info, infos, types, _INFO_TYPE, option='--camera-info-topic')
    return DepthTopics(depth, info)


def _choose(
    wanted: str, found: list[str], types: dict[str, str], kind: str, *, option: str
) -> str:
    if wanted:
        if types.get(wanted) != kind:
            known = ', '.join(sorted(t for t, k in types.items() if k == kind)) or 'none'
            raise SourceError(f'{option}: no {kind} on {wanted!r}; such topics are: {known}')
        return wanted
    if len(found) > 1:
        names = ', '.join(sorted(found))
        _LOG.warning('no 3D points: several topics of %s (%s): choose by %s', kind, names, option)
        return ''
    return found[0] if found else ''
