# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How the nodes declare a parameter: with its meaning and its range."""

from rcl_interfaces.msg import FloatingPointRange
from rcl_interfaces.msg import IntegerRange
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node


def declare_parameter(
    node: Node,
    name: str,
    *,
    default: object,
    description: str,
    low: float | None = None,
    high: float | None = None,
    live: bool = False,
) -> None:
    """Declare a parameter; a number may have a range, and only a live one may be changed."""
    descriptor = ParameterDescriptor(description=description, read_only=not live)
    if low is not None and high is not None:
        if isinstance(default, int):
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
        else:
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    node.declare_parameter(name, default, descriptor)
