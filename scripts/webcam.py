# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Run the camera node on a webcam and the grounding node on its images, until Ctrl-C.

Prints the best target once a second and keeps the newest overlay in a file, which an image viewer
shows; RViz and rqt_image_view show /grounding/overlay where they are installed.
"""

import argparse
import io
import sys
import time
from pathlib import Path

import cv2
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image

from affordance_ros.image.ros_image import read_message
from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.msg import GroundingStatus
from affordance_ros.nodes.grounding.status import LATCHED
from scripts.demo.processes import built
from scripts.demo.processes import running

_PERIOD_S = 1.0


class Watcher(Node):
    """Shows answers as they come, once a second at most.

    Args:
        out: The file of the newest overlay.
    """

    def __init__(self, out: Path) -> None:
        super().__init__('webcam')
        self._out = out
        self._told_at = self._kept_at = 0.0
        self._reason = ''
        self.create_subscription(AffordanceTargetArray, 'grounding/targets', self._on_targets, 10)
        self.create_subscription(Image, 'grounding/overlay', self._on_overlay, 1)
        self.create_subscription(GroundingStatus, 'grounding/status', self._on_status, LATCHED)

    def _on_targets(self, message: AffordanceTargetArray) -> None:
        if time.monotonic() - self._told_at < _PERIOD_S:
            return
        self._told_at = time.monotonic()
        best = message.targets[0] if message.targets else None
        found = f'({best.x:.0f}, {best.y:.0f}), score {best.score:.2f}' if best else 'nothing'
        sys.stdout.write(f'{message.command}: {found}\n')

    def _on_overlay(self, message: Image) -> None:
        if time.monotonic() - self._kept_at < _PERIOD_S:
            return
        self._kept_at = time.monotonic()
        self._out.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(self._out), read_message(message).to_bgr())

    def _on_status(self, message: GroundingStatus) -> None:
        if message.reason and message.reason != self._reason:
            sys.stdout.write(f'{message.reason}\n')
        self._reason = message.reason


def main() -> int:
    """Run until Ctrl-C; return the exit code."""
    parser = argparse.ArgumentParser(prog='webcam', description=__doc__.splitlines()[0])
    parser.add_argument('--source', default='0', help='webcam number, video, photos or bag')
    parser.add_argument('--command', default='hold the mug', help='what the robot is told')
    parser.add_argument('--out', type=Path, default=Path('out', 'webcam.jpg'))
    arguments = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # also into a pipe or a file
    rclpy.init()
    node = Watcher(arguments.out)
    sys.stdout.write(f'Ctrl-C ends it; overlay: {arguments.out} and /grounding/overlay\n')
    with (
        running(built('grounding'), task_command=arguments.command) as grounding,
        running(built('camera'), source=arguments.source, rate_hz=10.0) as camera,
    ):
        try:
            while camera.poll() is None and grounding.poll() is None:
                rclpy.spin_once(node, timeout_sec=0.2)
        except (KeyboardInterrupt, ExternalShutdownException):
            return 0
    sys.stderr.write('a node has ended; its log is above\n')
    return 1


if __name__ == '__main__':
    sys.exit(main())
