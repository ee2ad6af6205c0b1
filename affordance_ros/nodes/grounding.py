"""The grounding node: newest camera frame and command in, heatmap, overlay and targets out."""

import threading
import traceback
from collections.abc import Sequence

import cv2
import torch
from rcl_interfaces.msg import SetParametersResult
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos import qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String

from affordance_ros.commands import CommandError
from affordance_ros.commands import command_warning
from affordance_ros.frames import BoundCommand
from affordance_ros.frames import Job
from affordance_ros.frames import Mailbox
from affordance_ros.images import CameraImage
from affordance_ros.images import ImageError
from affordance_ros.images import check_message
from affordance_ros.images import decode_compressed
from affordance_ros.images import needs_bridge
from affordance_ros.images import read_message
from affordance_ros.latency import LatencyMonitor
from affordance_ros.model.checkpoint import CheckpointError
from affordance_ros.model.weights import WeightsError
from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.nodes import parameters
from affordance_ros.nodes.bridge import convert_rare
from affordance_ros.nodes.diagnostics import Diagnostics
from affordance_ros.nodes.diagnostics import gather_facts
from affordance_ros.nodes.messages import to_image
from affordance_ros.nodes.messages import to_jpeg
from affordance_ros.nodes.messages import to_target_array
from affordance_ros.nodes.run import StartupError
from affordance_ros.nodes.run import run_node
from affordance_ros.nodes.status import StatusReporter
from affordance_ros.overlay import draw_overlay
from affordance_ros.predictor import Grounding
from affordance_ros.predictor import Predictor
from affordance_ros.prompts import load_prompt_set
from affordance_ros.watchdog import Facts

_STATUS_PERIOD_S = 1.0
# The mailbox keeps the newest frame alone. The queue before it has to outlast the moments when a
# busy machine keeps the callback waiting, so that a frame that gives way is counted as dropped and
# not lost unseen: with depth 1 a loaded 2-core machine lost 14 % of a 30 Hz camera's frames.
_IMAGE_QOS = QoSProfile(
    depth=10,
    reliability=qos_profile_sensor_data.reliability,
    durability=qos_profile_sensor_data.durability,
)


