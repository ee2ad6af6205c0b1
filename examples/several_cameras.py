# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Several cameras and one model: a grounding node for each camera, in one process.

Each node has its namespace, with topics, services, parameters, command and diagnostics of its own
(/left/image, /left/task_command, /left/grounding/targets, ...). The model is loaded once, and the
nodes use it by turns, each for its newest frame:

    python examples/several_cameras.py left right --ros-args -p model:=household
"""

import sys

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from affordance_ros.nodes.grounding.node import GroundingNode
from affordance_ros.nodes.grounding.sharing import SharedModels
from affordance_ros.nodes.run import StartupError


def main() -> int:
    """Spin a node for each camera named until Ctrl-C."""
    cameras = remove_ros_args(sys.argv)[1:]
    if not cameras:
        sys.stderr.write('name the cameras: several_cameras.py left right --ros-args ...\n')
        return 2
    # Without rclpy's handlers, which would end the context while the model's threads publish.
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    models = SharedModels()
    nodes = [GroundingNode(namespace=f'/{camera}', models=models) for camera in cameras]
    executor = SingleThreadedExecutor()
    for node in nodes:
        executor.add_node(node)
    try:
        for node in nodes:
            node.bring_up()
        while True:
            executor.spin_once(timeout_sec=0.2)  # so that Ctrl-C is heard
    except KeyboardInterrupt:
        return 0
    except StartupError as error:
        nodes[0].get_logger().fatal(str(error))
        return 1
    finally:
        for node in nodes:
            node.finish(executor)
            node.destroy_node()
        rclpy.shutdown()


if __name__ == '__main__':
    sys.exit(main())
