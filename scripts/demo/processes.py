# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Nodes as processes of their own, and waiting for what they say."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

from ament_index_python.packages import get_package_prefix
from rclpy.executors import Executor

# The repository, or the share folder of the installed package: both hold `samples`.
ROOT = Path(__file__).absolute().parents[2]
TABLETOP_OBJECTS = ['mug', 'knife', 'moka pot', 'bottle', 'pan', 'apple']
STARTUP_TIMEOUT_S = 120.0
ANSWER_TIMEOUT_S = 60.0


def wait_for(
    executor: Executor, condition: Callable[[], object], what: str, *, timeout_s: float
) -> None:
    """Spin an executor until a condition holds.

    Raises:
        TimeoutError: If it does not within the time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f'waited {timeout_s:g} s in vain for {what}')
        executor.spin_once(timeout_sec=0.1)


@contextlib.contextmanager
def running(command: Sequence[str], **parameters: object) -> Iterator[subprocess.Popen]:
    """Run a node as a process; stop it as Ctrl-C would."""
    arguments = [part for k, v in parameters.items() for part in ('-p', f'{k}:={v}')]
    process = subprocess.Popen([sys.executable, *command, '--ros-args', *arguments])
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def built(executable: str) -> list[str]:
    """Return the command of a node of the built package."""
    prefix = Path(get_package_prefix('affordance_ros'))
    return [str(prefix / 'lib' / 'affordance_ros' / executable)]
