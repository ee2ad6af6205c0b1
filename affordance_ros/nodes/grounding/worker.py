# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The one thread that owns the model: takes frames and requests, and answers them."""

import threading
import traceback
from collections.abc import Callable
from collections.abc import Sequence

from rclpy.node import Node

from affordance_ros.image.bit_depth import BitDepth
from affordance_ros.image.ros_image import CameraImage
from affordance_ros.image.ros_image import ImageError
from affordance_ros.nodes.grounding.ground_request import Frame
from affordance_ros.nodes.grounding.ground_request import GroundRequest
from affordance_ros.nodes.grounding.ground_request import NodeMailbox
from affordance_ros.nodes.grounding.inputs import decode
from affordance_ros.nodes.grounding.node_config import NodeConfig
from affordance_ros.nodes.grounding.outputs import Outputs
from affordance_ros.nodes.grounding.spatial import Spatial
from affordance_ros.nodes.grounding.status import StatusReporter
from affordance_ros.nodes.messages import to_target_array
from affordance_ros.predictor import Predictor
from affordance_ros.runtime.fair_lock import FairLock
from affordance_ros.runtime.latency import FrameTimer
from affordance_ros.runtime.latency import LatencyMonitor
from affordance_ros.runtime.mailbox import Job
from affordance_ros.runtime.mailbox import RequestJob
from affordance_ros.spatial.follow import Follower
from affordance_ros.spatial.rgbd import NO_DEPTH
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.spatial.stamp_cache import to_ns
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.smoothing import HeatSmoother
from affordance_ros.text.commands import CommandError


