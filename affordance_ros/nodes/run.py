"""How every node of this package is started and ends."""

from collections.abc import Callable

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.executors import MultiThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node


class StartupError(RuntimeError):
    """A node can't start; the text is for the person who started it."""


def run_node(name: str, create: Callable[[], Node]) -> int:
    """Create a node and spin it until SIGINT, SIGTERM or the context's shutdown.

    Args:
        name: For the log, where the node can't be created.
        create: Makes the node; may raise StartupError.

    Returns:
        The process's exit code: 0 after a clean stop, 1 if the node could not start.
    """
    rclpy.init()
    node = None
    try:
        node = create()
        executor = MultiThreadedExecutor(num_threads=2)
        executor.add_node(node)
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0
    except StartupError as error:
        get_logger(name).fatal(str(error))
        return 1
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0
