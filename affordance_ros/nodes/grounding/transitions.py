# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Transitions of a managed node that say why they fail, and a switch for two of them."""

import functools
import traceback
from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn
from std_srvs.srv import SetBool

Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


def explained(transition: Transition) -> Transition:
    """Log and keep what a transition raises: rclpy takes it for an error and drops it.

    The node, a LifecycleNode, finds the reason in its attribute `failure`.
    """

    @functools.wraps(transition)
    def run(node: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except Exception as error:
            node.get_logger().error(traceback.format_exc())
            node.failure = f'{transition.__name__}: {error!r}'
            return TransitionCallbackReturn.ERROR

    return run


class EnableService:
    """The service `~/enable`, for those who know it from other nodes: activate or deactivate.

    Args:
        node: The managed node.
        is_active: Returns whether it is active.
        closed_because: Returns why it can't be, where it is not configured; else ''.
    """

    def __init__(
        self, node: Any, *, is_active: Callable[[], bool], closed_because: Callable[[], str]
    ) -> None:
        self._node = node
        self._is_active = is_active
        self._closed_because = closed_because
        node.create_service(SetBool, '~/enable', self._on_enable)

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        state = 'active' if request.data else 'inactive'
        if request.data == self._is_active():
            return SetBool.Response(success=True, message=f'the node is {state} already')
        if reason := self._closed_because():
            return SetBool.Response(success=False, message=reason)
        node = self._node
        result = node.trigger_activate() if request.data else node.trigger_deactivate()
        if result == TransitionCallbackReturn.SUCCESS:
            return SetBool.Response(success=True, message=f'the node is {state}')
        return SetBool.Response(success=False, message=node.failure)
