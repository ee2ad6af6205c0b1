# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Measure what each of several cameras gets of one model: answers a second, their age, memory.

The nodes run in one process and share the model (examples/several_cameras.py); the cameras send
640x480 at 10 Hz each over DDS. Prints Markdown.
"""

import argparse
import json
import os
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.time import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.nodes.messages import to_image
from affordance_ros.runtime.memory import keep_memory
from affordance_ros.sources import open_source
from benchmarks.bench_report import table
from benchmarks.bench_report import write
from benchmarks.machine import cpu_name
from benchmarks.machine import peak_memory_mb
from scripts.demo.processes import ROOT
from scripts.demo.processes import STARTUP_TIMEOUT_S
from scripts.demo.processes import running
from scripts.demo.processes import wait_for

_RATE_HZ = 10.0
_say = sys.stdout.write


class Cameras:
    """Sends one image from several cameras and hears the answers.

    Args:
        node: The node to send and listen with.
        names: The cameras' namespaces.
        image: (H, W, 3) uint8 BGR.
    """

    def __init__(self, node: Node, names: list[str], image: np.ndarray) -> None:
        self._node = node
        self._image = image
        self.ages_ms: dict[str, list[float]] = {name: [] for name in names}
        self._images = [
            node.create_publisher(Image, f'/{name}/image', qos_profile_sensor_data)
            for name in names
        ]
        for name in names:
            node.create_subscription(
                AffordanceTargetArray,
                f'/{name}/grounding/targets',
                partial(self._on_targets, name),
                10,
            )

    @property
    def heard(self) -> bool:
        """Whether every camera has had an answer."""
        return all(self.ages_ms.values())

    def send(self) -> None:
        """Send the image from every camera."""
        for publisher in self._images:
            stamp = self._node.get_clock().now().to_msg()
            header = Header(stamp=stamp, frame_id='camera')
            publisher.publish(to_image(self._image, 'bgr8', header=header))

    def _on_targets(self, name: str, message: AffordanceTargetArray) -> None:
        age = self._node.get_clock().now() - Time.from_msg(message.header.stamp)
        self.ages_ms[name].append(age.nanoseconds / 1e6)


def measure(arguments: argparse.Namespace, count: int) -> dict[str, float]:
    """Run so many cameras for a while."""
    image = next(iter(open_source(str(ROOT / 'samples' / 'tabletop'), loop=False))).bgr
    names = [f'camera{number}' for number in range(count)]
    node = rclpy.create_node('bench_cameras')
    cameras = Cameras(node, names, image)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    node.create_timer(1.0 / _RATE_HZ, cameras.send)
    command = [str(ROOT / 'examples' / 'several_cameras.py'), *names]
    parameters = {
        'model': arguments.model,
        'backend': arguments.backend,
        'precision': arguments.precision,
        'task_command': repr('hold the mug'),
    }
    if arguments.weights:
        parameters['weights'] = arguments.weights
    with running(command, **parameters) as process:
        wait_for(executor, lambda: cameras.heard, 'all cameras', timeout_s=STARTUP_TIMEOUT_S)
        for ages in cameras.ages_ms.values():
            ages.clear()
        end = time.monotonic() + arguments.seconds
        while time.monotonic() < end:
            executor.spin_once(timeout_sec=0.05)
        memory_mb = psutil.Process(process.pid).memory_info().rss / 1e6
        peak_mb = peak_memory_mb(process.pid)
        rates = [len(ages) / arguments.seconds for ages in cameras.ages_ms.values()]
        ages = np.concatenate([np.array(ages) for ages in cameras.ages_ms.values()])
    executor.shutdown()
    node.destroy_node()
    return {
        'cameras': count,
        'answers/s, all': sum(rates),
        'answers/s, least camera': min(rates),
        'answers/s, most': max(rates),
        'stamp to targets p50, ms': float(np.median(ages)),
        'p95, ms': float(np.percentile(ages, 95)),
        'memory, MB': memory_mb,
        'its peak': peak_mb,
    }


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', default='household')
    parser.add_argument('--weights', default='')
    parser.add_argument('--backend', default='auto')
    parser.add_argument('--precision', default='auto')
    parser.add_argument('--counts', nargs='+', type=int, default=[1, 2, 4, 8])
    parser.add_argument('--seconds', type=float, default=15.0)
    parser.add_argument('--json', type=Path)
    arguments = parser.parse_args()
    machine = f'{cpu_name()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start'
    keep_memory()
    rclpy.init()
    rows = [measure(arguments, count) for count in arguments.counts]
    rclpy.shutdown()
    _say(
        f'\n{machine}. Model: {arguments.model}, backend {arguments.backend}, precision '
        f'{arguments.precision}, cameras of 640x480 at {_RATE_HZ:g} Hz.\n\n'
    )
    _say(table(rows))
    results = {'machine': machine, 'model': arguments.model, 'cameras': rows}
    write(arguments.json, json.dumps(results, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
