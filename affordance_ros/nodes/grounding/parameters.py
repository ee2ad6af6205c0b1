# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The grounding node's parameters: declared, read, and checked when they change."""

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from rclpy.node import Node
from rclpy.parameter import Parameter

from affordance_ros.nodes.declare import accept_plain_values
from affordance_ros.nodes.declare import declare_parameter
from affordance_ros.nodes.grounding.node_config import NodeConfig
from affordance_ros.nodes.grounding.node_config import to_config
from affordance_ros.nodes.grounding.parameter_table import PARAMETERS
from affordance_ros.nodes.grounding.parameter_table import SETTABLE


def declare(node: Node) -> None:
    """Declare all parameters with their ranges.

    Raises:
        ValueError: If a value given at the start is of another type or out of its range.
    """
    for name, declared in PARAMETERS.items():
        declare_parameter(
            node,
            name,
            default=declared.default,
            description=declared.description,
            low=declared.low,
            high=declared.high,
            live=declared.settable != 'start',
            settable=SETTABLE[declared.settable],
        )
    accept_plain_values(node, {name: one.default for name, one in PARAMETERS.items()})


def read(node: Node, changes: Sequence[Parameter] = ()) -> NodeConfig:
    """Read all parameters, as they are or as some changes would make them.

    Raises:
        ValueError: If a value can't be used; the text names it and what is allowed.
    """
    values = {name: node.get_parameter(name).value for name in PARAMETERS}
    return to_config({**values, **_known(changes)})


def check_each(changes: Sequence[Parameter]) -> None:
    """Check changed values by themselves, so that one wrong parameter never bars the others.

    Raises:
        ValueError: As `read`.
    """
    defaults = {name: declared.default for name, declared in PARAMETERS.items()}
    for change in changes:
        to_config({**defaults, **_known([change])})


def changed(node: Node, given: Iterable[Parameter]) -> list[Parameter]:
    """Return the parameters whose value is another one than they have."""
    return [
        one
        for one in given
        if one.name not in PARAMETERS or one.value != node.get_parameter(one.name).value
    ]


def fixed_while_configured(changes: Iterable[Parameter]) -> list[str]:
    """Name the changed parameters that only configuring reads."""
    return [name for name in _known(changes) if PARAMETERS[name].settable == 'unconfigured']


def _known(changes: Iterable[Parameter]) -> dict[str, Any]:
    return {p.name: p.value for p in changes if p.name in PARAMETERS}
