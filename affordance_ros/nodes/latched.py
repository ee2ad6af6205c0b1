# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Subscriptions that hear publishers of both kinds: those that keep messages and those that don't.

A volatile subscription hears every publisher, but nothing that was sent before it was there. A
transient-local one gets that too, but hears transient-local publishers alone, and each other one
warns of it. So the second is made only once such a publisher is there.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from rclpy.subscription import Subscription

from affordance_ros.nodes.topics import listen

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

_PERIOD_S = 1.0  # between two looks for such publishers
_KEPT = 64  # times of messages, by which those that come twice are known
# Humble's subscriptions tell nothing of a message; there one may come twice.
_TELLS_TIMES = hasattr(Subscription, 'CallbackType')


class LatchedSubscription:
    """Hears a topic until `destroy`, and what a publisher has kept from before.

    Args:
        node: The node that listens.
        message_type: The topic's type.
        topic: The topic.
        callback: Takes each message once.
        qos: Of the volatile subscription; parameters override it. With a durability that is set to
            transient local there is no other.
    """

    def __init__(
        self,
        node: Node,
        message_type: type,
        topic: str,
        callback: Callable[[Any], object],
        qos: QoSProfile,
    ) -> None:
        self._node = node
        self._message_type = message_type
        self._callback = callback
        self._lock = threading.Lock()
        self._times: deque[int] = deque(maxlen=_KEPT)
        take: Callable[..., object] = self._take_new if _TELLS_TIMES else callback
        self._take = take
        self._subscriptions = [listen(node, message_type, topic, take, qos)]
        self._timer = node.create_timer(
            _PERIOD_S, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self._look()

    def destroy(self) -> None:
        """Stop listening."""
        self._node.destroy_timer(self._timer)
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def _look(self) -> None:
        if len(self._subscriptions) != 1:
            return
        (first,) = self._subscriptions
        qos = first.qos_profile
        if qos.durability == DurabilityPolicy.TRANSIENT_LOCAL:
            return
        if not any(
            info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
            for info in self._node.get_publishers_info_by_topic(first.topic_name)
        ):
            return
        second = self._node.create_subscription(
            self._message_type,
            first.topic_name,
            self._take,
            QoSProfile(
                depth=max(qos.depth, 1),
                reliability=ReliabilityPolicy.RELIABLE,
                durability=DurabilityPolicy.TRANSIENT_LOCAL,
            ),
            callback_group=MutuallyExclusiveCallbackGroup(),
            # That it does not hear others is as it should be.
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
        )
        self._subscriptions.append(second)

    def _take_new(self, message: Any, info: Any) -> None:
        sent_at = info['source_timestamp']
        with self._lock:
            if sent_at in self._times:
                return
            self._times.append(sent_at)
        self._callback(message)
