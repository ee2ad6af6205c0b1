# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The grounding node inside another Python program: one process, one executor, two nodes.

The planner asks, once for every answer, which of several things can be done in the next camera
image, and publishes the targets of the best of them on `~/best`:

    python examples/composed.py --ros-args -p model:=household -r image:=/camera/image_raw
"""

import sys

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.nodes.grounding.node import GroundingNode
from affordance_ros.nodes.run import StartupError
from affordance_ros.srv import Ground

COMMANDS = ('hold the mug', 'open', 'cut')


class Planner(Node):
    """Asks the grounding node again and again, and never waits inside a callback."""

    def __init__(self) -> None:
        super().__init__('planner')
        self._ground = self.create_client(Ground, 'grounding/ground')
        self._best = self.create_publisher(AffordanceTargetArray, '~/best', 10)

    def ask(self) -> None:
        """Ask about the next frame; the answer asks again."""
        request = Ground.Request(commands=COMMANDS, deadline_s=10.0)
        self._ground.call_async(request).add_done_callback(self._on_answer)

    def _on_answer(self, future: Future) -> None:
        answer = future.result()
        if not answer.success:
            self.get_logger().warning(answer.reason)
        found = [array for array in answer.answers if array.targets]
        if found:
            self._best.publish(max(found, key=lambda array: array.targets[0].score))
        self.ask()


def main() -> int:
    """Spin both nodes until Ctrl-C."""
    # Without rclpy's handlers, which would end the context while the model's thread publishes.
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    grounding = GroundingNode()
    planner = Planner()
    executor = SingleThreadedExecutor()
    executor.add_node(grounding)
    executor.add_node(planner)
    try:
        grounding.bring_up()
        planner.ask()
        while True:
            executor.spin_once(timeout_sec=0.2)  # so that Ctrl-C is heard
    except KeyboardInterrupt:
        return 0
    except StartupError as error:
        grounding.get_logger().fatal(str(error))
        return 1
    finally:
        grounding.finish(executor)
        for node in (planner, grounding):
            node.destroy_node()
        rclpy.shutdown()


if __name__ == '__main__':
    sys.exit(main())
