# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How the grounding node publishes and listens: QoS defaults that a person can override."""

from collections.abc import Callable

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.expand_topic_name import expand_topic_name
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSPolicyKind
from rclpy.qos import QoSProfile
from rclpy.qos import qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

# The node itself keeps the newest messages. The queue before that has to outlast the moments when
# a busy machine keeps the callback waiting, so that a frame that gives way is counted as dropped
# and not lost unseen: with depth 1 a loaded 2-core machine lost 14 % of a 30 Hz camera's frames.
SENSOR_QOS = QoSProfile(
    depth=10,
    reliability=qos_profile_sensor_data.reliability,
    durability=qos_profile_sensor_data.durability,
)


def advertise(node: Node, message_type: type, topic: str, depth: int) -> Publisher:
    """Create a reliable publisher whose QoS can be overridden by parameters."""
    return node.create_publisher(
        message_type,
        topic,
        depth,
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
    )


def listen(
    node: Node,
    message_type: type,
    topic: str,
    callback: Callable[..., object],
    qos: QoSProfile = SENSOR_QOS,
) -> Subscription:
    """Subscribe, by default as to a sensor, in a callback group of its own.

    Parameters override reliability, durability, depth and history.
    """
    return node.create_subscription(
        message_type,
        topic,
        callback,
        qos,
        callback_group=MutuallyExclusiveCallbackGroup(),
        qos_overriding_options=QoSOverridingOptions(
            (
                QoSPolicyKind.HISTORY,
                QoSPolicyKind.DEPTH,
                QoSPolicyKind.RELIABILITY,
                QoSPolicyKind.DURABILITY,
            )
        ),
    )


def is_remapped(node: Node, topic: str) -> bool:
    """Return whether a topic has another name than the node gives it."""
    plain = expand_topic_name(topic, node.get_name(), node.get_namespace())
    return bool(node.resolve_topic_name(topic) != plain)


def camera_info_topic(node: Node) -> str:
    """Return the topic of the image's CameraInfo.

    As image_transport's cameras have it: `camera_info` beside the image topic, whatever that was
    remapped to; a remapping of `camera_info` itself goes before that.
    """
    if is_remapped(node, 'camera_info'):
        return str(node.resolve_topic_name('camera_info'))
    return f'{node.resolve_topic_name("image").rpartition("/")[0]}/camera_info'
