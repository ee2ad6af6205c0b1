# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Run the tabletop demo for long, and hold that the grounding node does not grow or slow down.

The camera node and the grounding node run as processes of their own; this script changes commands,
listens to images and 3D outputs part of the time, and samples what the node takes. Writes
report.md, soak.json and soak.png; exits with 1 if a bar was not held.
"""

import argparse
import itertools
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import rclpy
from geometry_msgs.msg import PointStamped
from geometry_msgs.msg import PoseStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.msg import GroundingStatus
from affordance_ros.nodes.grounding.status import LATCHED
from affordance_ros.spatial.stamp_cache import to_ns
from benchmarks.machine import cpu_name
from benchmarks.soak_analysis import Check
from benchmarks.soak_analysis import Sample
from benchmarks.soak_analysis import judge
from benchmarks.soak_analysis import warm_up_and_window
from benchmarks.soak_report import write_report
from scripts.demo.processes import ROOT
from scripts.demo.processes import STARTUP_TIMEOUT_S
from scripts.demo.processes import TABLETOP_OBJECTS
from scripts.demo.processes import built
from scripts.demo.processes import running
from scripts.demo.processes import wait_for

SAMPLE_S = 5
COMMAND_S = 5
LISTEN_S = 10
IMAGES = {'heatmap': Image, 'overlay': Image, 'overlay/compressed': CompressedImage}
SPATIAL = {
    'target_point': PointStamped,
    'target_pose': PoseStamped,
    'markers': MarkerArray,
    'cloud': PointCloud2,
}
# Who listens, in turns of LISTEN_S.
TURNS: tuple[dict[str, Any], ...] = ({}, IMAGES, SPATIAL, {**IMAGES, **SPATIAL}, {})
# Nearly all commands of half an hour are new to the node, so that what it remembers shows.
COMMANDS = [
    f'{verb} the {colour}{name}'
    for colour, verb, name in itertools.product(
        ('', 'red ', 'blue ', 'white ', 'black ', 'small ', 'left '),
        ('hold', 'open', 'pour from', 'drink from', 'cut with', 'lift'),
        TABLETOP_OBJECTS,
    )
]


class Listener:
    """Sends commands, and hears the node's answers and, in turns, its other outputs.

    Args:
        node: The node to send and listen with.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(node)
        self.commands = node.create_publisher(String, 'task_command', 10)
        self.status = GroundingStatus()
        self.latencies: list[tuple[float, float]] = []  # seconds since `begin`, milliseconds
        self.heard: Counter[str] = Counter()
        self.begin = time.monotonic()
        self._extra: list[Subscription] = []
        node.create_subscription(AffordanceTargetArray, 'grounding/targets', self._on_targets, 10)
        node.create_subscription(GroundingStatus, 'grounding/status', self._on_status, LATCHED)

    def wait_until_ready(self, *processes: subprocess.Popen) -> None:
        """Wait until both nodes run and the first answer has come."""

        def ready() -> bool:
            fail_if_ended(*processes)
            return self.status.state == GroundingStatus.RUNNING and bool(self.latencies)

        wait_for(self.executor, ready, 'the first answer', timeout_s=STARTUP_TIMEOUT_S)

    def restart_clock(self) -> None:
        """Count time from now on and forget what was heard."""
        self.latencies.clear()
        self.begin = time.monotonic()

    def listen_to(self, topics: dict[str, Any]) -> None:
        """Listen to these outputs of the node instead of those before."""
        for subscription in self._extra:
            self._node.destroy_subscription(subscription)

        def counter(topic: str) -> Any:
            return lambda _: self.heard.update([topic])

        # Raw: what is in them is not asked, and taking them apart would take the node's processor.
        self._extra = [
            self._node.create_subscription(
                kind, f'grounding/{topic}', counter(topic), 10, raw=True
            )
            for topic, kind in topics.items()
        ]

    def spin_until(self, at_s: float) -> None:
        """Hear messages until a time since the begin."""
        while (left_s := self.begin + at_s - time.monotonic()) > 0:
            self.executor.spin_once(timeout_sec=left_s)

    def _on_targets(self, message: AffordanceTargetArray) -> None:
        now_ns = self._node.get_clock().now().nanoseconds
        latency_ms = (now_ns - to_ns(message.header.stamp)) / 1e6
        self.latencies.append((time.monotonic() - self.begin, latency_ms))

    def _on_status(self, message: GroundingStatus) -> None:
        self.status = message


