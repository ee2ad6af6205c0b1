# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Play photos and the tabletop to the grounding node over DDS, and lay its answers out on sheets.

The camera node and the grounding node run as processes of their own; this script only publishes
commands and listens, as a planner would. With --source it plays a folder of photos, a bag or a
video of your own; --live renders the tabletop as it goes.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen

# A domain of its own keeps the demo clear of other nodes; must be set before rclpy starts.
os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))

import rclpy
from std_msgs.msg import String

from affordance_ros.image.source_frame import SourceError
from affordance_ros.msg import GroundingStatus
from affordance_ros.safe_io.yaml import read_yaml
from affordance_ros.sources import open_source
from affordance_ros.sources import read_image
from affordance_ros.viz.rerun_log import Recording
from affordance_ros.viz.rerun_log import RecordingError
from affordance_ros.viz.rerun_log import record
from scripts.demo import report
from scripts.demo.listener import Answer
from scripts.demo.listener import Listener
from scripts.demo.processes import ANSWER_TIMEOUT_S
from scripts.demo.processes import ROOT
from scripts.demo.processes import STARTUP_TIMEOUT_S
from scripts.demo.processes import TABLETOP_OBJECTS
from scripts.demo.processes import built
from scripts.demo.processes import running

PHOTOS = ROOT / 'samples' / 'photos'
TABLETOP = ROOT / 'samples' / 'tabletop'
# Lower than a robot would act on: the demo shows what the model thinks, with its score.
MIN_SCORE = 0.1
TABLETOP_COMMANDS = ('hold the mug', 'pour', 'open the moka pot', 'cut with', 'eat the apple')


class Demo:
    """The grounding node, and a camera in turn for each part of the demo.

    Args:
        grounding: The grounding node's process.
        heatmaps: Whether to hear heatmaps and depth too, for a recording.
        recording: Where to, if anywhere.
    """

    def __init__(self, grounding: Popen, recording: Recording | None) -> None:
        self._grounding = grounding
        self._recording = recording
        self._node = rclpy.create_node('demo')
        self._commands = self._node.create_publisher(String, 'task_command', 10)
        self._listener = Listener(self._node, {}, heatmaps=recording is not None)

    @property
    def status(self) -> GroundingStatus:
        """What the grounding node last said of itself."""
        return self._listener.status

    def wait_until_loaded(self) -> None:
        """Wait for the model.

        Raises:
            TimeoutError: If it takes too long.
        """
        self._listener.wait_for(self._loaded, 'the grounding node', timeout_s=STARTUP_TIMEOUT_S)

    def ask(
        self,
        camera: AbstractContextManager[Popen],
        questions: Sequence[tuple[str, Sequence[str]]],
        known: dict[bytes, str],
    ) -> dict[str, dict[str, Answer]]:
        """Let a camera play, and collect answers.

        Args:
            camera: The camera node, not yet started.
            questions: Each a command and the names of the frames to see answered.
            known: The names of frames by their pixels; live frames are named by the second.

        Returns:
            Answers by command and frame.

        Raises:
            TimeoutError: If an answer does not come.
        """
        collected = {}
        self._listener.known = known
        with camera as process:
            for command, names in questions:
                answers = self._ask(command, set(names), process)
                collected[self.status.command] = answers
        return collected

    def _ask(self, command: str, names: set[str], camera: Popen) -> dict[str, Answer]:
        listener = self._listener
        listener.frames.clear()
        before = listener.status.command_id
        self._commands.publish(String(data=command))

        def answered() -> bool:
            if camera.poll() is not None:
                raise SystemExit('the camera has ended; its log is above')
            number = listener.status.command_id
            return self._loaded() and number > before and names <= listener.answers(number).keys()

        listener.wait_for(answered, f'answers to {command!r}', timeout_s=ANSWER_TIMEOUT_S)
        number = listener.status.command_id
        if self._recording is not None:
            listener.record(number, self._recording)
        answers = listener.answers(number)
        return {name: answers[name] for name in sorted(names)}

    def _loaded(self) -> bool:
        if self._grounding.poll() is not None:
            raise SystemExit('the grounding node has ended; its log is above')
        loading = self._listener.status.state == GroundingStatus.LOADING
        return not loading and self._commands.get_subscription_count() > 0


def run(arguments: argparse.Namespace, recording: Recording | None) -> None:
    """Run the demo, write its sheets, and record what was heard."""
    model = {
        name: getattr(arguments, name)
        for name in ('model', 'weights', 'checkpoint')
        if getattr(arguments, name)
    }
    model |= {'min_score': MIN_SCORE, 'max_targets': 1}
    own = arguments.source is not None or arguments.live
    parts = []
    rclpy.init()
    with running(built('grounding'), **model) as grounding:
        demo = Demo(grounding, recording)
        demo.wait_until_loaded()
        if not own:
            parts.append(_photos(demo, arguments))
        parts.append(_sequence(demo, arguments))
        status = demo.status
    rclpy.shutdown()
    report.print_table(parts, status)
    line = f'{report.banner(status)}, best target from a score of {MIN_SCORE:g}'
    if not own:
        report.write_panels(parts[0], arguments.out / 'photos.png', banner=line)
    report.write_grid(parts[-1], arguments.out / 'sequence.png', banner=line)


def _photos(demo: Demo, arguments: argparse.Namespace) -> dict[str, dict[str, Answer]]:
    """Ask each sample photo its own command."""
    questions = read_yaml(ROOT / 'samples' / 'commands.yaml')
    known = {read_image(PHOTOS / name).tobytes(): name for name in questions}
    camera = running(built('camera'), source=PHOTOS, rate_hz=arguments.rate_hz)
    return demo.ask(camera, [(command, [name]) for name, command in questions.items()], known)


def _sequence(demo: Demo, arguments: argparse.Namespace) -> dict[str, dict[str, Answer]]:
    """Ask every command over the same frames of a sequence."""
    if arguments.live:
        names = [f'second {number + 1}' for number in range(arguments.rows)]
        camera = running(
            ['-m', 'affordance_ros_tabletop.camera_node'], seed=11, objects=TABLETOP_OBJECTS
        )
        return demo.ask(camera, [(command, names) for command in arguments.commands], {})
    source = arguments.source or TABLETOP
    frames = [frame.bgr for frame in open_source(str(source), loop=False)]
    known = {frame.tobytes(): f'frame {number}' for number, frame in enumerate(frames)}
    step = max(1, len(frames) // arguments.rows)
    names = [f'frame {number}' for number in range(0, len(frames), step)][: arguments.rows]
    camera = running(built('camera'), source=source, rate_hz=arguments.rate_hz)
    return demo.ask(camera, [(command, names) for command in arguments.commands], known)


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog='demo', description=__doc__)
    parser.add_argument('--source', type=Path, help='your own photos, bag or video')
    parser.add_argument('--live', action='store_true', help='render the tabletop as it goes')
    parser.add_argument('--rows', type=int, default=3, help="frames on the sequence's sheet")
    parser.add_argument('--out', type=Path, default=Path('out', 'demo'))
    parser.add_argument('--commands', nargs='+', default=TABLETOP_COMMANDS)
    parser.add_argument('--rate-hz', type=float, default=10.0)
    parser.add_argument('--model', default='')
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
