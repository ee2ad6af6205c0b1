# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Transitions of a managed node that say why they fail."""

import functools
import traceback
from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn

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
