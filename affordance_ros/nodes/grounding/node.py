# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The grounding node: newest camera frame and command in, heatmap, overlay and targets out."""

import time
from collections.abc import Sequence
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.executors import Executor
from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from affordance_ros.backends.base import BackendError
from affordance_ros.model.errors import CheckpointError
from affordance_ros.model.errors import WeightsError
from affordance_ros.msg import GroundingStatus
from affordance_ros.nodes.grounding import parameters
from affordance_ros.nodes.grounding.detections import DetectionOutputs
from affordance_ros.nodes.grounding.diagnostics import Diagnostics
from affordance_ros.nodes.grounding.file_guard import FileGuard
from affordance_ros.nodes.grounding.ground_request import NodeMailbox
from affordance_ros.nodes.grounding.ground_service import GroundService
from affordance_ros.nodes.grounding.inputs import Inputs
from affordance_ros.nodes.grounding.outputs import Outputs
from affordance_ros.nodes.grounding.sharing import SharedModels
from affordance_ros.nodes.grounding.sharing import load_predictor
from affordance_ros.nodes.grounding.spatial import Spatial
from affordance_ros.nodes.grounding.status import REJECTED
from affordance_ros.nodes.grounding.status import StatusReporter
from affordance_ros.nodes.grounding.transitions import explained
from affordance_ros.nodes.grounding.worker import Worker
from affordance_ros.nodes.run import StartupError
from affordance_ros.nodes.run import run_node
from affordance_ros.runtime.health import HealthInputs
from affordance_ros.runtime.latency import LatencyMonitor
from affordance_ros.runtime.mailbox import Mailbox
from affordance_ros.runtime.memory import release_memory
from affordance_ros.srv import SetCommand
from affordance_ros.text.commands import CommandError
from affordance_ros.text.commands import command_warning
from affordance_ros.text.prompts import load_prompt_set

_SUCCESS = TransitionCallbackReturn.SUCCESS
_DELIVERY_S = 0.2


