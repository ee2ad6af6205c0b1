# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Measure the demo's latency, from image stamp to targets, and the node's own share of it.

The node is measured alone first, as on a robot. Then two bare predictors run beside it, in
processes of their own; that compares them, and is slower, since each finds the caches full of the
others' data. Each image of the sequence goes to all three, each first in its turn, so that they
meet the same machine. One bare predictor works in a thread beside the main one, as the node's
does, the other in the main thread: GNU's OpenMP, which torch computes with, waits otherwise in the
one than in the other (see docs/node.md). All three choose their backend alike. Prints Markdown.
"""

import argparse
import os
import platform
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.msg import GroundingStatus
from affordance_ros.nodes.grounding.status import LATCHED
from affordance_ros.nodes.messages import to_image
from affordance_ros.runtime.latency import STAGES
from affordance_ros.runtime.latency import TOTAL
from affordance_ros.runtime.memory import keep_memory
from affordance_ros.sources import open_source
from benchmarks.machine import cpu_name
from scripts.demo.processes import ANSWER_TIMEOUT_S
from scripts.demo.processes import ROOT
from scripts.demo.processes import STARTUP_TIMEOUT_S
from scripts.demo.processes import built
from scripts.demo.processes import running
from scripts.demo.processes import wait_for

_say = sys.stdout.write


class Listener:
    """Sends images to the grounding node and hears its answers.

    Args:
        node: The node to send and listen with.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        # rclpy.spin_once would add the node to an executor and remove it again each time.
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._images = node.create_publisher(Image, 'image', qos_profile_sensor_data)
        self.status = GroundingStatus()
        self.diagnostics: dict[str, str] = {}
        self._targets = AffordanceTargetArray()
        self._heard_ns = 0
        subscribe = node.create_subscription
        subscribe(AffordanceTargetArray, 'grounding/targets', self._on_targets, 10)
        subscribe(GroundingStatus, 'grounding/status', self._on_status, LATCHED)
        subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def _on_targets(self, message: AffordanceTargetArray) -> None:
        self._heard_ns = self._node.get_clock().now().nanoseconds
        self._targets = message

    def _on_status(self, message: GroundingStatus) -> None:
        self.status = message

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.diagnostics.update({v.key: v.value for v in status.values})

    def wait_until_ready(self, process: subprocess.Popen) -> None:
        """Wait until the node has loaded its model and hears us."""

        def ready() -> bool:
            if process.poll() is not None:
                raise SystemExit('the node has ended; its log is above')
            return self.status.command_id > 0 and self._images.get_subscription_count() > 0

        wait_for(self._executor, ready, 'the node', timeout_s=STARTUP_TIMEOUT_S)

    def wait_for_diagnostics(self) -> None:
        """Wait for diagnostics that know of all frames so far."""
        self.diagnostics.clear()
        wait_for(
            self._executor, lambda: self.diagnostics, 'diagnostics', timeout_s=ANSWER_TIMEOUT_S
        )

    def latency_s(self, image: np.ndarray) -> float:
        """Send an image and return the time from its stamp until its targets are heard."""
        now = self._node.get_clock().now()
        header = Header(stamp=now.to_msg(), frame_id='camera')
        self._images.publish(to_image(image, 'bgr8', header=header))
        wait_for(
            self._executor,
            lambda: self._targets.header.stamp == header.stamp,
            'an answer',
            timeout_s=ANSWER_TIMEOUT_S,
        )
        return float(self._heard_ns - now.nanoseconds) / 1e9


def predict_barely(arguments: argparse.Namespace) -> None:
    """Serve as the bare predictor: read an image's number, predict, write the seconds."""
    from affordance_ros.backends.base import BackendConfig
    from affordance_ros.model.config import ModelConfig
    from affordance_ros.predictor import Predictor

    predictor = Predictor.load(
        ModelConfig(model=arguments.model, weights=arguments.weights),
        backend=BackendConfig(num_threads=arguments.num_threads),
    )
    predictor.warm_up()
    predictor.set_command(arguments.command)
    images = read_images(arguments)
    _say(f'{predictor.input_size} {predictor.backend.description}\n')
    sys.stdout.flush()

    def serve() -> None:
        for line in sys.stdin:
            begin = time.perf_counter()
            predictor.predict(images[int(line)], channels='bgr')
            _say(f'{time.perf_counter() - begin}\n')
            sys.stdout.flush()

    if arguments.bare == 'main':
        serve()
    else:
        thread = threading.Thread(target=serve)
        thread.start()
        thread.join()


def read_images(arguments: argparse.Namespace) -> list[np.ndarray]:
    """Return the sequence's images, at the size that is asked for."""
    images = [frame.bgr for frame in open_source(str(arguments.source), loop=False)]
    if arguments.width:
        height = round(arguments.width * images[0].shape[0] / images[0].shape[1])
        images = [cv2.resize(image, (arguments.width, height)) for image in images]
    return images


