# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How every node of this package is started and ends."""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

import rclpy
from rclpy._rclpy_pybind11 import RCLError
from rclpy.executors import Executor
from rclpy.executors import ExternalShutdownException
from rclpy.executors import SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from affordance_ros.runtime.memory import keep_memory

_MAX_WAIT_S = 0.2

NodeT = TypeVar('NodeT', bound=Node)


class StartupError(RuntimeError):
    """A node can't start; the text is for the person who started it."""


def run_node(
    name: str,
    create: Callable[[], NodeT],
    *,
    finish: Callable[[NodeT, Executor], None] | None = None,
) -> int:
    """Create a node and spin it until SIGINT, SIGTERM or the context's shutdown.

    The signals are handled here and not by rclpy, which would take the context away from under a
    worker that is publishing: the node stops first, then its context. Callbacks run in the thread
    that made the node, as a graphics context needs it; none of them waits for anything.

    Args:
        name: For the log, where the node can't be created.
        create: Makes the node; may raise StartupError.
        finish: Called when a signal has come, while the executor can still send answers.

    Returns:
        The process's exit code: 0 after a clean stop, 1 if the node could not start.
    """
    keep_memory()
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = None
    try:
        node = create()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        while not stop.is_set():
            _spin_once(executor)
        if finish is not None:
            finish(node, executor)
        executor.shutdown()
    except ExternalShutdownException:
        pass
    except StartupError as error:
        get_logger(name).fatal(str(error))
        return 1
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _spin_once(executor: Executor) -> None:
    try:
        executor.spin_once(timeout_sec=_MAX_WAIT_S)
    except RCLError as error:
        # Older rclpy (Humble's, for one) lets this through where somebody asks a managed node for
        # a transition that is not possible in its state; the node must not die of it.
        if not rclpy.ok():
            raise
        get_logger('rclpy').error(str(error))