class GroundingNode(LifecycleNode):
    """Grounds the command in force in the newest frame, over and over, while it is active.

    A managed node: configuring loads the model, activating listens, deactivating stops listening,
    cleaning up frees the memory. Callbacks only check and keep; one worker thread owns the model
    and publishes. See docs/node.md for topics, services and parameters.

    Args:
        node_name: The node's name.
        models: What this node shares its model with others by; None for a model of its own.
        **options: What rclpy's nodes take: `namespace`, `parameter_overrides`, `context`, ...

    Raises:
        StartupError: If a parameter is of another type or out of its range, or allowed_dirs names
            what is no folder.
    """

    def __init__(
        self,
        node_name: str = 'grounding',
        *,
        models: SharedModels | None = None,
        **options: Any,
    ) -> None:
        super().__init__(node_name, **options)
        self._models = SharedModels() if models is None else models
        self.failure = ''  # why the last transition has failed
        self._config: parameters.NodeConfig | None = None  # None while unconfigured
        self._worker: Worker | None = None
        self._inputs: Inputs | None = None
        self._finalized = False
        try:
            parameters.declare(self)
            self._files = FileGuard.of(self)
        except ValueError as error:
            super().destroy_node()
            raise StartupError(str(error)) from error
        self.add_on_set_parameters_callback(self._on_parameters)
        self._mailbox: NodeMailbox = Mailbox()
        self._latency = LatencyMonitor()
        self._about: dict[str, str] = {}  # of the model, while there is one
        self._status = StatusReporter(self, lambda: self._mailbox.counters)
        detections = DetectionOutputs(self)
        self._outputs = Outputs(self, detections)
        self._spatial = Spatial(self, self._status, detections)
        self._ground = GroundService(self, self._mailbox)
        self._ground.close(self._how_to('configure', 'activate'))
        self.create_service(SetCommand, '~/set_command', self._on_set_command)
        Diagnostics(
            self,
            self._latency,
            facts=self._facts,
            status=self._status,
            about=lambda: self._about,
            refused=lambda: self._spatial.refused,
        )

    # --- Lifecycle -------------------------------------------------------------------------------

    def bring_up(self) -> None:
        """Configure and activate, as `autostart` does.

        Raises:
            StartupError: If one of the two fails; the node is left as the failure left it.
        """
        self.failure = 'a node can be brought up while it is unconfigured only'
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != _SUCCESS:
                raise StartupError(self.failure)

    @explained
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters and load the model; on failure name the reason."""
        self._status.enter(GroundingStatus.LOADING, reason='')
        try:
            config = parameters.read(self)
            self._spatial.configure(config.spatial)
            predictor = load_predictor(config, log=self.get_logger(), models=self._models)
        except (ValueError, WeightsError, CheckpointError, BackendError) as error:
            self.failure = str(error)
            self.get_logger().error(f'not configured: {error}')
            self._release()
            self._status.enter(GroundingStatus.UNCONFIGURED, reason=self.failure)
            return TransitionCallbackReturn.FAILURE
        self._config = config
        self._about = predictor.describe()
        self._status.set_model(predictor)
        self._mailbox.set_rate_limit(config.max_rate_hz)
        self._worker = Worker(
            self,
            predictor=predictor,
            mailbox=self._mailbox,
            turns=self._models.turns,
            outputs=self._outputs,
            latency=self._latency,
            spatial=self._spatial,
            tracks=config.tracks,
            hysteresis=config.hysteresis,
            status=self._status,
        )
        self._ground.close(self._how_to('activate'))
        self._status.enter(GroundingStatus.INACTIVE)
        if config.task_command:
            self._accept(config.task_command)
        return _SUCCESS

    @explained
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen to the camera and the commands, and answer."""
        if self._worker is None or self._config is None:
            raise RuntimeError('activated before it was configured')
        self._latency.reset()
        self._mailbox.open()
        self._worker.start()
        self._ground.open(self._worker.check_command)
        self._status.activate()
        self._spatial.listen()
        self._inputs = Inputs(
            self,
            image_transport=self._config.image_transport,
            mailbox=self._mailbox,
            latency=self._latency,
            status=self._status,
            on_command=self._accept,
        )
        return _SUCCESS

    @explained
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening; the model and the command in force stay."""
        self._stop_listening(self._how_to('activate'))
        self._status.enter(GroundingStatus.INACTIVE)
        return _SUCCESS

    @explained
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Drop the model and the command, and free their memory."""
        self._release()
        self._ground.close(self._how_to('configure', 'activate'))
        self._status.enter(GroundingStatus.UNCONFIGURED, reason='')
        return _SUCCESS

    @explained
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop for good, from whatever state."""
        self._stop_listening('the node was shut down')
        self._release()
        self._finalized = True
        self._status.enter(GroundingStatus.FINALIZED, reason='')
        return _SUCCESS

    @explained
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to `unconfigured`, from where everything can be tried again."""
        self._stop_listening(self._how_to('configure', 'activate'))
        self._release()
        self._status.enter(GroundingStatus.UNCONFIGURED, reason=self.failure)
        return _SUCCESS

    def finish(self, executor: Executor) -> None:
        """Shut down and give those who wait their answer, while the executor still can."""
        if not self._finalized:
            self.trigger_shutdown()
        waited = self._ground.has_requests
        while self._ground.has_requests:
            executor.spin_once(timeout_sec=0)
        if waited:  # a response that has not arrived goes with its sender, and nobody says when
            time.sleep(_DELIVERY_S)

    def destroy_node(self) -> None:
        """Stop the worker, then the node."""
        self._stop_listening('the node was shut down')
        super().destroy_node()

    def _stop_listening(self, reason: str) -> None:
        if self._inputs is not None:
            self._inputs.destroy()
            self._inputs = None
        self._mailbox.close()
        if self._worker is not None:
            self._worker.stop()
        self._spatial.stop()
        self._ground.close(reason)

    def _release(self) -> None:
        self._worker = None
        self._config = None
        self._about = {}
        self._mailbox.forget_command()
        self._status.forget_model()
        release_memory()

    def _facts(self) -> HealthInputs | None:
        """Return what the watchdog needs to know; None while the node is not active."""
        if self._inputs is None or self._config is None:
            return None
        return self._inputs.facts(
            max_rate_hz=self._config.max_rate_hz,
            requests=self._ground.counters,
            spatial=self._spatial.counters,
        )

    def _how_to(self, *transitions: str) -> str:
        """Say that the node is not active, and which transitions are missing."""
        commands = ', '.join(
            f'ros2 lifecycle set {self.get_fully_qualified_name()} {name}' for name in transitions
        )
        return f'the node is not active: {commands}'

    # --- Commands and parameters -----------------------------------------------------------------

    def _accept(self, text: str, *, renew: bool = False) -> SetCommand.Response:
        """Put a command in force or say why not, on the status and in the answer.

        Args:
            text: The command.
            renew: Whether the command that is in force already gets a new number; else it stays,
                since many publish the same one over and over.
        """
        if self._worker is None:
            reason = self._how_to('configure', 'activate')
            return SetCommand.Response(accepted=False, reason=reason)
        try:
            command = self._worker.check_command(text)
        except CommandError as error:
            reason = f'{REJECTED}{error}'
            self._status.reject(reason)
            return SetCommand.Response(accepted=False, reason=reason)
        warning = command_warning(command)
        in_force = self._mailbox.command
        if not renew and in_force is not None and in_force.text == command:
            self._status.confirm(warning)
            return SetCommand.Response(accepted=True, reason=warning, command_id=in_force.id)
        bound = self._mailbox.set_command(command)
        self._status.accept(bound, warning)
        return SetCommand.Response(accepted=True, reason=warning, command_id=bound.id)

    def _on_set_command(
        self, request: SetCommand.Request, response: SetCommand.Response
    ) -> SetCommand.Response:
        if self._worker is not None and self._inputs is None:
            return SetCommand.Response(accepted=False, reason=self._how_to('activate'))
        return self._accept(request.command, renew=True)

    def _on_parameters(self, changes: Sequence[Parameter]) -> SetParametersResult:
        try:
            self._take_over(parameters.changed(self, changes))
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _take_over(self, changes: Sequence[Parameter]) -> None:
        """Use changed parameters; raises ValueError if one can't be used, or not now."""
        self._files.check(changes)
        if self._config is None or self._worker is None:
            parameters.check_each(changes)
            return
        if fixed := parameters.fixed_while_configured(changes):
            raise ValueError(
                f'{", ".join(fixed)}: read when the node is configured; clean up first (ros2 '
                f'lifecycle set {self.get_fully_qualified_name()} cleanup, deactivate before '
                f'that if it is active), then set and configure'
            )
        config = parameters.read(self, changes)
        load_prompt_set(config.predictor.prompt_set)
        self._config = config
        self._worker.configure(config.predictor, config.tracks, config.hysteresis)
        self._spatial.use(config.spatial)
        self._mailbox.set_rate_limit(config.max_rate_hz)


def _create() -> GroundingNode:
    node = GroundingNode()
    if node.get_parameter('autostart').value:
        try:
            node.bring_up()
        except StartupError:
            node.destroy_node()
            raise
    return node


def main() -> int:
    """Run the node until it is stopped; return the exit code."""
    return run_node('grounding', _create, finish=GroundingNode.finish)
