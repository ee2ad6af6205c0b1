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
from affordance_ros.runtime.causes import Causes
from affordance_ros.runtime.mailbox import Counters
from affordance_ros.text.commands import BoundCommand

if TYPE_CHECKING:  # torch would come with it, which a listener does not need
    from affordance_ros.predictor import Predictor

LATCHED = QoSProfile(
    depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE
)

# Groups of causes; see `StatusReporter.report`.
FRAMES, SPATIAL, TRANSFORM, COMMAND, SILENCE = 'frames', '3D', 'transform', 'command', 'silence'
_REJECTED, _WARNED = 'command rejected', 'command warning'
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
    """Publishes what the node is doing on `~/status`, and what is wrong on its log as well.

    What is wrong is kept by cause: the reason is the newest text of the newest one that lasts.

    Args:
        node: The node to publish for.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._counters: Callable[[], Counters] = Counters
        self._lock = threading.Lock()
        self._message = GroundingStatus(state=GroundingStatus.UNCONFIGURED)
        self._published_counts: Counters | None = None
        self._failure = ''  # why the node is unconfigured again
        self._causes = Causes()
        self._publisher = node.create_publisher(GroundingStatus, '~/status', LATCHED)
        # Real time: a simulated clock that stands or jumps must not silence the status.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(_PERIOD_S, self.tick, clock=steady)
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
            return self._failure

    def enter(self, state: int, failure: str = '') -> None:
        """Say that the node is in another state, or back in one because of a failure."""
        with self._lock:
            self._message.state = state
            self._failure = failure
        self._causes.drop_groups(FRAMES, SPATIAL, TRANSFORM, SILENCE)
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
        """Name no model and no command any more."""
        self._name_model(model='', decoder='', device='', trained=False)
        with self._lock:
            self._message.command = ''
            self._message.command_id = 0
        self._causes.drop_groups(COMMAND)

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
            if self._message.state == GroundingStatus.WAITING_FOR_COMMAND:
                self._message.state = GroundingStatus.WAITING_FOR_IMAGE
        self._node.get_logger().info(f'command {command.id}: {command.text!r}')
        self._causes.drop_groups(COMMAND)
        if not warning or not self.report(_WARNED, warning, group=COMMAND):
            self.publish()

    def confirm(self) -> None:
        """Say that the command in force was asked for again: a rejection since then is over."""
        self._causes.drop(_REJECTED)
        self._publish_news()

    def reject(self, reason: str) -> None:
        """Say why a command was not taken."""
        self._causes.drop(_REJECTED)
        self.report(_REJECTED, reason, group=COMMAND)

    def report_unusable(self, error: ImageError) -> None:
        """Name the cause of an unusable frame."""
        self.report(error.cause, f'frames are skipped: {error}', group=FRAMES)

    def report(self, cause: str, text: str, *, group: str) -> bool:
        """Say what is wrong; on the log only what is news, which is returned.

        Args:
            cause: A short key.
            text: The newest sentence for it.
            group: Whose success cures it: FRAMES, SPATIAL or TRANSFORM; COMMAND goes with the next
                command, SILENCE with `hear`.
        """
        news = self._causes.occurred(cause, text, group=group)
        if news:
            self._node.get_logger().warning(text)
            self.publish()
        return news

    def succeeded(self, group: str) -> None:
        """Note that what a group's causes keep from working has worked."""
        self._causes.succeeded(group)

    def hear(self, verdict: str) -> None:
        """Say why no answers come, as the watchdog has it; '' if they do."""
        if verdict:
            self.report(SILENCE, verdict, group=SILENCE)
        else:
            self._causes.drop(SILENCE)
            self._publish_news()

    def frame_processed(self) -> None:
        """Note that frames are being processed."""
        self._causes.succeeded(FRAMES)
        with self._lock:
            if self._message.state == GroundingStatus.RUNNING:
                return
            self._message.state = GroundingStatus.RUNNING
        self.publish()

    def tick(self) -> None:
        """Forget what is cured, and publish if that or the counts have changed anything."""
        self._causes.drop_cured()
        if self._counters() != self._published_counts:
            self.publish()
        else:
            self._publish_news()

    def _publish_news(self) -> None:
        if self._reason() != self._message.reason:
            self.publish()

    def _reason(self) -> str:
        return self._failure or self._causes.newest

    def publish(self) -> None:
        """Publish the status as it is now."""
        with self._lock:
            counts = self._counters()
            message = self._message
            message.reason = self._reason()
            message.stamp = self._node.get_clock().now().to_msg()
            message.frames_received = counts.received
            message.frames_processed = counts.processed
            message.frames_dropped = counts.dropped
            message.frames_unusable = counts.unusable
            message.frames_idle = counts.idle
            self._published_counts = counts
            self._publisher.publish(message)
