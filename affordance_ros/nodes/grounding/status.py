# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The latched status: published when something changes, and at most once a second for counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy

from affordance_ros.image.ros_image import ImageError
from affordance_ros.msg import GroundingStatus
from affordance_ros.runtime.mailbox import Counters
from affordance_ros.text.commands import BoundCommand

if TYPE_CHECKING:  # torch would come with it, which a listener does not need
    from affordance_ros.predictor import Predictor

LATCHED = QoSProfile(
    depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE
)

REJECTED = 'command rejected: '
_PERIOD_S = 1.0
_STATES = {
    GroundingStatus.LOADING: 'loading',
    GroundingStatus.WAITING_FOR_COMMAND: 'waiting for a command',
    GroundingStatus.WAITING_FOR_IMAGE: 'waiting for an image',
    GroundingStatus.RUNNING: 'running',
    GroundingStatus.UNCONFIGURED: 'unconfigured',
    GroundingStatus.INACTIVE: 'inactive',
    GroundingStatus.FINALIZED: 'finalized',
}


class StatusReporter:
    """Publishes what the node is doing on `~/status`.

    Args:
        node: The node to publish for.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._counters: Callable[[], Counters] = Counters
        self._lock = threading.Lock()
        self._message = GroundingStatus(state=GroundingStatus.UNCONFIGURED)
        self._published_counts: Counters | None = None
        self._named_causes: set[str] = set()
        self._publisher = node.create_publisher(GroundingStatus, '~/status', LATCHED)
        # Real time: a simulated clock that stands or jumps must not silence the status.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(_PERIOD_S, self.publish_counts, clock=steady)
        self.publish()

    def count(self, counters: Callable[[], Counters]) -> None:
        """Name what returns the frame counts."""
        self._counters = counters

    @property
    def state(self) -> str:
        """The state in words."""
        with self._lock:
            return _STATES[self._message.state]

    @property
    def failure(self) -> str:
        """Why the node could not be configured; empty where nothing has failed."""
        with self._lock:
            unconfigured = self._message.state == GroundingStatus.UNCONFIGURED
            return str(self._message.reason) if unconfigured else ''

    def enter(self, state: int, reason: str | None = None) -> None:
        """Say that the node is in another state, with a reason or with the one from before."""
        with self._lock:
            self._message.state = state
            if reason is not None:
                self._message.reason = reason
        self.publish()

    def set_model(self, predictor: Predictor) -> None:
        """Name the loaded model and its backend; the next publication says so."""
        model = predictor.model
        self._name_model(
            model=f'{model.name} ({model.weights})',
            decoder=model.decoder_description,
            device=predictor.backend.description,
            trained=not model.untrained,
        )

    def forget_model(self) -> None:
        """Name no model and no command any more; causes are named anew from now on."""
        self._name_model(model='', decoder='', device='', trained=False)
        with self._lock:
            self._message.command = ''
            self._message.command_id = 0
            self._named_causes.clear()

    def _name_model(self, *, model: str, decoder: str, device: str, trained: bool) -> None:
        with self._lock:
            self._message.model = model
            self._message.decoder = decoder
            self._message.device = device
            self._message.trained = trained

    def activate(self) -> None:
        """Say that the node listens, and what it waits for."""
        with self._lock:
            waits_for_image = self._message.command_id > 0
        self.enter(
            GroundingStatus.WAITING_FOR_IMAGE
            if waits_for_image
            else GroundingStatus.WAITING_FOR_COMMAND
        )

    def accept(self, command: BoundCommand, warning: str) -> None:
        """Say that a command is in force, with a warning if there is one."""
        with self._lock:
            # Commands may be answered out of order by several threads: the newest one stays.
            if command.id < self._message.command_id:
                return
            self._message.command = command.text
            self._message.command_id = command.id
            self._message.reason = warning
            if self._message.state == GroundingStatus.WAITING_FOR_COMMAND:
                self._message.state = GroundingStatus.WAITING_FOR_IMAGE
        self._node.get_logger().info(f'command {command.id}: {command.text!r}')
        if warning:
            self._node.get_logger().warning(warning)
        self.publish()

    def confirm(self, warning: str) -> None:
        """Say that the command in force was asked for again: a rejection since then is over."""
        with self._lock:
            if not self._message.reason.startswith(REJECTED):
                return
            self._message.reason = warning
        self.publish()

    def reject(self, reason: str) -> None:
        """Say why a command, or anything else a person asked for, was not taken."""
        with self._lock:
            self._message.reason = reason
        self._node.get_logger().warning(reason)
        self.publish()

    def report_unusable(self, error: ImageError) -> None:
        """Name the cause of an unusable frame, the first time that it occurs."""
        self.name_once(error.cause, f'frames are skipped: {error}')

    def name_once(self, cause: str, reason: str) -> None:
        """Say what is wrong, the first time that its cause occurs."""
        with self._lock:
            if cause in self._named_causes:
                return
            self._named_causes.add(cause)
        self.reject(reason)

    def frame_processed(self) -> None:
        """Note that frames are being processed."""
        with self._lock:
            if self._message.state == GroundingStatus.RUNNING:
                return
            self._message.state = GroundingStatus.RUNNING
        self.publish()

    def publish_counts(self) -> None:
        """Publish if the counts have changed since the last time."""
        if self._counters() != self._published_counts:
            self.publish()

    def publish(self) -> None:
        """Publish the status as it is now."""
        with self._lock:
            counts = self._counters()
            message = self._message
            message.stamp = self._node.get_clock().now().to_msg()
            message.frames_received = counts.received
            message.frames_processed = counts.processed
            message.frames_dropped = counts.dropped
            message.frames_unusable = counts.unusable
            self._published_counts = counts
            self._publisher.publish(message)
