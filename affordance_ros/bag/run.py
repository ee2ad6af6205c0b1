# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Ground commands in a bag's images and write the answers as a bag: needs no ROS."""

import logging
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from tqdm import tqdm

from affordance_ros.bag.file import BagMessage
from affordance_ros.bag.file import InputBag
from affordance_ros.bag.file import OutputBag
from affordance_ros.bag.file import create_bag
from affordance_ros.bag.file import open_bag
from affordance_ros.bag.frames import HeldImages
from affordance_ros.bag.frames import decode_image
from affordance_ros.bag.messages import IMAGE
from affordance_ros.bag.messages import TARGETS
from affordance_ros.bag.messages import OutputMessages
from affordance_ros.bag.rgbd import BagRgbd
from affordance_ros.bag.schedule import Schedule
from affordance_ros.bag.topics import DepthTopics
from affordance_ros.bag.vision_definitions import DETECTIONS_2D
from affordance_ros.bag.vision_definitions import DETECTIONS_3D
from affordance_ros.image.bit_depth import BitDepth
from affordance_ros.image.ros_image import CameraImage
from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.source_frame import SourceError
from affordance_ros.predictor import Predictor
from affordance_ros.spatial.follow import Follower
from affordance_ros.spatial.located import DepthGate
from affordance_ros.spatial.located import select
from affordance_ros.spatial.plausible import RgbdChecks
from affordance_ros.spatial.stamp_cache import to_ns
from affordance_ros.targets.mask import draw_mask
from affordance_ros.targets.smoothing import USUAL_S
from affordance_ros.targets.smoothing import HeatSmoother
from affordance_ros.text.commands import BoundCommand
from affordance_ros.viz.overlay import draw_overlay
from affordance_ros.viz.rerun_log import Recording
from affordance_ros.viz.rerun_log import record

_LOG = logging.getLogger('affordance-bag')
OUTPUTS = {
    'heatmap': IMAGE,
    'overlay': IMAGE,
    'targets': TARGETS,
    'mask': IMAGE,
    'detections': DETECTIONS_2D,
    'detections_3d': DETECTIONS_3D,
}


@dataclass(frozen=True)
class BagJob:
    """What to read and what to write.

    Attributes:
        source: A rosbag2 folder, or a single .mcap or .db3.
        out: A new .mcap, or a new rosbag2 folder.
        schedule: Which command is in force when.
        topic: The topic of images; empty for the only one there is.
        depth: The topics of depth and camera_info.
        checks: What depth must satisfy.
        gate: Which targets depth refuses.
        heat_smoothing_s: See `HeatSmoother`.
        namespace: What the output topics lie under, such as /grounding.
        copy: Whether all input topics are copied too.
        rerun: Where a recording for the rerun viewer goes; None for none.
    """

    source: Path
    out: Path
    schedule: Schedule
    topic: str = ''
    depth: DepthTopics = field(default_factory=DepthTopics)
    checks: RgbdChecks = field(default_factory=RgbdChecks)
    gate: DepthGate = field(default_factory=DepthGate)
    heat_smoothing_s: float = USUAL_S
    namespace: str = '/grounding'
    copy: bool = False
    rerun: Path | None = None


@dataclass(frozen=True)
class BagReport:
    """What became of the images.

    Attributes:
        topic: The topic that was read.
        answered: Images with an answer.
        early: Images before the first command, which get none, as in the node.
        unusable: Images that could not be read, by cause.
        without_points: Images that got no 3D points although the bag has depth, by cause.
        refused: Targets that gates left out, by cause.
    """

    topic: str
    answered: int
    early: int
    unusable: Counter[str]
    without_points: Counter[str]
    refused: Counter[str]


def run_bag(job: BagJob, predictor: Predictor) -> BagReport:
    """Answer every image of a bag; the node drops those that it is too slow for.

    Every output carries its image's header and log time.

    Args:
        job: What to read and write.
        predictor: The loaded predictor.

    Raises:
        SourceError: If the bag can't be read or the output can't be written; nothing is left then.
        CommandError: If a command can't be used.
        RecordingError: If the recording can't be written.
    """
    with (
        record(job.rerun) as recording,
        open_bag(job.source, job.topic) as source,
        create_bag(job.out) as sink,
    ):
        run = _Run(job, predictor, source, sink, recording)
        beside = run.depth.topics
        total = source.count(everything=job.copy, beside=beside)
        messages = source.messages(everything=job.copy, beside=beside)
        bar = tqdm(messages, total=total, unit='message', disable=not sys.stderr.isatty())
        for message in bar:
            if job.copy:
                sink.copy(message, source)
            run.take(message)
        return run.finish()


