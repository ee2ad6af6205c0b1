# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Start the grounding node, and RViz if wanted.

ros2 launch affordance_ros grounding.launch.py image:=/camera/image_raw command:='hold the mug'
"""

import os

from launch.actions import DeclareLaunchArgument
from launch.actions import OpaqueFunction
from launch.actions import SetEnvironmentVariable
from launch.actions import Shutdown
from launch.events.process import ProcessExited
from launch.substitutions import EnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from launch import LaunchContext
from launch import LaunchDescription
from launch import LaunchDescriptionEntity

# These take the place of what the parameter file says, but only where they are given: launch
# arguments and the parameters that they set.
_TEXTS = {
    'command': 'task_command',
    'model': 'model',
    'weights': 'weights',
    'checkpoint': 'checkpoint',
    'device': 'device',
    'image_transport': 'image_transport',
    'target_frame': 'target_frame',
    'prompt_set': 'prompt_set',
}
# Inputs and the launch arguments that remap them.
_TOPICS = {
    'image': 'image',
    'depth': 'depth',
    'camera_info': 'camera_info',
    'command_topic': 'task_command',
}
_BOOLEANS = {'true': True, '1': True, 'false': False, '0': False}
_LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')


def _declare_arguments() -> list[DeclareLaunchArgument]:
    params_file = PathJoinSubstitution(
        [FindPackageShare('affordance_ros'), 'config', 'grounding.yaml']
    )
    return [
        DeclareLaunchArgument(
            'image', default_value='image', description='Image topic of the camera.'
        ),
        DeclareLaunchArgument(
            'command',
            default_value='',
            description="First command, such as 'hold the mug'; empty: the parameter file's.",
        ),
        DeclareLaunchArgument(
            'command_topic',
            default_value='task_command',
            description='Topic of the commands (std_msgs/String).',
        ),
        DeclareLaunchArgument(
            'depth',
            default_value='depth',
            description='Depth topic, registered to the image; for targets in 3D.',
        ),
        DeclareLaunchArgument(
            'camera_info',
            default_value='',
            description="The image's CameraInfo topic, for targets in 3D; empty: camera_info "
            'beside the image topic.',
        ),
        DeclareLaunchArgument(
            'image_transport',
            default_value='',
            description="raw or compressed; empty: the parameter file's.",
        ),
        DeclareLaunchArgument(
            'target_frame',
            default_value='',
            description="Frame of targets in 3D, by /tf; empty: the parameter file's.",
        ),
        DeclareLaunchArgument(
            'min_score',
            default_value='',
            description="Least score of a target, 0 to 1; empty: the parameter file's.",
        ),
        DeclareLaunchArgument(
            'prompt_set',
            default_value='',
            description="Prompt set or a YAML file; empty: the parameter file's.",
        ),
        DeclareLaunchArgument(
            'params_file',
            default_value=params_file,
            description='YAML file of parameters; see config/grounding.yaml.',
        ),
        DeclareLaunchArgument(
            'model',
            default_value='',
            description="Trunk, such as RN101-quickgelu; empty: the parameter file's.",
        ),
        DeclareLaunchArgument(
            'weights',
            default_value='',
            description="Trunk weights: a file, a tag, or random; empty: the parameter file's.",
        ),
        DeclareLaunchArgument(
            'checkpoint',
            default_value='',
            description="Trained neck and head; empty: the parameter file's.",
        ),
        DeclareLaunchArgument(
            'device',
            default_value='',
            description="auto, cpu, cuda or cuda:N; empty: the parameter file's.",
        ),
        DeclareLaunchArgument(
            'autostart',
            default_value='',
            description='true or false: configure and activate the node by itself; empty: the '
            "parameter file's.",
        ),
        DeclareLaunchArgument(
            'rviz',
            default_value='false',
            description='true: start RViz with overlay, heatmap and targets in 3D.',
        ),
        DeclareLaunchArgument(
            'use_sim_time',
            default_value='false',
            description='true: take the time from /clock, as with bags and simulators.',
        ),
        DeclareLaunchArgument(
            'required',
            default_value='true',
            description='The launch ends when the node does, with exit code 1 if it failed; '
            'false: it goes on.',
        ),
        DeclareLaunchArgument(
            'namespace', default_value='', description='Namespace of the node and its topics.'
        ),
        DeclareLaunchArgument(
            'log_level',
            default_value='info',
            description="Least severity of the node's log: debug, info, warn, error or fatal.",
        ),
    ]


def _text(context: LaunchContext, name: str) -> str:
    return str(LaunchConfiguration(name).perform(context))


def _boolean(context: LaunchContext, name: str) -> bool:
    """Read an argument as launch's conditions do: true, false, 1 or 0 in any case."""
    text = _text(context, name)
    value = _BOOLEANS.get(text.strip().lower())
    if value is None:
        raise ValueError(f'{name}:={text} is not a boolean: give true or false')
    return value


