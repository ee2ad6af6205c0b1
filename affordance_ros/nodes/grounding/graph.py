# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the node sees around it: who publishes images, and whether they can be heard."""

import difflib

from rclpy.node import Node
from rclpy.qos import QoSCompatibility
from rclpy.qos import QoSProfile
from rclpy.qos import qos_check_compatible
from rclpy.subscription import Subscription

from affordance_ros.runtime.frame_gaps import FrameLoss
from affordance_ros.runtime.health_inputs import HealthInputs
from affordance_ros.runtime.health_inputs import Publisher
from affordance_ros.runtime.health_inputs import SpatialFacts
from affordance_ros.runtime.mailbox import Counters
from affordance_ros.runtime.mailbox import RequestCounters

_IMAGE_TYPES = {'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'}
_POLICIES = {
    'reliable': 'reliability',
    'transient local': 'durability',
    'deadline': 'deadline',
    'liveliness': 'liveliness',
}


def gather_facts(
    node: Node,
    images: Subscription,
    *,
    counters: Counters,
    has_command: bool,
    requests: RequestCounters,
    spatial: SpatialFacts,
    loss: FrameLoss,
    max_rate_hz: float = 0.0,
) -> HealthInputs:
    """Look at the graph and the clock, and put what the node knows beside it.

    Args:
        node: The node.
        images: Its subscription to images.
        counters: Its frame counts.
        has_command: Whether a command is in force.
        requests: What became of the requests.
        max_rate_hz: Its rate limit, 0 for none.
        spatial: What is known of depth and camera_info.
        loss: How many images were lost on the way.
    """
    topic = images.topic_name
    message_type = f'{images.msg_type.__module__.split(".")[0]}/msg/{images.msg_type.__name__}'
    publishers = tuple(
        Publisher(
            node=f'{info.node_namespace.rstrip("/")}/{info.node_name}',
            message_type=info.topic_type,
            qos_conflict=_qos_conflict(info.qos_profile, images.qos_profile),
        )
        for info in node.get_publishers_info_by_topic(topic)
    )
    sim_time = bool(node.get_parameter('use_sim_time').value)
    return HealthInputs(
        image_topic=topic,
        message_type=message_type,
        publishers=publishers,
        similar_topics=() if publishers else _similar_topics(node, topic),
        counters=counters,
        has_command=has_command,
        requests=requests,
        command_topic=node.resolve_topic_name('task_command'),
        max_rate_hz=max_rate_hz,
        spatial=spatial,
        loss=loss,
        sim_time=sim_time,
        clock_started=not sim_time or node.get_clock().now().nanoseconds > 0,
    )


def _qos_conflict(published: QoSProfile, subscribed: QoSProfile) -> str:
    """Return which policies keep the two apart, and why; '' if none does."""
    compatibility, reason = qos_check_compatible(published, subscribed)
    if compatibility != QoSCompatibility.ERROR:
        return ''
    conflicts = [
        part.removeprefix('ERROR: ') for part in reason.split(';') if part.startswith('ERROR: ')
    ]
    said = '; '.join(conflicts).lower()
    policies = [policy for word, policy in _POLICIES.items() if word in said]
    return f'{", ".join(policies) or "unknown policy"}: {said}'


def _similar_topics(node: Node, topic: str) -> tuple[str, ...]:
    """Return up to five topics on which images are published, the most alike first."""
    own = f'{node.get_fully_qualified_name()}/'
    names = [
        name
        for name, types in node.get_topic_names_and_types()
        if _IMAGE_TYPES & set(types) and name != topic and not name.startswith(own)
    ]
    names.sort(key=lambda name: -difflib.SequenceMatcher(None, name, topic).ratio())
    return tuple(name for name in names if node.count_publishers(name))[:5]
