# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Evaluate a launch file where ROS's `launch` is not installed.

Undeclared launch arguments raise, and what `launch_api` stands in for is checked as launch does.
"""

import contextlib
import runpy
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field

import yaml

from tests.support.launch_api import MODULES
from tests.support.launch_api import DeclareLaunchArgument
from tests.support.launch_api import IncludeLaunchDescription
from tests.support.launch_api import LaunchContext
from tests.support.launch_api import LaunchDescriptionEntity
from tests.support.launch_api import LaunchError
from tests.support.launch_api import Node
from tests.support.launch_api import OpaqueFunction
from tests.support.launch_api import ParameterValue
from tests.support.launch_api import ProcessExited
from tests.support.launch_api import SetEnvironmentVariable
from tests.support.launch_api import is_substitution


@dataclass
class Started:
    """A node as the launch would start it."""

    package: str
    executable: str
    arguments: list[str]
    ros_arguments: list[str]
    on_exit: Callable[[ProcessExited, LaunchContext], list[LaunchDescriptionEntity]] | None
    context: LaunchContext

    def exited(self, returncode, *, is_shutdown=False):
        """Return what the launch does once the node has ended; what that raises is exit code 1."""
        self.context.is_shutdown = is_shutdown
        if self.on_exit is None:
            return []
        return self.on_exit(ProcessExited(returncode), self.context)


@dataclass
class Launched:
    """What a launch file comes to."""

    declared: dict[str, DeclareLaunchArgument] = field(default_factory=dict)
    nodes: list[Started] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def _stand_in():
    saved = {name: sys.modules.get(name) for name in MODULES}
    for name, members in MODULES.items():
        module = types.ModuleType(name)
        module.__path__ = []
        for member in members:
            setattr(module, member.__name__, member)
        sys.modules[name] = module
    try:
        yield
    finally:
        for name, module in saved.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module


def evaluate(path, arguments, *, share, environment):
    """Return what a launch file comes to with the given arguments.

    Raises:
        LaunchError: If an argument is undeclared, missing, or not among its choices.
    """
    with _stand_in():
        description = runpy.run_path(str(path))['generate_launch_description']()
        context = LaunchContext(share, environment)
        launched = Launched()
        remaining = dict(arguments)
        _visit(description.entities, context, remaining, launched)
    if remaining:
        raise LaunchError(f'undeclared launch arguments: {sorted(remaining)}')
    return launched


def _visit(entities, context, remaining, launched):
    for entity in entities:
        condition = getattr(entity, 'condition', None)
        if condition is not None and not condition.evaluate(context):
            continue
        if isinstance(entity, DeclareLaunchArgument):
            _declare(entity, context, remaining)
            launched.declared[entity.name] = entity
        elif isinstance(entity, SetEnvironmentVariable):
            value = context.perform(entity.value)
            context.environment[context.perform(entity.name)] = value
            launched.environment[context.perform(entity.name)] = value
        elif isinstance(entity, OpaqueFunction):
            returned = entity.function(context, *entity.args, **entity.kwargs)
            _visit(returned or [], context, remaining, launched)
        elif isinstance(entity, IncludeLaunchDescription):
            # What is given to the outer file reaches the inner one, unless it is replaced.
            context.launch_configurations.update(remaining)
            for name, value in entity.launch_arguments:
                context.launch_configurations[name] = context.perform(value)
            description = runpy.run_path(context.perform(entity.source.path))
            inner = description['generate_launch_description']().entities
            _visit(inner, context, remaining, launched)
        elif isinstance(entity, Node):
            launched.nodes.append(_start(entity, context))
        else:
            raise TypeError(f'{entity!r} is not a launch action')


def _declare(entity, context, remaining):
    if entity.name in context.launch_configurations:  # as of a launch file around this one
        remaining.pop(entity.name, None)
        value = context.launch_configurations[entity.name]
    elif entity.name in remaining:
        value = remaining.pop(entity.name)
    elif entity.default_value is not None:
        value = context.perform(entity.default_value)
    else:
        raise LaunchError(f'required launch argument {entity.name!r} was not provided')
    if entity.choices and value not in entity.choices:
        raise LaunchError(f'{entity.name}:={value} is not one of {entity.choices}')
    context.launch_configurations[entity.name] = value


def _start(node, context):
    arguments = ['--ros-args']
    if node.name:
        arguments += ['-r', f'__node:={context.perform(node.name)}']
    if node.namespace and context.perform(node.namespace):
        arguments += ['-r', f'__ns:=/{context.perform(node.namespace).lstrip("/")}']
    for parameters in node.parameters:
        if not isinstance(parameters, dict):
            arguments += ['--params-file', context.perform(parameters)]
            continue
        for name, value in parameters.items():
            if isinstance(value, ParameterValue):
                value = value.evaluate(context)
            elif is_substitution(value):  # as launch_ros: what it gives is read as YAML
                value = yaml.safe_load(context.perform(value))
            elif not isinstance(value, bool | int | float | str):
                raise TypeError(f'Unexpected type for parameter value {value!r}')
            arguments += ['-p', f'{name}:={_one_line(value)}']
    for source, target in node.remappings:
        arguments += ['-r', f'{context.perform(source)}:={context.perform(target)}']
    arguments += [context.perform(argument) for argument in node.ros_arguments]
    return Started(
        context.perform(node.package),
        context.perform(node.executable),
        [context.perform(argument) for argument in node.arguments],
        arguments,
        node.on_exit,
        context,
    )


def _one_line(value):
    """Return a value as YAML that means just this value, on one line."""
    width = float('inf')
    text = yaml.safe_dump(value, width=width).removesuffix('...\n').strip('\n')
    if '\n' in text:
        text = yaml.safe_dump(value, width=width, default_style='"').strip('\n')
    return text