def fail_if_ended(*processes: subprocess.Popen) -> None:
    """Raise RuntimeError if a node's process has ended."""
    if any(process.poll() is not None for process in processes):
        raise RuntimeError('a node has ended; its log is above')


def take_sample(process: psutil.Process, status: GroundingStatus, at_s: float) -> Sample:
    """Return what the node takes now, and what it has last told of its frames."""
    with process.oneshot():
        return Sample(
            at_s=round(at_s, 2),
            rss_mb=process.memory_info().rss / 1e6,
            threads=process.num_threads(),
            fds=process.num_fds(),
            received=status.frames_received,
            processed=status.frames_processed,
            dropped=status.frames_dropped,
            unusable=status.frames_unusable,
            load=os.getloadavg()[0],
        )


def soak(
    listener: Listener, camera: subprocess.Popen, grounding: subprocess.Popen, duration_s: int
) -> list[Sample]:
    """Use the node for a time and return what was sampled."""
    process = psutil.Process(grounding.pid)
    commands = np.random.default_rng(0).permutation(COMMANDS)
    samples = []
    listener.restart_clock()
    for second in range(duration_s):
        if second % COMMAND_S == 0:
            text = str(commands[second // COMMAND_S % len(commands)])
            listener.commands.publish(String(data=text))
        if second % LISTEN_S == 0:
            listener.listen_to(TURNS[second // LISTEN_S % len(TURNS)])
        if second % SAMPLE_S == 0:
            fail_if_ended(camera, grounding)
            at_s = time.monotonic() - listener.begin
            samples.append(take_sample(process, listener.status, at_s))
        listener.spin_until(second + 1)
    if not listener.latencies:
        raise RuntimeError('the node gave no answer')
    return samples


def usage_checks(listener: Listener, sent: int) -> list[Check]:
    """Hold that the node was used as planned: else that it did not grow says little."""
    topics = {topic for turn in TURNS for topic in turn}
    silent = sorted(topics - listener.heard.keys())
    taken = listener.status.command_id - 1  # the first is the node's parameter
    return [
        Check('commands taken', f'{taken} of {sent}', 'all', taken == sent),
        Check('outputs never heard', ', '.join(silent) or 'none', 'none', not silent),
    ]


def run(arguments: argparse.Namespace) -> int:
    """Run the soak and return the exit status."""
    duration_s = round(60 * arguments.minutes)
    warm_up_s, window_s = warm_up_and_window(duration_s, LISTEN_S * len(TURNS))
    if arguments.live:
        camera_node = running(
            ['-m', 'affordance_ros_tabletop.camera_node'], seed=11, objects=TABLETOP_OBJECTS
        )
    else:
        camera_node = running(
            built('camera'), source=ROOT / 'samples' / 'tabletop', rate_hz=arguments.rate_hz
        )
    rclpy.init()
    listener = Listener(rclpy.create_node('soak'))
    parameters = {'model': 'household', 'task_command': repr('hold the mug')}
    with camera_node as camera, running(built('grounding'), **parameters) as grounding:
        listener.wait_until_ready(camera, grounding)
        samples = soak(listener, camera, grounding, duration_s)
        load = os.getloadavg()[2]
    rclpy.shutdown()
    windows = {'duration_s': duration_s, 'warm_up_s': warm_up_s, 'window_s': window_s}
    latencies = np.array(listener.latencies)
    checks = [
        *judge(samples, latencies, **windows),
        *usage_checks(listener, len(range(0, duration_s, COMMAND_S))),
    ]
    status = listener.status
    about = (
        f'{cpu_name()}, {os.cpu_count()} cores, load {load:.1f} over the last 15 min; Python '
        f'{platform.python_version()}. {status.model}, {status.decoder}, {status.device}; '
        f'images {"rendered" if arguments.live else "played"}.'
    )
    text = write_report(
        arguments.out,
        samples=samples,
        latencies=latencies,
        heard=listener.heard,
        checks=checks,
        about=about,
        **windows,
    )
    sys.stdout.write(f'\n{text}\n{arguments.out}\n')
    return 0 if all(check.ok for check in checks) else 1


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=float, default=30.0)
    parser.add_argument('--live', action='store_true', help='render the tabletop as it goes')
    parser.add_argument('--rate-hz', type=float, default=10.0, help='of the images played')
    parser.add_argument('--out', type=Path, default=ROOT / 'out' / 'soak')
    try:
        return run(parser.parse_args())
    except (RuntimeError, TimeoutError, ValueError) as error:
        sys.stderr.write(f'soak: {error}\n')
        return 1


if __name__ == '__main__':
    sys.exit(main())
