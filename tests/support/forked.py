# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Processes of the grounding node, forked from one that has torch and the package imported.

The imports take seconds, the rest of a node's start far less; a fork has no more in common with
the tests' own process than a fresh one.
"""

import gc
import multiprocessing
import os
import runpy
import subprocess
import sys

from rclpy.utilities import get_default_context

_CONTEXT = multiprocessing.get_context('forkserver')
# The node's module loads no torch: it, and what makes a model of it, are named here.
_CONTEXT.set_forkserver_preload(
    [
        'affordance_ros.nodes.grounding.node',
        'affordance_ros.backends.torch_backend',
        'affordance_ros.model.grounding',
        'open_clip',
    ]
)


def _run(command, log, env):
    """Become the program of a command line."""
    code = 0
    for number in (1, 2):
        os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND), number)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = command
    try:
        runpy.run_path(command[0], run_name='__main__')
    except SystemExit as error:
        code = error.code
    # A fork ends without tearing Python down, where the context would go, and with it the
    # participant's shared memory: up to 70 MB that would stay on the machine.
    gc.collect()
    get_default_context().destroy()
    sys.exit(code)


class ForkedProcess:
    """A forked process with what the tests need of subprocess.Popen.

    Args:
        command: A Python program and its arguments.
        log: An existing file, where its output goes.
        env: Its environment.
    """

    def __init__(self, command, log, env):
        arguments = ([str(part) for part in command], str(log), dict(env))
        self._process = _CONTEXT.Process(target=_run, args=arguments, daemon=True)
        self._process.start()
        self.pid = self._process.pid

    def poll(self):
        """Return the exit code, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout=None):
        """Wait for the end and return the exit code."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired('the node', timeout)
        return self._process.exitcode

    def send_signal(self, number):
        """Send a signal if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        """End it at once."""
        self._process.kill()