def _parameters(context: LaunchContext) -> dict[str, bool | float | ParameterValue]:
    """Return the parameters that arguments set, with the types that the node declares."""
    given = {parameter: _text(context, name) for name, parameter in _TEXTS.items()}
    # As strings, whatever they look like: launch would else read them as YAML.
    parameters = {
        name: ParameterValue(value, value_type=str) for name, value in given.items() if value
    }
    if _text(context, 'autostart'):
        parameters['autostart'] = _boolean(context, 'autostart')
    if text := _text(context, 'min_score'):
        try:
            parameters['min_score'] = float(text)
        except ValueError:
            raise ValueError(f'min_score:={text} is not a number') from None
    return {'use_sim_time': _boolean(context, 'use_sim_time'), **parameters}


def _params_file(context: LaunchContext) -> str:
    path = os.path.expanduser(_text(context, 'params_file'))
    if not os.path.isfile(path):  # launch itself only warns, and starts with other parameters
        raise FileNotFoundError(f'params_file:={path} does not exist')
    return path


def _log_arguments(context: LaunchContext) -> list[str]:
    """Set the level of the node's own logger: rcl's debug lines would drown it."""
    text = _text(context, 'log_level')
    level = text.strip().lower()
    if level not in _LEVELS:
        raise ValueError(f'log_level:={text} is unknown; known are {", ".join(_LEVELS)}')
    namespace = _text(context, 'namespace')
    if not namespace.startswith('/'):
        # Whoever includes this file in a group may have pushed a namespace.
        outer = context.launch_configurations.get('ros_namespace', '')
        namespace = f'{outer}/{namespace}'
    names = [part for part in namespace.split('/') if part]
    return ['--log-level', f'{".".join([*names, "grounding"])}:={level}']


def _end(event: ProcessExited, context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """End the launch with the node; an exception is what gives `ros2 launch` exit code 1."""
    if context.is_shutdown:
        return []
    if event.returncode:
        raise RuntimeError(f'the node grounding has ended with exit code {event.returncode}')
    return [Shutdown(reason='the node grounding has ended')]


def _start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    share = FindPackageShare('affordance_ros')
    remapped = {topic: text for name, topic in _TOPICS.items() if (text := _text(context, name))}
    nodes = [
        Node(
            package='affordance_ros',
            executable='grounding',
            name='grounding',
            namespace=LaunchConfiguration('namespace'),
            output='screen',
            emulate_tty=True,
            parameters=[_params_file(context), _parameters(context)],
            remappings=list(remapped.items()),
            ros_arguments=_log_arguments(context),
            on_exit=_end if _boolean(context, 'required') else None,
        )
    ]
    if _boolean(context, 'rviz'):
        nodes.append(
            Node(
                package='rviz2',
                executable='rviz2',
                name='rviz2',
                namespace=LaunchConfiguration('namespace'),
                arguments=['-d', PathJoinSubstitution([share, 'rviz', 'grounding.rviz'])],
                parameters=[{'use_sim_time': _boolean(context, 'use_sim_time')}],
                remappings=[('image', LaunchConfiguration('image'))],
            )
        )
    return nodes


def generate_launch_description() -> LaunchDescription:
    """Describe the launch: arguments, shared-memory transport, node, RViz."""
    # Without this profile Fast DDS loses most best-effort images; one that is set already stays.
    # Kilted warns of the old name, so it is set only where it is the one that is read.
    old = os.environ.get('ROS_DISTRO') in ('humble', 'iron', 'jazzy')
    variable = f'{"FASTRTPS" if old else "FASTDDS"}_DEFAULT_PROFILES_FILE'
    profile = PathJoinSubstitution(
        [FindPackageShare('affordance_ros'), 'config', 'fastdds_shm.xml']
    )
    transport = SetEnvironmentVariable(
        variable, EnvironmentVariable(variable, default_value=profile)
    )
    return LaunchDescription([*_declare_arguments(), transport, OpaqueFunction(function=_start)])