class Worker:
    """Grounds what the mailbox hands out, from `start` to `stop`, and any number of times.

    Args:
        node: The node, for its log.
        predictor: The loaded model; nobody else may predict with it.
        config: How targets are chosen, followed and held.
        mailbox: Where the work comes from. It has to be closed before `stop`.
        turns: Held while a frame is answered, by all who share the model.
        outputs: Where answers to frames go.
        latency: Told of every answer, to frames and to requests.
        spatial: Depth and camera_info, and where answers in 3D go.
        status: Where what could not be used is named.
    """

    def __init__(
        self,
        node: Node,
        *,
        predictor: Predictor,
        config: NodeConfig,
        mailbox: NodeMailbox,
        turns: FairLock,
        outputs: Outputs,
        latency: LatencyMonitor,
        spatial: Spatial,
        status: StatusReporter,
    ) -> None:
        self._log = node.get_logger()
        self._predictor = predictor
        self._mailbox = mailbox
        self._turns = turns
        self._outputs = outputs
        self._latency = latency
        self._spatial = spatial
        self._smoother = HeatSmoother(config.heat_smoothing_s)
        self._follower = Follower(config.tracks, config.hysteresis)
        self._status = status
        self._bit_depth = BitDepth(config.image_bits)
        self._config = config.predictor
        self._thread: threading.Thread | None = None
        self._abandoned = False

    def check_command(self, text: str) -> str:
        """Clean a command; raises CommandError if it can't be used."""
        return self._predictor.check_command(text)

    def configure(self, config: NodeConfig) -> None:
        """Use another configuration from the next frame on."""
        self._config = config.predictor
        self._smoother.seconds = config.heat_smoothing_s
        self._follower.configure(config.tracks, config.hysteresis)

    def start(self) -> None:
        """Begin to work."""
        self._thread = threading.Thread(target=self._work, name='grounding-worker', daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float | None = None) -> None:
        """Wait until the work under way is done and the thread has ended.

        Args:
            timeout_s: How long to wait, before a process ends; None for as long as it takes. A
                thread that takes longer is left alone and says nothing any more.
        """
        if self._thread is not None:
            self._thread.join(timeout_s)
            self._abandoned = self._thread.is_alive()
            self._thread = None

    def _work(self) -> None:
        while self._mailbox.wait():
            # The newest frame is taken when the turn has come, and not before.
            with self._turns:
                work = self._mailbox.take()
                if isinstance(work, Job):
                    self._process(work)
                elif work is not None:
                    self._answer(work)

    def _process(self, job: Job[Frame]) -> None:
        error = self._attempt(lambda: self._publish(job))
        self._mailbox.finish(error.cause if error else '')
        if error is None:
            self._status.frame_processed()
        else:
            self._status.report_unusable(error)

    def _publish(self, job: Job[Frame]) -> None:
        header, timer = job.frame.header, job.timer
        depth = self._spatial.find_exact(header)
        image, (activation,) = self._activations(job.frame, [job.command.text], timer)
        stamp_s = to_ns(header.stamp) / 1e9
        grounding = self._predictor.config.ground_smoothed(
            self._predictor.commands[0],
            activation,
            self._smoother,
            image=image.pixels,
            stamp_s=stamp_s,
        )
        rgbd = self._spatial.rgbd(header, size=grounding.size, depth=depth)
        located = self._follower.update(
            self._spatial.select(grounding, rgbd),
            command=job.command.text,
            image=image.pixels,
            stamp_s=stamp_s,
            rgbd=rgbd,
        )
        message = to_target_array(located, job.command, size=grounding.size, header=header)
        timer.lap('postprocess')
        self._outputs.publish_targets(message)
        timer.lap('publish')
        self._latency.frame_answered(timer)
        self._spatial.publish(message, located, source=grounding, rgbd=rgbd)
        self._outputs.publish_images(
            message, located, grounding, image, min_score=self._predictor.config.min_score
        )

    def _answer(self, asked: RequestJob[Frame, GroundRequest]) -> None:
        error = self._attempt(lambda: self._ground(asked))
        if error is not None:
            asked.request.fail(f'the image could not be used: {error}', cause=error.cause)

    def _ground(self, asked: RequestJob[Frame, GroundRequest]) -> None:
        header, request, timer = asked.frame.header, asked.request, asked.timer
        depth = self._spatial.find_exact(header) if request.from_camera else None
        _, activations = self._activations(asked.frame, request.commands, timer)
        groundings = self._predictor.config.ground(self._predictor.commands, activations)
        rgbd: Rgbd | NoRgbd = NO_DEPTH
        if request.from_camera:
            rgbd = self._spatial.rgbd(header, size=groundings[0].size, depth=depth)
        located = [self._spatial.select(g, rgbd).targets for g in groundings]
        timer.lap('postprocess')
        request.succeed(groundings, located, header=header)
        timer.lap('publish')
        self._latency.frame_answered(timer)

    def _activations(
        self, frame: Frame, commands: Sequence[str], timer: FrameTimer
    ) -> tuple[CameraImage, list[Activation]]:
        """Run the model on a frame, the stages timed; return a map for each command."""
        image = decode(frame, self._bit_depth)
        self._predictor.set_commands(commands)
        timer.lap('preprocess')
        activations = self._predictor.activations(image.pixels, channels=image.channels)
        timings = self._predictor.timings
        timer.lap('postprocess', preprocess=timings.preprocess_s, model=timings.model_s)
        return image, activations

    def _attempt(self, action: Callable[[], None]) -> ImageError | None:
        """Do something with a frame and return why it could not be used, if so."""
        try:
            if self._config != self._predictor.config:
                if self._config.prompt_set != self._predictor.config.prompt_set:
                    self._smoother.forget()  # heat of other words
                self._predictor.configure(self._config)
            action()
        except ImageError as error:
            return error
        except CommandError as error:
            # A prompt set that was changed live can make a command too long.
            return ImageError('command', str(error))
        except Exception as error:
            # One bad frame must not end the node: out of memory on the GPU, for example.
            if not self._abandoned:  # whose publishers are gone
                self._log.error(traceback.format_exc())
            return ImageError(type(error).__name__, repr(error))
        return None
