# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How the nodes declare a parameter: with its meaning, its range, and types taken with grace.

ROS reads the command line as YAML, where `source:=0` is an integer and `cache_dir:=off` a boolean.
Where the meaning is plain, such a value is taken for what the parameter is declared as.
"""

from collections.abc import Mapping
from typing import TypeAlias

from rcl_interfaces.msg import FloatingPointRange
from rcl_interfaces.msg import IntegerRange
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

Value: TypeAlias = bool | int | float | str | list[str]

_WANTED = {
    bool: 'true or false',
    int: 'a whole number',
    float: 'a number',
    str: 'a text',
    list: 'a list of texts',
}
# What YAML makes of the words on and off.
_WORDS = {True: 'on', False: 'off'}


def declare_parameter(
    node: Node,
    name: str,
    *,
    default: Value,
    description: str,
    low: float | None = None,
    high: float | None = None,
    live: bool = False,
    settable: str = '',
) -> None:
    """Declare a parameter; a number may have a range, and only a live one may be changed.

    Args:
        node: The node.
        name: The parameter.
        default: Its default, which says its type.
        description: What it means.
        low: Least number.
        high: Greatest number.
        live: Whether it may be changed after the start.
        settable: When it may be set, for those who describe it.

    Raises:
        ValueError: If the value given at the start is of another type or out of the range.
    """
    # Declared with any type, to see what was given at the start; then as what it is.
    untyped = ParameterDescriptor(dynamic_typing=True)
    given = node.declare_parameter(name, default, untyped).value
    node.undeclare_parameter(name)
    value = to_declared(name, given, default)
    descriptor = ParameterDescriptor(
        description=description, read_only=not live, additional_constraints=settable
    )
    if low is not None and high is not None:
        if isinstance(default, int):
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
        else:
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    try:
        node.declare_parameter(name, value, descriptor, ignore_override=True)
    except InvalidParameterValueException:
        raise ValueError(f'{name}: {value} is out of the range {low:g} to {high:g}') from None


def to_declared(name: str, value: object, default: Value) -> Value:
    """Return a value as the type of a parameter's default, where its meaning is plain.

    Raises:
        ValueError: If it is not; the text says what was expected.
    """
    wanted = type(default)
    if isinstance(value, wanted) and not (wanted is int and isinstance(value, bool)):
        return value
    if wanted is str and isinstance(value, bool):
        return _WORDS[value]
    if wanted is str and isinstance(value, int | float):
        return str(value)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if wanted is bool and value in (0, 1):
        return bool(value)
    raise ValueError(f'{name}: {value!r} is not {_WANTED[wanted]}')


def accept_plain_values(node: Node, defaults: Mapping[str, Value]) -> None:
    """Take values that are set later as `to_declared` does, where rclpy can (not in Humble)."""

    def convert(changes: list[Parameter]) -> list[Parameter]:
        return [_convert(change, defaults) for change in changes]

    if hasattr(node, 'add_pre_set_parameters_callback'):
        node.add_pre_set_parameters_callback(convert)


def _convert(change: Parameter, defaults: Mapping[str, Value]) -> Parameter:
    if change.name not in defaults:
        return change
    try:
        value = to_declared(change.name, change.value, defaults[change.name])
    except ValueError:
        return change  # refused by rclpy, which names both types
    return Parameter(change.name, value=value)
