# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The grounding node: newest camera frame and command in, heatmap, overlay and targets out."""

import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.executors import Executor
from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from affordance_ros.load import check_files
from affordance_ros.model.errors import CheckpointError
from affordance_ros.model.errors import WeightsError
from affordance_ros.msg import GroundingStatus
from affordance_ros.nodes.grounding import parameters
from affordance_ros.nodes.grounding.file_guard import FileGuard
from affordance_ros.nodes.grounding.loading import LoadError
from affordance_ros.nodes.grounding.loading import Loading
from affordance_ros.nodes.grounding.pipeline import Pipeline
from affordance_ros.nodes.grounding.sharing import SharedModels
from affordance_ros.nodes.grounding.status import StatusReporter
from affordance_ros.nodes.grounding.transitions import EnableService
from affordance_ros.nodes.grounding.transitions import explained
from affordance_ros.nodes.run import StartupError
from affordance_ros.nodes.run import run_node
from affordance_ros.runtime.memory import release_memory
from affordance_ros.text.prompts import load_prompt_set

_SUCCESS = TransitionCallbackReturn.SUCCESS
_DELIVERY_S = 0.2
_LAST_FRAME_S = 1.0  # how long the end of the process waits for the frame under way
_ENDED = 'the node was shut down'


class GroundingNode(LifecycleNode):
    """Grounds the command in force in the newest frame, over and over, while it is active.

    A managed node. Configuring begins to load the model in the background; an active node listens
    as soon as it is loaded; deactivating stops listening, cleaning up frees the memory. Callbacks
    only check and keep; one worker thread owns the model and publishes. See docs/node.md for
    topics, services and parameters.

    Args:
        node_name: The node's name.
        models: What this node shares its model with others by; None for a model of its own.
        **options: What rclpy's nodes take: `namespace`, `parameter_overrides`, `context`, ...

    Raises:
        StartupError: If a parameter is of another type or out of its range, or allowed_dirs names
            what is not a folder.
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
        self.failure = ''  # why the last transition, or the load after it, has failed
        self._raises = False  # whether who started the node is to say why it failed
        self._configured = False
        self._active = False
        self._loading: Loading | None = None
        self._ending = False  # with the process, which frees all memory by itself
        self._finalized = False
        try:
            parameters.declare(self)
            self._files = FileGuard.of(self)
        except ValueError as error:
            super().destroy_node()
            raise StartupError(str(error)) from error
        self.add_on_set_parameters_callback(self._on_parameters)
        self._loaded = self.create_guard_condition(self._on_loaded)
        self._status = StatusReporter(self)
        self._pipeline = Pipeline(self, self._status, self._models.turns)
        EnableService(
            self,
            is_active=lambda: self._active,
            closed_because=lambda: '' if self._configured else self._how_to('configure'),
        )
        self._pipeline.close(self._how_to('configure', 'activate'))

    # --- Lifecycle -------------------------------------------------------------------------------

    def bring_up(self) -> None:
        """Configure, wait for the model, and activate.

        Raises:
            StartupError: If one of these fails; the node is left as the failure left it.
        """
        self._raises = True
        self._trigger(self.trigger_configure)
        if self._loading is not None:
            self._loading.wait()
        self._on_loaded()
        self._trigger(self.trigger_activate)

    def begin(self) -> None:
        """Configure and activate without waiting for the model, as `autostart` does.

        A load that fails later raises StartupError in the executor, out of its `spin`.

        Raises:
            StartupError: If the configuration can't be used.
        """
        self._raises = True
        self._trigger(self.trigger_configure)
        self._trigger(self.trigger_activate)

    @explained
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters and begin to load the model; on failure name the reason."""
        try:
            config = parameters.read(self)
            check_files(config.model)
            self._pipeline.configure(config)
        except (ValueError, WeightsError, CheckpointError) as error:
            self._fail(str(error))
            self._status.enter(GroundingStatus.UNCONFIGURED, self.failure)
            return TransitionCallbackReturn.FAILURE
        self.failure = ''
        self._configured = True
        self._loading = Loading(
            config, log=self.get_logger(), models=self._models, on_done=self._loaded.trigger
        )
        self._pipeline.close(self._not_yet())
        self._status.enter(GroundingStatus.LOADING)
        return _SUCCESS

    @explained
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen to the camera and the commands, and answer, as soon as the model is loaded."""
        self._active = True
        if self._pipeline.has_model:
            self._pipeline.listen()
        return _SUCCESS

    @explained
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening; the model, or its load, and the command in force stay."""
        self._active = False
        if self._pipeline.has_model:
            self._pipeline.stop(self._how_to('activate'))
            self._status.enter(GroundingStatus.INACTIVE)
        return _SUCCESS

    @explained
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Drop the model, or its load, and the command, and free their memory."""
        self._release(self._how_to('configure', 'activate'))
        self._status.enter(GroundingStatus.UNCONFIGURED, self.failure)
        return _SUCCESS

    @explained
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop for good, from whatever state."""
        self._release(_ENDED)
        self._finalized = True
        self._status.enter(GroundingStatus.FINALIZED)
        return _SUCCESS

    @explained
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to `unconfigured`, from where everything can be tried again."""
        self._release(self._how_to('configure', 'activate'))
        self._status.enter(GroundingStatus.UNCONFIGURED, self.failure)
        return _SUCCESS

    def finish(self, executor: Executor) -> None:
        """Shut down and give those who wait their answer, while the executor still can."""
        self._ending = True
        self._pipeline.stop(_ENDED, timeout_s=_LAST_FRAME_S)
        if not self._finalized:
            self.trigger_shutdown()
        waited = self._pipeline.has_requests
        while self._pipeline.has_requests:
            executor.spin_once(timeout_sec=0)
        if waited:  # a response that has not arrived goes with its sender, and nobody says when
            time.sleep(_DELIVERY_S)

    def destroy_node(self) -> None:
        """Stop the worker, then the node."""
        self._pipeline.stop(_ENDED)
        self._abandon_load()
        super().destroy_node()

    def _trigger(self, transition: Callable[[], TransitionCallbackReturn]) -> None:
        self.failure = 'a node can be brought up while it is unconfigured only'
        if transition() != _SUCCESS:
            self._raises = False
            raise StartupError(self.failure)
        self.failure = ''

    def _on_loaded(self) -> None:
        """Take over what was loaded, or go back to `unconfigured`; runs in the executor.

        Raises:
            StartupError: If it failed and the one who started the node is to say so.
        """
        loading = self._loading
        if loading is None or not loading.done:
            return
        self._loading = None
        raises = self._raises
        try:
            self._take(loading)
        except LoadError as error:
            self._fail(str(error))
        except Exception as error:  # as in a transition: no fault of a parameter may end the node
            self._fail(f'not activated: {error!r}')
        else:
            self._raises = False
            return
        if self._active:
            self.trigger_deactivate()
        self.trigger_cleanup()
        if raises:
            raise StartupError(self.failure)

    def _take(self, loading: Loading) -> None:
        self._pipeline.take(loading.result(), closed_because=self._how_to('activate'))
        self._status.enter(GroundingStatus.INACTIVE)
        if self._active:
            self._pipeline.listen()

    def _fail(self, reason: str) -> None:
        self.failure = reason
        if not self._raises:
            self.get_logger().error(f'not configured: {reason}')

    def _abandon_load(self) -> None:
        if self._loading is not None:
            self._loading.abandon()
            self._loading = None

    def _release(self, reason: str) -> None:
        self._abandon_load()
        self._pipeline.stop(reason)
        self._pipeline.release()
        if not self._ending:
            release_memory()
        self._configured = self._active = self._raises = False

    def _not_yet(self) -> str:
        return '' if self._loading is None else f'not yet: loading {self._loading.name}'

    def _how_to(self, *transitions: str) -> str:
        """Say that the node is not active, and which transitions are missing."""
        commands = ', '.join(
            f'ros2 lifecycle set {self.get_fully_qualified_name()} {name}' for name in transitions
        )
        return f'the node is not active: {commands}'

    # --- Parameters ------------------------------------------------------------------------------

    def _on_parameters(self, changes: Sequence[Parameter]) -> SetParametersResult:
        try:
            self._take_over(parameters.changed(self, changes))
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _take_over(self, changes: Sequence[Parameter]) -> None:
        """Use changed parameters; raises ValueError if one can't be used, or not now."""
        self._files.check(changes)
        if not self._configured:
            parameters.check_each(changes)
            return
        if fixed := parameters.fixed_while_configured(changes):
            raise ValueError(
                f'{", ".join(fixed)}: read when the node is configured; clean up first (ros2 '
                f'lifecycle set {self.get_fully_qualified_name()} cleanup, deactivate before '
                f'that if it is active), then set and configure'
            )
        if not_yet := self._not_yet():
            raise ValueError(not_yet)
        config = parameters.read(self, changes)
        load_prompt_set(config.predictor.prompt_set)
        self._pipeline.configure(config)


def _begin(node: GroundingNode) -> None:
    if node.get_parameter('autostart').value:
        node.begin()


def main() -> int:
    """Run the node until it is stopped; return the exit code."""
    return run_node('grounding', GroundingNode, begin=_begin, finish=GroundingNode.finish)
