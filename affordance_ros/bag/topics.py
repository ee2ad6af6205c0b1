# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which topics of a bag are images, their depth and their camera_info.

Chosen by what the first message of each topic holds (type, encoding, frame_id), then by names:
drivers don't agree on names.
"""

import logging
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from affordance_ros.image.compressed import holds_depth
from affordance_ros.image.source_frame import SourceError
from affordance_ros.spatial.plausible import frame_of

_LOG = logging.getLogger('affordance-bag')
IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
_DEPTH_ENCODINGS = ('16UC1', '32FC1')
_INFRARED = ('infra', '/ir/', '/ir_')


@dataclass(frozen=True)
class TopicFacts:
    """What a topic holds, by its first message.

    Attributes:
        message_type: Such as sensor_msgs/msg/Image.
        kind: 'colour', 'infrared', 'depth' or 'info'; '' for what is not read.
        frame_id: Its header's, without a leading slash; '' where it has none.
    """

    message_type: str
    kind: str
    frame_id: str = ''


@dataclass(frozen=True)
class TopicOptions:
    """What the options are called by which a person chooses a topic."""

    image: str = '--topic'
    depth: str = '--depth-topic'
    camera_info: str = '--camera-info-topic'


@dataclass(frozen=True)
class DepthTopics:
    """Where depth and camera_info are.

    Attributes:
        depth: Of Image or CompressedImage messages, registered to the images; '' for none.
        camera_info: Of the images; '' for none.
    """

    depth: str = ''
    camera_info: str = ''


def describe(topic: str, message_type: str, message: Any) -> TopicFacts:
    """Say what a topic holds.

    Args:
        topic: Its name.
        message_type: Its type.
        message: Its first message; None where there is none, or none that can be read.
    """
    kind = ''
    if message_type == CAMERA_INFO:
        kind = 'info'
    elif message_type in (IMAGE, COMPRESSED):
        kind = 'depth' if _is_depth(topic, message_type, message) else 'colour'
        if kind == 'colour' and any(word in topic.lower() for word in _INFRARED):
            kind = 'infrared'
    return TopicFacts(message_type, kind, frame_of(message))


def choose_images(facts: Mapping[str, TopicFacts], wanted: str, where: str, option: str) -> str:
    """Return the topic of images to answer.

    Colour goes before infrared, a raw image before the compressed one of the same name.

    Args:
        facts: What each topic holds.
        wanted: The topic that a person named; '' to choose.
        where: What to call the bag in errors.
        option: The option's name.

    Raises:
        SourceError: If the wanted topic has no images, or none or several are left to choose.
    """
    types = ', '.join(f'{t} ({one.message_type})' for t, one in sorted(facts.items())) or 'none'
    if wanted:
        if wanted not in facts or facts[wanted].message_type not in (IMAGE, COMPRESSED):
            raise SourceError(f'{where} has no images on {wanted!r}; its topics are: {types}')
        return wanted
    for kind in ('colour', 'infrared'):
        found = _without_twins(t for t, one in facts.items() if one.kind == kind)
        if len(found) == 1:
            return found[0]
        if found:
            raise SourceError(
                f'{where} has {len(found)} topics of images ({", ".join(found)}): choose one by '
                f'{option}'
            )
    raise SourceError(f'{where} has no topic of colour images; its topics are: {types}')


def choose_depth(
    facts: Mapping[str, TopicFacts],
    image: str,
    wanted: DepthTopics,
    options: TopicOptions | None = None,
    *,
    any_frame: bool = False,
) -> DepthTopics:
    """Choose the topics of depth and camera_info; what is in doubt is named and left out.

    Args:
        facts: What each topic holds.
        image: The topic of the images.
        wanted: What is not empty there is taken.
        options: What the options are called.
        any_frame: Whether depth and camera_info of another frame than the image's may be chosen.

    Raises:
        SourceError: If a topic is wanted that isn't there.
    """
    options = options or TopicOptions()
    depth = _named(wanted.depth, 'depth', facts, (IMAGE, COMPRESSED), options.depth)
    if not depth:
        depth = _find_depth(facts, image, options, any_frame)
    info = _named(wanted.camera_info, 'camera_info', facts, (CAMERA_INFO,), options.camera_info)
    return DepthTopics(
        depth, info or _find_info(facts, image, options, any_frame, quiet=not depth)
    )


def _find_depth(
    facts: Mapping[str, TopicFacts], image: str, options: TopicOptions, any_frame: bool
) -> str:
    every = _without_twins(t for t, one in facts.items() if one.kind == 'depth' and t != image)
    fitting = [t for t in every if any_frame or _same_frame(facts, t, image)]
    if len(fitting) > 1:
        fitting = _aligned(fitting) or _beside(fitting, image) or fitting
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        _LOG.warning(
            'no 3D points: several topics of depth (%s): choose by %s',
            ', '.join(fitting), options.depth,
        )  # fmt: skip
    elif every:
        _LOG.warning(
            'no 3D points: depth on %s is not of the frame of %s (%s): record depth that is '
            'registered to the image, or choose by %s and allow other frames',
            ', '.join(f'{t} ({facts[t].frame_id})' for t in every),
            image, facts[image].frame_id, options.depth,
        )  # fmt: skip
    else:
        others = [
            f'{t} ({one.message_type})'
            for t, one in sorted(facts.items())
            if not one.kind and any(word in t.lower() for word in ('depth', 'points', 'dispar'))
        ]
        if others:
            _LOG.warning(
                'no 3D points: no topic of depth images; not read are %s: record depth as '
                'sensor_msgs/msg/Image, or choose by %s',
                ', '.join(others), options.depth,
            )  # fmt: skip
    return ''


def _find_info(
    facts: Mapping[str, TopicFacts],
    image: str,
    options: TopicOptions,
    any_frame: bool,
    *,
    quiet: bool,
) -> str:
    every = sorted(t for t, one in facts.items() if one.kind == 'info')
    # /camera/image/compressed lies a level below the camera's own topics.
    folders = (image.rpartition('/')[0], image.rpartition('/')[0].rpartition('/')[0])
    beside = [f'{folder}/camera_info' for folder in folders if f'{folder}/camera_info' in every]
    fitting = [t for t in every if any_frame or _same_frame(facts, t, image)]
    for found in ([t for t in beside if t in fitting], fitting if len(fitting) == 1 else []):
        if found:
            return found[0]
    if every and not quiet:
        reason = 'several topics of camera_info' if fitting else 'camera_info of another frame'
        _LOG.warning(
            'no 3D points: %s (%s): choose by %s', reason, ', '.join(every), options.camera_info
        )
    return ''


def _named(
    wanted: str, what: str, facts: Mapping[str, TopicFacts], types: tuple[str, ...], option: str
) -> str:
    if wanted and (wanted not in facts or facts[wanted].message_type not in types):
        known = ', '.join(sorted(t for t, one in facts.items() if one.message_type in types))
        raise SourceError(
            f'{option}: no {types[0]} on {wanted!r}; such topics are: {known or "none"}'
        )
    return wanted


def _is_depth(topic: str, message_type: str, message: Any) -> bool:
    by_name = any(
        part == 'depth' or part.startswith('aligned_depth') for part in topic.lower().split('/')
    )
    if message is None:
        return by_name or 'compressedDepth' in topic
    if message_type == COMPRESSED:
        return holds_depth(message) or 'compressedDepth' in topic
    return message.encoding in _DEPTH_ENCODINGS or by_name


def _same_frame(facts: Mapping[str, TopicFacts], topic: str, image: str) -> bool:
    own, other = facts[topic].frame_id, facts[image].frame_id
    return not own or not other or own == other


def _without_twins(topics: Iterable[str]) -> list[str]:
    """Drop transports of a topic that is there raw."""
    found = sorted(topics)
    return [t for t in found if t.rpartition('/')[0] not in found]


def _aligned(topics: Iterable[str]) -> list[str]:
    found = [t for t in topics if 'aligned' in t or 'registered' in t]
    return found if len(found) == 1 else []


def _beside(topics: Iterable[str], image: str) -> list[str]:
    """Return the topics that share the longest namespace with the images'."""
    parts = image.split('/')

    def shared(topic: str) -> int:
        pairs = zip(topic.split('/'), parts, strict=False)
        return next((n for n, (a, b) in enumerate(pairs) if a != b), len(parts))

    most = max(shared(t) for t in topics)
    found = [t for t in topics if shared(t) == most]
    return found if len(found) == 1 else []
