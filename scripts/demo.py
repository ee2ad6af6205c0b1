# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Play a camera to the grounding node over DDS and lay its answers out on a contact sheet.

The camera node and the grounding node run as processes of their own; this script only publishes
commands and listens, as a planner would. The camera plays the tabletop sequence that ships, or any
folder of photos, bag or video, or (--live) renders the tabletop as it goes.
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
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import Any

# A domain of its own keeps the demo clear of other nodes; must be set before rclpy starts.
os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))

import cv2
import numpy as np
import rclpy
from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.msg import GroundingStatus
from geometry_msgs.msg import PoseStamped
from rclpy.executors import Executor
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import String

from affordance_ros.image.ros_image import read_message
from affordance_ros.image.source_frame import SourceError
from affordance_ros.nodes.grounding.status import LATCHED
from affordance_ros.sources import open_source
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.rgbd import read_rgbd
from affordance_ros.spatial.rigid import matrix
from affordance_ros.spatial.stamp_cache import to_ns
from affordance_ros.targets.peaks import Target
from affordance_ros.viz.contact_sheet import draw_sheet
from affordance_ros.viz.rerun_log import Recording
from affordance_ros.viz.rerun_log import RecordingError
from affordance_ros.viz.rerun_log import record

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ('hold the mug', 'drink_with', 'pour', 'open', 'cut_with', 'eat')
TABLETOP_OBJECTS = ['mug', 'knife', 'moka pot', 'bottle', 'pan', 'apple']
STARTUP_TIMEOUT_S = 120.0
ANSWER_TIMEOUT_S = 60.0


@dataclass
class Answer:
    """What came back for one frame and one command."""

    picture: np.ndarray
    targets: AffordanceTargetArray
    overlay: np.ndarray
    latency_ms: float


@dataclass
class Frame:
    """What has been heard of one frame, by its stamp."""

    name: str = ''
    picture: np.ndarray | None = None
    targets: AffordanceTargetArray | None = None
    overlay: np.ndarray | None = None
    heatmap: np.ndarray | None = None
    depth: Image | None = None
    info: CameraInfo | None = None
    pose: PoseStamped | None = None
    latency_ms: float = 0.0


