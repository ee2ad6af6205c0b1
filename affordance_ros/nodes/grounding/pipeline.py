# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""All that lies between the node's inputs and its outputs, whatever its lifecycle state."""

from rclpy.node import Node

from affordance_ros.nodes.grounding.commands import Commands
from affordance_ros.nodes.grounding.detections import DetectionOutputs
from affordance_ros.nodes.grounding.diagnostics import Diagnostics
from affordance_ros.nodes.grounding.ground_request import NodeMailbox
from affordance_ros.nodes.grounding.ground_service import GroundService
from affordance_ros.nodes.grounding.inputs import Inputs
from affordance_ros.nodes.grounding.node_config import NodeConfig
from affordance_ros.nodes.grounding.outputs import Outputs
from affordance_ros.nodes.grounding.spatial import Spatial
from affordance_ros.nodes.grounding.status import StatusReporter
from affordance_ros.nodes.grounding.worker import Worker
from affordance_ros.predictor import Predictor
from affordance_ros.runtime.fair_lock import FairLock
from affordance_ros.runtime.health_inputs import HealthInputs
from affordance_ros.runtime.latency import LatencyMonitor
from affordance_ros.runtime.mailbox import Mailbox


class Pipeline:
    """Inputs, the mailbox, the worker, and publishers and services, which last as long as it does.

    `configure`, `take` a model, then `listen` and `stop` any number of times, then `release`.

    Args:
        node: The node.
        status: Where it is told what goes on.
        turns: Held while a frame is answered, by all who share the model.
    """

    def __init__(self, node: Node, status: StatusReporter, turns: FairLock) -> None:
        self._node = node
        self._status = status
        self._turns = turns
        self._mailbox: NodeMailbox = Mailbox()
        status.count(lambda: self._mailbox.counters)
        self._latency = LatencyMonitor()
        self._config: NodeConfig | None = None
        self._worker: Worker | None = None  # None until there is a model
        self._inputs: Inputs | None = None  # None while nothing is listened to
        self._about: dict[str, str] = {}
        detections = DetectionOutputs(node)
        self._outputs = Outputs(node, detections)
        self._spatial = Spatial(node, status, detections)
        self._ground = GroundService(node, self._mailbox)
        self._commands = Commands(node, self._mailbox, status)
        Diagnostics(
            node,
            self._latency,
            facts=self._facts,
            status=status,
            about=lambda: self._about,
            refused=lambda: self._spatial.refused,
        )

    @property
    def has_requests(self) -> bool:
        """True while somebody waits for an answer of `~/ground`."""
        return self._ground.has_requests

    @property
    def has_model(self) -> bool:
        """True from `take` to `release`."""
        return self._worker is not None

    def configure(self, config: NodeConfig) -> None:
        """Use a configuration from the next frame on; without a model, all of it.

        Raises:
            TransformError: If a target frame is set and neither tf2_ros nor tf2_msgs is installed.
        """
        if self._worker is None:
            self._spatial.configure(config.spatial)
        else:
            self._worker.configure(config)
            self._spatial.use(config.spatial)
        self._mailbox.set_rate_limit(config.max_rate_hz)
        self._config = config

    def take(self, predictor: Predictor, *, closed_because: str) -> None:
        """Take the loaded model, and put the configured command in force.

        Args:
            predictor: The model; nobody else may predict with it.
            closed_because: What callers are told until it listens.
        """
        config = self._configured()
        self._about = predictor.describe()
        self._status.set_model(predictor)
        self._worker = Worker(
            self._node,
            predictor=predictor,
            config=config,
            mailbox=self._mailbox,
            turns=self._turns,
            outputs=self._outputs,
            latency=self._latency,
            spatial=self._spatial,
            status=self._status,
        )
        if config.task_command:
            self._commands.open(self._worker.check_command)
            self._commands.accept(config.task_command)
        self.close(closed_because)

    def listen(self) -> None:
        """Listen to the camera and the commands, and answer."""
        config, worker = self._configured(), self._worker
        if worker is None:
            raise RuntimeError('listening before there is a model')
        self._latency.reset()
        self._mailbox.open()
        worker.start()
        self._ground.open(worker.check_command)
        self._commands.open(worker.check_command)
        self._status.activate()
        self._spatial.listen()
        self._inputs = Inputs(
            self._node,
            image_transport=config.image_transport,
            mailbox=self._mailbox,
            latency=self._latency,
            status=self._status,
            on_command=self._commands.accept,
        )

    def close(self, reason: str) -> None:
        """Answer all who call from now on with a reason."""
        self._ground.close(reason)
        self._commands.close(reason)

    def stop(self, reason: str, *, timeout_s: float | None = None) -> None:
        """Stop listening; answer those who wait, and all who call from now on, with a reason.

        Args:
            reason: The reason.
            timeout_s: How long to wait for the frame under way; None for as long as it takes.
        """
        if self._inputs is not None:
            self._inputs.destroy()
            self._inputs = None
        self._mailbox.close()
        if self._worker is not None:
            self._worker.stop(timeout_s)
        self._spatial.stop()
        self.close(reason)

    def release(self) -> None:
        """Drop the model and the command."""
        self._worker = None
        self._config = None
        self._about = {}
        self._mailbox.forget_command()
        self._status.forget_model()

    def _configured(self) -> NodeConfig:
        if self._config is None:
            raise RuntimeError('used before it was configured')
        return self._config

    def _facts(self) -> HealthInputs | None:
        """Return what the watchdog needs to know; None while nothing is listened to."""
        if self._inputs is None or self._config is None:
            return None
        return self._inputs.facts(
            max_rate_hz=self._config.max_rate_hz,
            requests=self._ground.counters,
            spatial=self._spatial.facts,
        )
