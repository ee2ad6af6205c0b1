# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Stop the grounding node at each moment of its life, and print how long its end takes.

The node is started, waited for, and stopped by SIGINT and SIGTERM in turn. Exits with 1 if an end
took more than 2 s, had another exit code than 0, or left shared memory behind.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import rclpy
from rclpy.executors import SingleThreadedExecutor

from affordance_ros.msg import GroundingStatus
from affordance_ros.nodes.grounding.status import LATCHED
from scripts.demo.processes import ROOT
from scripts.demo.processes import STARTUP_TIMEOUT_S
from scripts.demo.processes import built
from scripts.demo.processes import running
from scripts.demo.processes import wait_for
from tests.support.shared_memory import left_behind
from tests.support.shared_memory import mapped_by
from tests.support.shared_memory import present
from tests.support.stalled_hub import stalled_hub

MAX_S = 2.0
# What has to be reached on ~/status, and with which parameters.
MOMENTS = {
    'idle': (GroundingStatus.WAITING_FOR_COMMAND, []),
    # `household` is loaded before its state can be heard: this takes some seconds.
    'loading from disk': (
        GroundingStatus.LOADING,
        ['model:=RN101-quickgelu', 'weights:=random', 'backend:=torch'],
    ),
    'downloading': (GroundingStatus.LOADING, ['model:=RN50-quickgelu']),
    'running': (GroundingStatus.RUNNING, ['task_command:=hold the mug']),
}


def main() -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--runs', type=int, default=10, help='ends at each moment')
    runs = parser.parse_args().runs
    os.environ['ROS_DOMAIN_ID'] = str(1 + os.getpid() % 100)
    rclpy.init()
    lines = ['| Moment | Ends | Median (s) | Longest (s) | Exit code not 0 | Files left |']
    lines.append('|---' * 6 + '|')
    good = True
    with (
        tempfile.TemporaryDirectory() as folder,
        stalled_hub(Path(folder)) as (stalled, env),
        running(built('camera'), source=ROOT / 'samples' / 'tabletop', rate_hz=10.0),
    ):
        for moment, (state, parameters) in MOMENTS.items():
            ends = []
            for run in range(runs):
                stalled.clear()
                ready = stalled.is_set if moment == 'downloading' else lambda: True
                ends.append(_end(state, parameters, {**os.environ, **env}, ready, run))
            took, codes, files = zip(*ends, strict=True)
            failed, left = sum(map(bool, codes)), sum(files)
            lines.append(
                f'| {moment} | {runs} | {median(took):.2f} | {max(took):.2f} | {failed} | {left} |'
            )
            good = good and max(took) <= MAX_S and not failed and not left
    sys.stdout.write('\n'.join(lines) + '\n')
    rclpy.shutdown()
    return 0 if good else 1


def _end(
    state: int, parameters: list[str], env: dict[str, str], ready: Callable[[], bool], run: int
) -> tuple[float, int, int]:
    """Start a node, wait for a moment and stop it; return seconds, exit code and files left."""
    arguments = [part for one in parameters for part in ('-p', one)]
    node = rclpy.create_node('watcher')
    heard: list[int] = []
    before = present()
    process = subprocess.Popen(
        [sys.executable, *built('grounding'), '--ros-args', *arguments], env=env
    )
    node.create_subscription(
        GroundingStatus, 'grounding/status', lambda message: heard.append(message.state), LATCHED
    )
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        wait_for(
            executor,
            lambda: state in heard and ready(),
            'the moment to stop the node',
            timeout_s=STARTUP_TIMEOUT_S,
        )
        time.sleep(0.1 * (run // 2))  # not each time in the same place
        names = mapped_by(process.pid)
        begin = time.monotonic()
        process.send_signal((signal.SIGINT, signal.SIGTERM)[run % 2])
        code = process.wait()
        took_s = time.monotonic() - begin
    finally:
        process.kill()
        executor.shutdown()
        node.destroy_node()
    return took_s, code, len(left_behind(names, before))


if __name__ == '__main__':
    sys.exit(main())
