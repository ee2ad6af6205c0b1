# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The service `~/ground`: several commands on one image, answered within a deadline."""

import math
import threading
from collections import Counter
from collections.abc import Callable

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.node import Node

from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import check_message
from affordance_ros.nodes.grounding.ground_request import GroundRequest
from affordance_ros.nodes.grounding.ground_request import NodeMailbox
from affordance_ros.runtime.mailbox import RequestCounters
from affordance_ros.srv import Ground
from affordance_ros.text.commands import CommandError

MAX_COMMANDS = 64  # a heatmap of 640x480 takes 1.2 MB, so that the largest answer takes 79 MB


class _NotActiveError(ValueError):
    """The service is closed."""


class GroundService:
    """Answers `~/ground` while it is open, without holding up the executor.

    The callback is a coroutine: it puts the request to the worker by the mailbox and awaits the
    answer, while the executor goes on with frames, commands and further requests.

    Args:
        node: The node that offers the service.
        mailbox: Where requests go.
    """

    def __init__(self, node: Node, mailbox: NodeMailbox) -> None:
        self._node = node
        self._mailbox = mailbox
        self._check_command: Callable[[str], str] | None = None
        self._closed_because = ''
        self._answered = 0
        self._failed: Counter[str] = Counter()
        self._newest_answered = False
        self._counting = threading.Lock()  # the callbacks of a multi-threaded executor overlap
        self._requests: list[GroundRequest] = []
        # A deadline is a matter of real time, also where the node's clock is simulated.
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_service(
            Ground, '~/ground', self._on_call, callback_group=ReentrantCallbackGroup()
        )

    @property
    def has_requests(self) -> bool:
        """True while somebody waits for an answer."""
        return bool(self._requests)

    @property
    def counters(self) -> RequestCounters:
        """A consistent copy of what became of the requests so far."""
        with self._counting:
            return RequestCounters(self._answered, dict(self._failed), self._newest_answered)

    def open(self, check_command: Callable[[str], str]) -> None:
        """Put requests to the worker from now on.

        Args:
            check_command: Cleans a command or raises CommandError.
        """
        self._check_command = check_command

    def close(self, reason: str) -> None:
        """Answer those who wait, and all who call from now on, with a reason."""
        self._check_command = None
        self._closed_because = reason
        for request in list(self._requests):
            request.fail(reason, cause='not active')

    async def _on_call(self, call: Ground.Request, response: Ground.Response) -> Ground.Response:
        try:
            request = self._accept(call)
        except (CommandError, ImageError, ValueError) as error:
            self._node.get_logger().warning(f'~/ground refused: {error}')
            with self._counting:
                self._failed[_cause(error)] += 1
            return Ground.Response(success=False, reason=str(error))
        self._requests.append(request)
        given = call.image if call.image.width else None
        timer = self._node.create_timer(
            call.deadline_s,
            lambda: request.fail(
                _missed(call.deadline_s, image_given=given is not None), cause='deadline'
            ),
            clock=self._clock,
        )
        try:
            self._mailbox.ask(request, given)
            answer = await request.future
            self._count(answer, request)
            return answer
        finally:
            self._mailbox.withdraw(request)
            self._requests.remove(request)
            self._node.destroy_timer(timer)

    def _count(self, answer: Ground.Response, request: GroundRequest) -> None:
        with self._counting:
            self._newest_answered = answer.success
            if answer.success:
                self._answered += 1
            else:
                self._failed[request.cause] += 1

    def _accept(self, call: Ground.Request) -> GroundRequest:
        if self._check_command is None:
            raise _NotActiveError(self._closed_because)
        if not 1 <= len(call.commands) <= MAX_COMMANDS:
            raise ValueError(
                f'{len(call.commands)} commands came; give at least one and at most {MAX_COMMANDS}'
            )
        if not (math.isfinite(call.deadline_s) and call.deadline_s > 0):
            raise ValueError(f'deadline_s {call.deadline_s:g} must be more than 0 seconds')
        commands = []
        for text in call.commands:
            try:
                commands.append(self._check_command(text))
            except CommandError as error:
                raise CommandError(f'command {text[:40]!r} rejected: {error}') from error
        if call.image.width:
            check_message(call.image)
        return GroundRequest(
            self._node,
            commands,
            with_heatmaps=call.with_heatmaps,
            from_camera=not call.image.width,
        )


def _cause(error: Exception) -> str:
    """Return the short key under which a refused request is counted."""
    if isinstance(error, ImageError):
        return error.cause
    if isinstance(error, CommandError):
        return 'command'
    return 'not active' if isinstance(error, _NotActiveError) else 'request'


def _missed(deadline_s: float, *, image_given: bool) -> str:
    what = (
        'the model was not done with the image'
        if image_given
        else 'no image came from the camera, or the model was not done with it'
    )
    return f'the deadline of {deadline_s:g} s has passed: {what}'
