# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""One call of the service `~/ground` under way, and the mailbox that carries it."""

from collections.abc import Sequence
from typing import TypeAlias

from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from affordance_ros.nodes.messages import to_image
from affordance_ros.nodes.messages import to_target_array
from affordance_ros.predictor import Grounding
from affordance_ros.runtime.mailbox import Mailbox
from affordance_ros.spatial.located import LocatedTarget
from affordance_ros.srv import Ground
from affordance_ros.text.commands import BoundCommand


class GroundRequest:
    """Commands to be grounded once. The worker, the deadline or the end of listening settles it.

    Args:
        node: The node whose executor waits for the answer.
        commands: The commands, cleaned.
        with_heatmaps: Whether the answer has heatmaps.
        from_camera: Whether it is answered on the camera's next frame, to which depth belongs.
    """

    def __init__(
        self, node: Node, commands: Sequence[str], *, with_heatmaps: bool, from_camera: bool
    ) -> None:
        self.commands = tuple(commands)
        self.from_camera = from_camera
        self.future = Future()
        self.cause = ''  # a short key of why there was no answer
        self._node = node
        self._with_heatmaps = with_heatmaps

    def succeed(
        self,
        groundings: Sequence[Grounding],
        located: Sequence[Sequence[LocatedTarget]],
        *,
        header: Header,
    ) -> None:
        """Answer each command with a grounding's located targets; from any thread."""
        response = Ground.Response(success=True)
        response.answers = [
            to_target_array(targets, BoundCommand(g.command, 0), size=g.size, header=header)
            for g, targets in zip(groundings, located, strict=True)
        ]
        if self._with_heatmaps:
            response.heatmaps = [to_image(g.heatmap, '32FC1', header=header) for g in groundings]
        self._settle(response)

    def fail(self, reason: str, *, cause: str) -> None:
        """Answer that there is none, for a reason that is counted under a short key.

        Any thread may call it.
        """
        if not self.future.done():
            self.cause = cause
        self._settle(Ground.Response(success=False, reason=reason))

    def _settle(self, response: Ground.Response) -> None:
        if self.future.done():
            return
        self.future.set_result(response)
        # A coroutine that awaits a future is looked at when the executor wakes, and a future that
        # is set in another thread wakes none (rclpy/task.py, Future.__await__).
        executor = self._node.executor
        if executor is not None:
            executor.wake()


Frame: TypeAlias = Image | CompressedImage
NodeMailbox: TypeAlias = Mailbox[Frame, GroundRequest]
