# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The depth and camera_info that belong to a bag's images: needs no ROS."""

import logging
import math
from collections import Counter
from typing import Any

from affordance_ros.bag.file import BagMessage
from affordance_ros.bag.file import InputBag
from affordance_ros.bag.topics import DepthTopics
from affordance_ros.bag.topics import TopicOptions
from affordance_ros.bag.topics import choose_depth
from affordance_ros.image.compressed import is_compressed
from affordance_ros.spatial.compressed_depth import decode_depth
from affordance_ros.spatial.depth import DepthError
from affordance_ros.spatial.plausible import RgbdChecks
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
_KEPT_DEPTHS, _KEPT_INFOS = 60, 10  # twice what a camera of 90 Hz gives while an image waits


class BagRgbd:
    """Keeps the newest depth and camera_info, matched by stamp as in the node.

    Args:
        source: The bag.
        wanted: The topics; what is empty there is looked for in the bag.
        checks: What depth must satisfy.
        options: What the options are called that name topics.

    Raises:
        SourceError: If a topic is named that the bag doesn't have.
    """

    def __init__(
        self,
        source: InputBag,
        wanted: DepthTopics,
        checks: RgbdChecks | None = None,
        options: TopicOptions | None = None,
    ) -> None:
        self._source = source
        self._checks = checks or RgbdChecks()
        self._topics = choose_depth(
            source.facts,
            source.topic,
            wanted,
            options,
            any_frame=self._checks.allow_other_frames,
        )
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
    def has_depth(self) -> bool:
        """Whether a topic of depth is read."""
        return bool(self._topics.depth)

    @property
    def topics(self) -> set[str]:
        """The topics to read beside the images."""
        return {self._topics.depth, self._topics.camera_info} - {''}

    def add(self, message: BagMessage) -> None:
        """Keep a message if it is depth or camera_info."""
        topic = message.connection.topic
        if topic not in self.topics:
            return
        content = self._source.read(message)
        key = self.key(content.header, message.log_ns)
        if topic == self._topics.camera_info:
            self._infos.add(key, content)
            return
        try:
            self._depths.add(key, decode_depth(content) if is_compressed(content) else content)
        except DepthError as error:
            self._depths.add(key, NoRgbd('unusable', error.cause, str(error)))

    def key(self, header: Any, log_ns: int) -> int:
        """Return what a message is matched by: its stamp, or if that is 0 its log time."""
        stamp_ns = to_ns(header.stamp)
        if not stamp_ns:
            self._name_once(
                'no_stamp', 'stamps are 0: depth is matched by the times of recording instead'
            )
        return stamp_ns or log_ns

    def pair(self, header: Any, log_ns: int) -> tuple[Any, Any]:
        """Return the depth (or a NoRgbd that says why it can't be used) and camera_info, or None.

        Args:
            header: The image's.
            log_ns: When the image was recorded, in nanoseconds.
        """
        key = self.key(header, log_ns)
        return self._depths.match(key), self._infos.match(key)

    def rgbd(self, header: Any, *, size: tuple[int, int], log_ns: int) -> Rgbd | NoRgbd:
        """Return what an image shows in 3D; what keeps it from being known is named once.

        Args:
            header: The image's.
            size: (height, width) of the image in pixels.
            log_ns: When the image was recorded, in nanoseconds.
        """
        if not self._topics.depth:
            return NO_DEPTH
        depth, info = self.pair(header, log_ns)
        rgbd: Rgbd | NoRgbd
        if isinstance(depth, NoRgbd):
            rgbd = depth
        else:
            rgbd = read_rgbd(depth, info, size=size, frame_id=header.frame_id, checks=self._checks)
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
