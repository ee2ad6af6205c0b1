# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Evaluate a launch file where ROS's `launch` is not installed.

A small and strict stand-in for the part of the launch API that the package uses: unknown names,
unknown keyword arguments and undeclared launch arguments raise, so that a drift is noticed. The
signatures are those of launch and launch_ros in Humble to Kilted.
"""

import contextlib
import os
import runpy
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field

import yaml


class LaunchError(RuntimeError):
    """Arguments that launch itself refuses."""


class LaunchContext:
    def __init__(self, share, environment):
        self.launch_configurations = {}
        self.share = share
        self.environment = environment
        self.is_shutdown = False

    def perform(self, value):
        """Turn a substitution, a list of such, or a plain value into text."""
        if hasattr(value, 'perform'):
            return value.perform(self)
        if isinstance(value, list | tuple):
            return ''.join(self.perform(item) for item in value)
        return str(value)


class LaunchDescriptionEntity:
    pass


class LaunchConfiguration:
    def __init__(self, variable_name, *, default=None):
        self.name = variable_name
        self.default = default

    def perform(self, context):
        if self.name in context.launch_configurations:
            return context.launch_configurations[self.name]
        if self.default is None:
            raise KeyError(f'launch configuration {self.name!r} does not exist')
        return context.perform(self.default)


class PathJoinSubstitution:
    def __init__(self, substitutions):
        self.parts = substitutions

    def perform(self, context):
        return os.path.join(*(context.perform(part) for part in self.parts))


class EnvironmentVariable:
    def __init__(self, name, *, default_value=None):
        self.name = name
        self.default = default_value

    def perform(self, context):
        if self.name in context.environment:
            return context.environment[self.name]
        if self.default is None:
            raise KeyError(f'environment variable {self.name!r} does not exist')
        return context.perform(self.default)


class FindPackageShare:
    def __init__(self, package):
        self.package = package

    def perform(self, context):
        return context.share[context.perform(self.package)]


class DeclareLaunchArgument(LaunchDescriptionEntity):
    def __init__(self, name, *, default_value=None, description=None, choices=None):
        self.name = name
        self.default_value = default_value
        self.description = description
        self.choices = choices


class SetEnvironmentVariable(LaunchDescriptionEntity):
    def __init__(self, name, value, *, condition=None):
        self.name = name
        self.value = value
        self.condition = condition


class OpaqueFunction(LaunchDescriptionEntity):
    def __init__(self, *, function, args=None, kwargs=None, condition=None):
        self.function = function
        self.args = args or ()
        self.kwargs = kwargs or {}
        self.condition = condition


class IncludeLaunchDescription(LaunchDescriptionEntity):
    def __init__(self, launch_description_source, *, launch_arguments=None):
        if not isinstance(launch_description_source, PythonLaunchDescriptionSource):
            raise TypeError(f'{launch_description_source!r} is not a source of a launch file')
        self.source = launch_description_source
        self.launch_arguments = [(name, value) for name, value in launch_arguments or ()]


class PythonLaunchDescriptionSource:
    def __init__(self, launch_file_path):
        self.path = launch_file_path


class Shutdown(LaunchDescriptionEntity):
    def __init__(self, *, reason='reason not given'):
        self.reason = reason


@dataclass
class ProcessExited:
    returncode: int


def _is_substitution(value):
    """Tell what launch takes as a substitution: one, or a list of texts with at least one."""
    if hasattr(value, 'perform'):
        return True
    return (
        isinstance(value, list | tuple)
        and all(hasattr(item, 'perform') or isinstance(item, str) for item in value)
        and any(hasattr(item, 'perform') for item in value)
    )


class ParameterValue:
    """As launch_ros's, whose `normalize_typed_substitution` takes no text for another type."""

    def __init__(self, value, *, value_type=None):
        if value_type not in (None, bool, int, float, str):
            raise ValueError(f'Unrecognized data type: {value_type}')
        if isinstance(value, bool | int | float | str):
            if value_type is not None and not isinstance(value, value_type):
                raise TypeError(f'value={value!r} is not an instance of {value_type}')
        elif not _is_substitution(value):
            raise TypeError(f'value={value!r} is neither a scalar nor a substitution')
        self.value = value
        self.value_type = value_type

    def evaluate(self, context):
        if not _is_substitution(self.value):
            return self.value
        text = context.perform(self.value)
        if self.value_type is str:
            return text
        if self.value_type in (int, float):
            return self.value_type(text)
        value = yaml.safe_load(text)
        if self.value_type is bool and not isinstance(value, bool):
            raise ValueError(f'Cannot convert value {text!r} to {bool}')
        return value


class Node(LaunchDescriptionEntity):
    def __init__(
        self,
        *,
        executable,
        package=None,
        name=None,
        namespace=None,
        parameters=None,
        remappings=None,
        ros_arguments=None,
        arguments=None,
        output='log',
        emulate_tty=False,
        condition=None,
        on_exit=None,
    ):
        self.executable = executable
        self.package = package
        self.name = name
        self.namespace = namespace
        self.parameters = parameters or []
        self.remappings = remappings or []
        self.ros_arguments = ros_arguments or []
        self.arguments = arguments or []
        self.output = output
        self.emulate_tty = emulate_tty
        self.condition = condition
        self.on_exit = on_exit


class LaunchDescription:
    def __init__(self, initial_entities=None):
        self.entities = list(initial_entities or [])


_MODULES = {
    'launch': (LaunchContext, LaunchDescription, LaunchDescriptionEntity),
    'launch.actions': (
        DeclareLaunchArgument,
        IncludeLaunchDescription,
        OpaqueFunction,
        SetEnvironmentVariable,
        Shutdown,
    ),
    'launch.events': (),
    'launch.events.process': (ProcessExited,),
    'launch.launch_description_sources': (PythonLaunchDescriptionSource,),
    'launch.substitutions': (EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution),
    'launch_ros': (),
    'launch_ros.actions': (Node,),
    'launch_ros.parameter_descriptions': (ParameterValue,),
    'launch_ros.substitutions': (FindPackageShare,),
}


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
    saved = {name: sys.modules.get(name) for name in _MODULES}
    for name, members in _MODULES.items():
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
            raise TypeError(f'{entity!r} is no launch action')


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
            elif _is_substitution(value):  # as launch_ros: what it gives is read as YAML
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
