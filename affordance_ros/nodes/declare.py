"""Read-only parameters of the camera nodes, each with its meaning and range."""

from rcl_interfaces.msg import FloatingPointRange
from rcl_interfaces.msg import IntegerRange
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node


def declare_read_only(
    node: Node,
    name: str,
    *,
    default: object,
    description: str,
    low: float | None = None,
    high: float | None = None,
) -> None:
    """Declare a parameter that is set at the start alone; a number may have a range."""
    descriptor = ParameterDescriptor(description=description, read_only=True)
    if low is not None and high is not None:
        if isinstance(default, int):
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
        else:
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    node.declare_parameter(name, default, descriptor)
