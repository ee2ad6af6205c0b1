# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Stand-ins for the part of ROS's launch API that the package uses, for the launch evaluator.

Unknown names and unknown keyword arguments raise, and types are checked as launch_ros checks them,
so that a drift is noticed. The signatures are those of launch and launch_ros in Humble to Kilted.
"""

import os
from dataclasses import dataclass

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


def is_substitution(value):
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
        elif not is_substitution(value):
            raise TypeError(f'value={value!r} is neither a scalar nor a substitution')
        self.value = value
        self.value_type = value_type

    def evaluate(self, context):
        if not is_substitution(self.value):
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


MODULES = {
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