class BarePredictor:
    """This script as the bare predictor, in a process of its own; close it when done.

    Args:
        where: 'thread' or 'main': the thread in which it predicts.
    """

    def __init__(self, where: str) -> None:
        command = [sys.executable, '-m', 'benchmarks.latency', '--bare', where, *sys.argv[1:]]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        size, backend = self._process.stdout.readline().strip().split(' ', 1)
        self.settings = (size, backend)

    def latency_s(self, number: int) -> float:
        """Let it predict an image of the sequence and return the time that it took."""
        self._process.stdin.write(f'{number}\n')
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()


def measure(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    images = read_images(arguments)
    keep_memory()  # as a camera's driver would, so that making messages takes no time to speak of
    rclpy.init()
    listener = Listener(rclpy.create_node('latency'))
    parameters = {
        'model': arguments.model,
        'num_threads': arguments.num_threads,
        'task_command': repr(arguments.command),
    }
    if arguments.weights:
        parameters['weights'] = arguments.weights
    numbers = range(-arguments.warm_up, arguments.rounds * len(images))
    took_s: dict[str, list[float]] = {}
    with ExitStack() as stack:
        grounding = stack.enter_context(running(built('grounding'), **parameters))
        listener.wait_until_ready(grounding)
        alone_s = [listener.latency_s(images[number % len(images)]) for number in numbers]
        took_s['alone'] = alone_s[arguments.warm_up :]
        in_thread = stack.enter_context(closing(BarePredictor('thread')))
        in_main = stack.enter_context(closing(BarePredictor('main')))
        asked = {
            'node': lambda number: listener.latency_s(images[number]),
            'thread': in_thread.latency_s,
            'main': in_main.latency_s,
        }
        took_s.update((name, []) for name in asked)
        order = list(asked)
        for count in numbers:
            order.append(order.pop(0))
            for name in order:
                seconds = asked[name](count % len(images))
                if count >= 0:
                    took_s[name].append(seconds)
        listener.wait_for_diagnostics()
        settings = in_thread.settings
    rclpy.shutdown()
    report(took_s, settings, listener, images[0].shape)


def report(
    took_s: dict[str, list[float]],
    settings: tuple[str, str],
    listener: Listener,
    shape: tuple[int, ...],
) -> None:
    """Print the tables."""
    alone_ms, node_ms, bare_ms, main_ms = (
        1e3 * np.array(took_s[k]) for k in ('alone', 'node', 'thread', 'main')
    )
    share_ms = float(np.median(node_ms) - np.median(bare_ms))
    status = listener.status
    _say(
        f'\nMachine: {cpu_name()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; '
        f'Python {platform.python_version()}.\n'
        f'Model: {status.model}, {status.decoder}, long side {settings[0]} px; the node runs '
        f'{status.device}, bare predict() {settings[1]}; images {shape[1]}x{shape[0]}, '
        f'n = {len(node_ms)}.\n\n'
        f'| | p50 (ms) | p95 (ms) |\n|---|---|---|\n'
        f'| image stamp to targets heard, the node alone | {row(alone_ms)} |\n'
        f'| the same, in turn with the next two | {row(node_ms)} |\n'
        f'| bare predict(), in a thread as in the node | {row(bare_ms)} |\n'
        f'| bare predict(), in the main thread | {row(main_ms)} |\n'
        f"| the node's own share (difference of the medians) | {share_ms:.1f}, "
        f'{100 * share_ms / float(np.median(bare_ms)):.0f} % of predict() | |\n\n'
        f'By stage, from /diagnostics (the last 10 s):\n\n'
        f'| stage | p50 (ms) | p95 (ms) |\n|---|---|---|\n'
    )
    for stage in (*STAGES, TOTAL):
        p50, p95 = (listener.diagnostics.get(f'latency {stage} {p} (ms)') for p in ('p50', 'p95'))
        _say(f'| {stage} | {p50} | {p95} |\n')


def row(milliseconds: np.ndarray) -> str:
    """Return the two percentiles as cells."""
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return f'{p50:.1f} | {p95:.1f}'


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--source', type=Path, default=ROOT / 'samples' / 'tabletop')
    parser.add_argument('--width', type=int, default=0, help="0: the images' own")
    parser.add_argument('--command', default='hold the mug')
    parser.add_argument('--model', default='household')
    parser.add_argument('--weights', default='')
    parser.add_argument('--num-threads', type=int, default=0, help='0: as the backend chooses')
    parser.add_argument('--rounds', type=int, default=20, help='times over the sequence')
    parser.add_argument('--warm-up', type=int, default=10, help='images that do not count')
    parser.add_argument('--bare', choices=('thread', 'main'), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare:
        predict_barely(arguments)
    else:
        try:
            measure(arguments)
        except TimeoutError as error:
            raise SystemExit(str(error)) from error
    return 0


if __name__ == '__main__':
    sys.exit(main())