class GroundingNode(Node):
    """Grounds the command in force in the newest frame, over and over.

    Callbacks only check and keep; one worker thread owns the model and publishes. See the README
    for topics and parameters.

    Raises:
        StartupError: If a parameter can't be used or the model can't be loaded.
    """

    def __init__(self) -> None:
        super().__init__('grounding')
        self._mailbox: Mailbox[Image | CompressedImage] = Mailbox()
        self._latency = LatencyMonitor()
        self._about: dict[str, str] = {}
        self._worker = threading.Thread(target=self._work, name='grounding-worker')
        self._status = StatusReporter(self, lambda: self._mailbox.counters)
        parameters.declare(self)
        try:
            self._config = parameters.read(self)
            self._predictor = self._load()
        except (ValueError, WeightsError, CheckpointError) as error:
            raise StartupError(str(error)) from error
        self._mailbox.set_rate_limit(self._config.max_rate_hz)
        self.add_on_set_parameters_callback(self._on_parameters)
        self._create_publishers()
        if self._config.task_command:
            self._accept(self._config.task_command)
        self._create_subscriptions()
        self.create_timer(_STATUS_PERIOD_S, self._status.publish_counts)
        Diagnostics(
            self,
            self._latency,
            facts=self._gather_facts,
            state=lambda: self._status.state,
            about=lambda: self._about,
        )
        self._worker.start()

    def destroy_node(self) -> None:
        """Stop the worker, then the node."""
        self._mailbox.close()
        if self._worker.is_alive():  # not yet, if the model could not be loaded
            self._worker.join()
        super().destroy_node()

    def _load(self) -> Predictor:
        if self._config.num_threads:
            torch.set_num_threads(self._config.num_threads)
            cv2.setNumThreads(self._config.num_threads)
        predictor = Predictor.load(self._config.model, self._config.predictor)
        predictor.warm_up()
        model = predictor.model
        self._about = model.describe()
        self.get_logger().info(
            f'{model.name} with weights {model.trunk.weights} on {model.device}, '
            f'{model.decoder.description}, long side {predictor.input_size} px'
        )
        if model.untrained:
            self.get_logger().warning('the model is UNTRAINED: its heatmaps mean nothing')
        self._status.set_model(
            model=f'{model.name} ({model.trunk.weights})',
            decoder=model.decoder.description,
            device=str(model.device),
            trained=not model.untrained,
        )
        return predictor

    def _create_publishers(self) -> None:
        def publisher(message_type: type, topic: str, depth: int) -> Publisher:
            return self.create_publisher(
                message_type, topic, depth, qos_overriding_options=_overridable()
            )

        self._heatmap_publisher = publisher(Image, '~/heatmap', 1)
        self._overlay_publisher = publisher(Image, '~/overlay', 1)
        self._overlay_jpeg_publisher = publisher(CompressedImage, '~/overlay/compressed', 1)
        self._targets_publisher = publisher(AffordanceTargetArray, '~/targets', 10)

    def _create_subscriptions(self) -> None:
        # image_transport's convention: the compressed topic lies below the raw one, whatever that
        # was remapped to.
        topic = self.resolve_topic_name('image')
        compressed = self._config.image_transport == 'compressed'
        self._images = self.create_subscription(
            CompressedImage if compressed else Image,
            f'{topic}/compressed' if compressed else topic,
            self._on_compressed_image if compressed else self._on_raw_image,
            _IMAGE_QOS,
            callback_group=MutuallyExclusiveCallbackGroup(),
            qos_overriding_options=_overridable(),
        )
        self.create_subscription(
            String,
            'task_command',
            lambda message: self._accept(message.data),
            10,
            callback_group=MutuallyExclusiveCallbackGroup(),
        )

    def _on_compressed_image(self, message: CompressedImage) -> None:
        self._latency.frame_received()
        self._mailbox.offer(message, transport_s=self._age_s(message.header))

    def _on_raw_image(self, message: Image) -> None:
        self._latency.frame_received()
        try:
            check_message(message)
        except ImageError as error:
            # Refused at once, so that a broken frame never replaces a good one that waits.
            self._mailbox.refuse(error.cause)
            self._status.report_unusable(error)
        else:
            self._mailbox.offer(message, transport_s=self._age_s(message.header))

    def _age_s(self, header: Header) -> float:
        sent_ns = header.stamp.sec * 10**9 + header.stamp.nanosec
        return float(self.get_clock().now().nanoseconds - sent_ns) / 1e9

    def _gather_facts(self) -> Facts:
        return gather_facts(
            self,
            self._images,
            counters=self._mailbox.counters,
            has_command=self._mailbox.command is not None,
            max_rate_hz=self._config.max_rate_hz,
        )

    def _accept(self, text: str) -> None:
        try:
            command = self._predictor.check_command(text)
        except CommandError as error:
            self._status.reject(f'command rejected: {error}')
        else:
            self._status.accept(self._mailbox.set_command(command), command_warning(command))

    def _on_parameters(self, changes: Sequence[Parameter]) -> SetParametersResult:
        try:
            config = parameters.read(self, changes)
            load_prompt_set(config.predictor.prompt_set)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self._config = config  # the worker takes it over before its next frame
        self._mailbox.set_rate_limit(config.max_rate_hz)
        return SetParametersResult(successful=True)

    def _work(self) -> None:
        while (job := self._mailbox.take()) is not None:
            problem = self._try_to_process(job)
            self._mailbox.finish(problem.cause if problem else '')
            if problem:
                self._status.report_unusable(problem)
            else:
                self._status.frame_processed()

    def _try_to_process(self, job: Job[Image | CompressedImage]) -> ImageError | None:
        """Process a frame; return what is wrong with it if it can't be used."""
        try:
            self._process(job)
        except ImageError as error:
            return error
        except CommandError as error:
            # A prompt set that was changed live can make a command too long.
            return ImageError('command', str(error))
        except Exception as error:
            # One bad frame must not end the node: out of memory on the GPU, for example.
            self.get_logger().error(traceback.format_exc())
            return ImageError(type(error).__name__, repr(error))
        return None

    def _process(self, job: Job[Image | CompressedImage]) -> None:
        message, timer = job.frame, job.timer
        config = self._config.predictor
        if config != self._predictor.config:
            self._predictor.configure(config)
        image = _decode(message)
        self._predictor.set_command(job.command.text)
        timer.lap('preprocess')
        grounding = self._predictor.predict(image.pixels, channels=image.channels)
        timings = self._predictor.timings
        timer.lap('postprocess', preprocess=timings.preprocess_s, model=timings.model_s)
        self._targets_publisher.publish(
            to_target_array(grounding, job.command, header=message.header)
        )
        timer.lap('publish')
        self._latency.frame_answered(timer)
        self._publish_pictures(grounding, image, job.command, message.header)

    def _publish_pictures(
        self, grounding: Grounding, image: CameraImage, command: BoundCommand, header: Header
    ) -> None:
        if self._heatmap_publisher.get_subscription_count():
            self._heatmap_publisher.publish(to_image(grounding.heatmap, '32FC1', header=header))
        wants_raw = self._overlay_publisher.get_subscription_count() > 0
        wants_jpeg = self._overlay_jpeg_publisher.get_subscription_count() > 0
        if not (wants_raw or wants_jpeg):
            return
        overlay = draw_overlay(
            image.to_bgr(), grounding.heatmap, targets=grounding.targets, caption=command.text
        )
        if wants_raw:
            self._overlay_publisher.publish(to_image(overlay, 'bgr8', header=header))
        if wants_jpeg:
            self._overlay_jpeg_publisher.publish(to_jpeg(overlay, header=header))


def _overridable() -> QoSOverridingOptions:
    """Let a person change history, depth and reliability by parameters (qos_overrides.*)."""
    return QoSOverridingOptions.with_default_policies()


def _decode(message: Image | CompressedImage) -> CameraImage:
    if isinstance(message, CompressedImage):
        return decode_compressed(message.data)
    return convert_rare(message) if needs_bridge(message) else read_message(message)


def main() -> int:
    """Run the node until it is stopped; return the exit code."""
    return run_node('grounding', GroundingNode)
