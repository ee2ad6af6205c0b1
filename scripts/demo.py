"""Play sample photos to the grounding node over DDS and lay its answers out on a contact sheet.

The camera node and the grounding node run as processes of their own; this script only publishes
commands and listens, as a planner would.
"""

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

# A domain of its own keeps the demo clear of other nodes; must be set before rclpy starts.
os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))

import cv2
import numpy as np
import rclpy
from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.msg import GroundingStatus
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import String

from affordance_ros.contact_sheet import draw_sheet
from affordance_ros.image_source import find_images
from affordance_ros.image_source import read_image
from affordance_ros.images import read_message
from affordance_ros.nodes.status import LATCHED

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ('hold', 'drink_with', 'cut', 'eat', 'open', 'type on')
STARTUP_TIMEOUT_S = 120.0
ANSWER_TIMEOUT_S = 60.0


@dataclass
class Answer:
    """What came back for one photo and one command."""

    targets: AffordanceTargetArray
    overlay: np.ndarray
    latency_ms: float


@dataclass
class Frame:
    """What has been heard of one frame, by its stamp."""

    photo: str = ''
    targets: AffordanceTargetArray | None = None
    overlay: np.ndarray | None = None
    latency_ms: float = 0.0


@dataclass
class Listener:
    """Hears the camera and the grounding node, and pairs what belongs to one frame."""

    node: Node
    photos: dict[bytes, str]
    status: GroundingStatus = field(default_factory=GroundingStatus)
    frames: dict[int, Frame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Subscribe."""
        subscribe = self.node.create_subscription
        subscribe(Image, 'image', self._on_image, qos_profile_sensor_data)
        subscribe(AffordanceTargetArray, 'grounding/targets', self._on_targets, 10)
        subscribe(Image, 'grounding/overlay', self._on_overlay, 10)
        subscribe(GroundingStatus, 'grounding/status', self._on_status, LATCHED)

    def wait_for(self, condition: Callable[[], bool], what: str, *, timeout_s: float) -> None:
        """Listen until a condition holds.

        Raises:
            TimeoutError: If it does not within the time.
        """
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f'waited {timeout_s:g} s in vain for {what}')
            rclpy.spin_once(self.node, timeout_sec=0.1)

    def answers(self, command_id: int) -> dict[str, Answer]:
        """Return the first whole answer for each photo under a command's number."""
        found: dict[str, Answer] = {}
        for frame in self.frames.values():
            targets, overlay = frame.targets, frame.overlay
            if not frame.photo or targets is None or overlay is None:
                continue
            if targets.command_id == command_id:
                found.setdefault(frame.photo, Answer(targets, overlay, frame.latency_ms))
        return found

    def _frame(self, message: Image | AffordanceTargetArray) -> Frame:
        stamp = message.header.stamp
        return self.frames.setdefault(stamp.sec * 10**9 + stamp.nanosec, Frame())

    def _on_image(self, message: Image) -> None:
        self._frame(message).photo = self.photos.get(bytes(message.data), 'unknown')

    def _on_targets(self, message: AffordanceTargetArray) -> None:
        stamp = message.header.stamp
        sent_ns = stamp.sec * 10**9 + stamp.nanosec
        frame = self._frame(message)
        frame.targets = message
        frame.latency_ms = (self.node.get_clock().now().nanoseconds - sent_ns) / 1e6

    def _on_overlay(self, message: Image) -> None:
        self._frame(message).overlay = read_message(message).pixels.copy()

    def _on_status(self, message: GroundingStatus) -> None:
        self.status = message


@contextlib.contextmanager
def running(executable: str, **parameters: object) -> Iterator[subprocess.Popen]:
    """Run a node of the built package as a process; stop it as Ctrl-C would."""
    path = ROOT / 'install' / 'affordance_ros' / 'lib' / 'affordance_ros' / executable
    arguments = [part for k, v in parameters.items() for part in ('-p', f'{k}:={v}')]
    process = subprocess.Popen([sys.executable, str(path), '--ros-args', *arguments])
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def run(arguments: argparse.Namespace) -> None:
    """Run the demo and write its sheet."""
    paths = find_images(arguments.photos)
    images = {path.name: read_image(path) for path in paths}
    rclpy.init()
    node = rclpy.create_node('demo')
    listener = Listener(node, {image.tobytes(): name for name, image in images.items()})
    commands = node.create_publisher(String, 'task_command', 10)
    model = {
        name: getattr(arguments, name)
        for name in ('model', 'weights', 'checkpoint')
        if getattr(arguments, name)
    }
    collected: dict[str, dict[str, Answer]] = {}
    with (
        running('camera', source=arguments.photos, rate_hz=arguments.rate_hz) as camera,
        running('grounding', **model) as grounding,
    ):

        def ready() -> bool:
            if grounding.poll() is not None or camera.poll() is not None:
                raise SystemExit('a node has ended; its log is above')
            loaded = listener.status.state != GroundingStatus.LOADING
            return loaded and commands.get_subscription_count() > 0

        listener.wait_for(ready, 'the grounding node', timeout_s=STARTUP_TIMEOUT_S)
        for command in arguments.commands:
            number = listener.status.command_id + 1
            commands.publish(String(data=command))
            listener.wait_for(
                lambda number=number: listener.status.command_id == number,
                f'the node to take {command!r}',
                timeout_s=ANSWER_TIMEOUT_S,
            )
            listener.wait_for(
                lambda number=number: listener.answers(number).keys() >= images.keys(),
                f'answers to {command!r}',
                timeout_s=ANSWER_TIMEOUT_S,
            )
            collected[listener.status.command] = listener.answers(number)
    status = listener.status
    node.destroy_node()
    rclpy.shutdown()
    report(images, collected, status=status, out=arguments.out)


def report(
    images: dict[str, np.ndarray],
    collected: dict[str, dict[str, Answer]],
    *,
    status: GroundingStatus,
    out: Path,
) -> None:
    """Write the contact sheet and print the table."""
    say = sys.stdout.write
    say(f'\n{"command":<12}{"photo":<20}{"best target":<28}{"targets":>8}{"latency":>11}\n')
    for command, answers in collected.items():
        for name in images:
            answer = answers[name]
            best = answer.targets.targets[0] if answer.targets.targets else None
            place = f'({best.x:6.1f}, {best.y:6.1f})  {best.score:.3f}' if best else 'none'
            count = len(answer.targets.targets)
            say(f'{command:<12}{name:<20}{place:<28}{count:>8}{answer.latency_ms:>8.0f} ms\n')
    latencies = [a.latency_ms for answers in collected.values() for a in answers.values()]
    say(
        f'\nimage stamp to targets: median {statistics.median(latencies):.0f} ms, '
        f'longest {max(latencies):.0f} ms over {len(latencies)} frames; '
        f'{status.model}, {status.decoder}, {status.device}\n'
    )
    warning = '' if status.trained else 'UNTRAINED MODEL: the heatmaps mean nothing.  '
    sheet = draw_sheet(
        [
            [image, *(answers[n].overlay for answers in collected.values())]
            for n, image in images.items()
        ],
        column_titles=['photo', *collected],
        banner=f'{warning}{status.model}, {status.decoder}',
    )
    out.mkdir(parents=True, exist_ok=True)
    path = out / 'contact_sheet.png'
    cv2.imwrite(str(path), sheet)
    if warning:
        say(f'{warning}\n')
    say(f'contact sheet: {path}\n')


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--photos', type=Path, default=ROOT / 'samples' / 'photos')
    parser.add_argument('--out', type=Path, default=ROOT / 'out' / 'demo')
    parser.add_argument('--commands', nargs='+', default=COMMANDS)
    parser.add_argument('--rate-hz', type=float, default=5.0)
    parser.add_argument('--model', default='compact')
    parser.add_argument('--weights', default='random')
    parser.add_argument('--checkpoint', default='')
    try:
        run(parser.parse_args())
    except TimeoutError as error:
        sys.stderr.write(f'demo: {error}\n')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
