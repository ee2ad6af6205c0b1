# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Nodes in processes of their own, with their logs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.forked import ForkedProcess

ROOT = Path(__file__).parents[2]


def executable(name):
    """Return the path of a built node."""
    return ROOT / 'install' / 'affordance_ros' / 'lib' / 'affordance_ros' / name


def ros_arguments(parameters, namespace=''):
    """Turn parameters into a node's command line."""
    arguments = ['--ros-args']
    if namespace:
        arguments += ['-r', f'__ns:={namespace}']
    for name, value in parameters.items():
        arguments += ['-p', f'{name}:={value!r}' if isinstance(value, str) else f'{name}:={value}']
    return arguments


class NodeProcess:
    """A node's process with its log.

    Args:
        command: The command line behind the Python interpreter.
        log: Where its output goes.
        env: Its environment; the tests' own by default.
        fresh: Whether a grounding node gets an interpreter of its own, as on a robot, and not a
            fork of one that has imported everything. One with its own environment always does:
            libraries read theirs on import.
    """

    started: list['NodeProcess'] = []  # noqa: RUF012  (all of the run's, so that none outlives it)

    def __init__(self, command, log, env=None, *, fresh=False):
        self._log = log
        NodeProcess.started.append(self)
        with log.open('w') as file:
            if command[0] == executable('grounding') and not fresh and env is None:
                self.process = ForkedProcess(command, log, os.environ)
                return
            self.process = subprocess.Popen(
                [sys.executable, *map(str, command)],
                stdout=file,
                stderr=subprocess.STDOUT,
                env=env,
            )

    @property
    def output(self):
        """What it has printed so far."""
        return self._log.read_text()

    def stop(self, with_signal=signal.SIGINT, timeout_s=20):
        """Stop it as a person would and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f'the node did not stop:\n{self.output}') from None
