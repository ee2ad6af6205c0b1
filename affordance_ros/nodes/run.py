# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How every node of this package is started and ends."""

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn
from typing import TypeVar

import rclpy
from rclpy._rclpy_pybind11 import RCLError
from rclpy.executors import Executor
from rclpy.executors import ExternalShutdownException
from rclpy.executors import SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import get_default_context

from affordance_ros.runtime.memory import keep_memory

_MAX_WAIT_S = 0.1

NodeT = TypeVar('NodeT', bound=Node)


class StartupError(RuntimeError):
    """A node can't start; the text is for the person who started it."""


def run_node(
    name: str,
    create: Callable[[], NodeT],
    *,
    begin: Callable[[NodeT], None] | None = None,
    finish: Callable[[NodeT, Executor], None] | None = None,
) -> int:
    """Create a node and spin it until SIGINT, SIGTERM or the context's shutdown.

    The signals are handled here and not by rclpy, which would take the context away from under a
    worker that is publishing: the node stops first, then its context. Callbacks run in the thread
    that made the node, as a graphics context needs it; none of them waits for anything.

    Args:
        name: For the log, where the node can't be created.
        create: Makes the node; may raise StartupError.
        begin: Called once the node is there; may raise StartupError, as its callbacks may.
        finish: Called when a signal has come, while the executor can still send answers.

    Returns:
        The process's exit code: 0 after a clean stop, 1 if the node could not start. Where a
        thread was abandoned, the process ends here with that code instead.
    """
    code = _run(name, create, begin=begin, finish=finish)
    # A thread that still loads or computes could keep Python from ending, or crash at the end.
    if any(thread.daemon for thread in threading.enumerate()):
        _end_now(code)
    return code


def _run(
    name: str,
    create: Callable[[], NodeT],
    *,
    begin: Callable[[NodeT], None] | None,
    finish: Callable[[NodeT, Executor], None] | None,
) -> int:
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
        if begin is not None:
            begin(node)
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


def _end_now(code: int) -> NoReturn:
    """End the process without waiting for any thread, but not without the middleware's cleanup."""
    gc.collect()
    get_default_context().destroy()  # and with it the participant's shared memory
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _spin_once(executor: Executor) -> None:
    try:
        executor.spin_once(timeout_sec=_MAX_WAIT_S)
    except RCLError as error:
        # Older rclpy (Humble's, for one) lets this through where somebody asks a managed node for
        # a transition that is not possible in its state; the node must not die of it.
        if not rclpy.ok():
            raise
        get_logger('rclpy').error(str(error))