class _Run:
    """The state of one run over a bag."""

    def __init__(
        self,
        job: BagJob,
        predictor: Predictor,
        source: InputBag,
        sink: OutputBag,
        recording: Recording | None,
    ) -> None:
        self._schedule = job.schedule
        self._gate = job.gate
        self._predictor = predictor
        self._source = source
        self._sink = sink
        self._recording = recording
        self._messages = OutputMessages()
        self._smoother = HeatSmoother(job.heat_smoothing_s)
        self._follower = Follower()
        self._topics = dict(self._add_topics(job))
        self._answered = self._early = 0
        self._unusable: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._command: BoundCommand | None = None
        self.depth = BagRgbd(source, job.depth, job.checks)
        self._held = HeldImages(source, self.depth)
        self._bit_depth = BitDepth()

    def take(self, message: BagMessage) -> None:
        """Take the bag's next message; an image is answered once its depth can have come."""
        for image in self._held.take(message):
            self._answer(self._source.read(image), image.log_ns)

    def finish(self) -> BagReport:
        """Answer the images that still wait; return what became of all."""
        for image in self._held.rest():
            self._answer(self._source.read(image), image.log_ns)
        return BagReport(
            self._source.topic,
            self._answered,
            self._early,
            self._unusable,
            self.depth.without_points,
            self._refused,
        )

    def _answer(self, message: Any, log_ns: int) -> None:
        command = self._schedule.at((log_ns - self._source.start_ns) / 1e9)
        if command is None:
            self._early += 1
            return
        if command != self._command:
            self._predictor.set_command(command.text)
            self._command = command
        try:
            image = decode_image(message, self._bit_depth)
        except ImageError as error:
            if error.cause not in self._unusable:
                _LOG.warning('an image can not be used: %s', error)
            self._unusable[error.cause] += 1
            return
        self._write(image, command, header=message.header, log_ns=log_ns)
        self._answered += 1

    def _write(
        self, image: CameraImage, command: BoundCommand, *, header: Any, log_ns: int
    ) -> None:
        (activation,) = self._predictor.activations(image.pixels, channels=image.channels)
        stamp_s = self.depth.key(header, log_ns) / 1e9
        grounding = self._predictor.config.ground_smoothed(
            self._predictor.commands[0],
            activation,
            self._smoother,
            image=image.pixels,
            stamp_s=stamp_s,
        )
        bgr = image.to_bgr()
        rgbd = self.depth.rgbd(header, size=grounding.size, log_ns=log_ns)
        selection = select(grounding, rgbd, self._gate)
        self._refused.update(selection.refused)
        located = self._follower.update(
            selection,
            command=command.text,
            image=image.pixels,
            stamp_s=stamp_s,
            rgbd=rgbd,
        )
        targets = tuple(one.target for one in located)
        overlay = draw_overlay(bgr, grounding.heatmap, targets=targets, caption=command.text)
        make = self._messages
        for name, raw in (
            ('heatmap', make.image(grounding.heatmap, '32FC1', header=header)),
            ('overlay', make.image(overlay, 'bgr8', header=header)),
            (
                'targets',
                make.targets(located, command, size=grounding.size, header=header),
            ),
            ('mask', make.image(draw_mask(targets, grounding.size), 'mono8', header=header)),
            ('detections', make.detections_2d(located, command, header=header)),
            ('detections_3d', make.detections_3d(located, command, header=header)),
        ):
            self._sink.write(self._topics[name], log_ns, raw)
        if self._recording is not None:
            self._recording.log(
                bgr,
                text=command.text,
                targets=targets,
                overlay_bgr=overlay,
                heatmap=grounding.heatmap,
                stamp_ns=to_ns(header.stamp),
                rgbd=rgbd if self.depth.has_depth else None,
                points=[one.point for one in located],
            )

    def _add_topics(self, job: BagJob) -> Iterator[tuple[str, Connection]]:
        for name, message_type in OUTPUTS.items():
            topic = f'{job.namespace.rstrip("/")}/{name}'
            if job.copy and topic in self._source.facts:
                raise SourceError(
                    f'{job.source} has a topic {topic} of its own: leave --copy away, or write '
                    f'under another --namespace'
                )
            yield name, self._sink.add_topic(topic, message_type, store=self._messages.store)