@dataclass
class Listener:
    """Hears the camera and the grounding node, and pairs what belongs to one frame.

    Frames of a known source are named by what they show, so that every command is laid out over
    the same ones; live frames by the second in which they came.
    """

    node: Node
    known: dict[bytes, str]
    heatmaps: bool = False
    status: GroundingStatus = field(default_factory=GroundingStatus)
    frames: dict[int, Frame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Subscribe."""
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        subscribe = self.node.create_subscription
        subscribe(Image, 'image', self._on_image, qos_profile_sensor_data)
        subscribe(AffordanceTargetArray, 'grounding/targets', self._on_targets, 10)
        subscribe(Image, 'grounding/overlay', self._on_overlay, 10)
        subscribe(GroundingStatus, 'grounding/status', self._on_status, LATCHED)
        if self.heatmaps:
            subscribe(Image, 'grounding/heatmap', self._on_heatmap, 10)
            for kind, topic, name in (
                (Image, 'depth', 'depth'),
                (CameraInfo, 'camera_info', 'info'),
                (PoseStamped, 'grounding/target_pose', 'pose'),
            ):
                subscribe(kind, topic, partial(self._keep, name), qos_profile_sensor_data)

    def wait_for(self, condition: Callable[[], bool], what: str, *, timeout_s: float) -> None:
        """Listen until a condition holds; raises as the function of this name."""
        wait_for(self.executor, condition, what, timeout_s=timeout_s)

    def answers(self, command_id: int) -> dict[str, Answer]:
        """Return the first whole answer for each name under a command's number."""
        found: dict[str, Answer] = {}
        start_ns = 0
        for stamp_ns, frame in sorted(self.frames.items()):
            if frame.targets is None or frame.targets.command_id != command_id:
                continue
            start_ns = start_ns or stamp_ns
            if frame.picture is None or frame.overlay is None:
                continue
            name = frame.name or f'second {(stamp_ns - start_ns) // 10**9 + 1}'
            answer = Answer(frame.picture, frame.targets, frame.overlay, frame.latency_ms)
            found.setdefault(name, answer)
        return found

    def record(self, command_id: int, recording: Recording) -> None:
        """Record every whole answer under a command's number."""
        for stamp_ns, frame in sorted(self.frames.items()):
            targets = frame.targets
            whole = frame.picture is not None and frame.overlay is not None
            if not whole or targets is None or targets.command_id != command_id:
                continue
            size = frame.picture.shape[:2]
            recording.log(
                frame.picture,
                text=targets.command,
                targets=[Target(t.x, t.y, t.score) for t in targets.targets],
                overlay_bgr=frame.overlay,
                heatmap=frame.heatmap,
                stamp_ns=stamp_ns,
                rgbd=read_rgbd(frame.depth, frame.info, size=size),
                points=heard_points(targets, frame.pose),
            )

    def _frame(self, message: Any) -> Frame:
        return self.frames.setdefault(to_ns(message.header.stamp), Frame())

    def _keep(self, name: str, message: Any) -> None:
        setattr(self._frame(message), name, message)

    def _on_image(self, message: Image) -> None:
        frame = self._frame(message)
        frame.picture = read_message(message).to_bgr().copy()
        frame.name = self.known.get(frame.picture.tobytes(), '')

    def _on_targets(self, message: AffordanceTargetArray) -> None:
        frame = self._frame(message)
        frame.targets = message
        now_ns = self.node.get_clock().now().nanoseconds
        frame.latency_ms = (now_ns - to_ns(message.header.stamp)) / 1e6

    def _on_overlay(self, message: Image) -> None:
        self._frame(message).overlay = read_message(message).to_bgr().copy()

    def _on_heatmap(self, message: Image) -> None:
        size = (message.height, message.width)
        self._frame(message).heatmap = np.frombuffer(message.data, np.float32).reshape(size)

    def _on_status(self, message: GroundingStatus) -> None:
        self.status = message


def heard_points(
    targets: AffordanceTargetArray, pose: PoseStamped | None
) -> list[SurfacePoint | NoPoint]:
    """Return the targets' points as the node gave them; the best one's normal is its pose's."""
    points: list[SurfacePoint | NoPoint] = [
        SurfacePoint(np.array([t.point.x, t.point.y, t.point.z]), None)
        if t.has_point
        else NoPoint('no_depth')
        for t in targets.targets
    ]
    if pose is not None and points and isinstance(points[0], SurfacePoint):
        turn = pose.pose.orientation
        into = matrix(np.array([turn.x, turn.y, turn.z, turn.w]))[:, 0]
        points[0] = SurfacePoint(points[0].position, -into)
    return points


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
    return [str(ROOT / 'install' / 'affordance_ros' / 'lib' / 'affordance_ros' / executable)]


def run(arguments: argparse.Namespace, recording: Recording | None) -> None:
    """Run the demo, write its sheet, and record what was heard."""
    if arguments.live:
        known: dict[bytes, str] = {}
        wanted = [f'second {number + 1}' for number in range(arguments.rows)]
        camera_node = running(['-m', 'tabletop.camera_node'], seed=11, objects=TABLETOP_OBJECTS)
    else:
        pictures = [frame.bgr for frame in open_source(str(arguments.source), loop=False)]
        known = {p.tobytes(): f'frame {number}' for number, p in enumerate(pictures)}
        step = max(1, len(pictures) // arguments.rows)
        wanted = [f'frame {number}' for number in range(0, len(pictures), step)][: arguments.rows]
        camera_node = running(built('camera'), source=arguments.source, rate_hz=arguments.rate_hz)
    rclpy.init()
    node = rclpy.create_node('demo')
    listener = Listener(node, known, heatmaps=recording is not None)
    commands = node.create_publisher(String, 'task_command', 10)
    model = {
        name: getattr(arguments, name)
        for name in ('model', 'weights', 'checkpoint')
        if getattr(arguments, name)
    }
    collected: dict[str, dict[str, Answer]] = {}
    with camera_node as camera, running(built('grounding'), **model) as grounding:

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
                lambda number=number: listener.answers(number).keys() >= set(wanted),
                f'answers to {command!r}',
                timeout_s=ANSWER_TIMEOUT_S,
            )
            answers = listener.answers(number)
            collected[listener.status.command] = {name: answers[name] for name in wanted}
            if recording is not None:
                listener.record(number, recording)
            listener.frames.clear()
    status = listener.status
    node.destroy_node()
    rclpy.shutdown()
    report(collected, status=status, out=arguments.out)


def report(collected: dict[str, dict[str, Answer]], *, status: GroundingStatus, out: Path) -> None:
    """Write the contact sheet and print the table."""
    say = sys.stdout.write
    say(f'\n{"command":<14}{"frame":<12}{"best target":<28}{"targets":>8}{"latency":>11}\n')
    for command, answers in collected.items():
        for name, answer in answers.items():
            best = answer.targets.targets[0] if answer.targets.targets else None
            place = f'({best.x:6.1f}, {best.y:6.1f})  {best.score:.3f}' if best else 'none'
            count = len(answer.targets.targets)
            say(f'{command:<14}{name:<12}{place:<28}{count:>8}{answer.latency_ms:>8.0f} ms\n')
    latencies = [a.latency_ms for answers in collected.values() for a in answers.values()]
    say(
        f'\nimage stamp to targets: median {statistics.median(latencies):.0f} ms, '
        f'longest {max(latencies):.0f} ms over {len(latencies)} frames; '
        f'{status.model}, {status.decoder}, {status.device}\n'
    )
    warning = '' if status.trained else 'UNTRAINED MODEL: the heatmaps mean nothing.  '
    columns = list(collected.values())
    rows = [
        [columns[0][name].picture, *(answers[name].overlay for answers in columns)]
        for name in columns[0]
    ]
    sheet = draw_sheet(
        rows,
        column_titles=['frame', *collected],
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
    parser.add_argument('--source', type=Path, default=ROOT / 'samples' / 'tabletop')
    parser.add_argument('--live', action='store_true', help='render the tabletop as it goes')
    parser.add_argument('--rows', type=int, default=5, help='frames on the sheet')
    parser.add_argument('--out', type=Path, default=ROOT / 'out' / 'demo')
    parser.add_argument('--commands', nargs='+', default=COMMANDS)
    parser.add_argument('--rate-hz', type=float, default=10.0)
    parser.add_argument('--model', default='tabletop')
    parser.add_argument('--weights', default='')
    parser.add_argument('--checkpoint', default='')
    parser.add_argument('--rerun', type=Path, metavar='FILE.rrd', help='also record for rerun')
    arguments = parser.parse_args()
    try:
        with record(arguments.rerun) as recording:
            run(arguments, recording)
    except (RecordingError, SourceError, TimeoutError) as error:
        sys.stderr.write(f'demo: {error}\n')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
