# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Start the grounding node, and RViz if wanted.

ros2 launch affordance_ros grounding.launch.py image:=/camera/image_raw task_command:=cut
"""

import os

from launch.actions import DeclareLaunchArgument
from launch.actions import OpaqueFunction
from launch.actions import SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import EnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from launch import LaunchContext
from launch import LaunchDescription
from launch import LaunchDescriptionEntity

# These take the place of what the parameter file says, but only where they are given.
_OVERRIDES = ('model', 'weights', 'checkpoint', 'device')


def _declare_arguments() -> list[DeclareLaunchArgument]:
    params_file = PathJoinSubstitution(
        [FindPackageShare('affordance_ros'), 'config', 'grounding.yaml']
    )
    return [
        DeclareLaunchArgument(
            'image', default_value='image', description='Image topic of the camera.'
        ),
        DeclareLaunchArgument(
            'task_command',
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
            default_value='camera_info',
            description="The image's CameraInfo topic; for targets in 3D.",
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
            choices=['', 'true', 'false'],
            description="Configure and activate the node by itself; empty: the parameter file's.",
        ),
        DeclareLaunchArgument(
            'rviz',
            default_value='false',
            choices=['true', 'false'],
            description='Start RViz with overlay, heatmap and targets in 3D.',
        ),
        DeclareLaunchArgument(
            'use_sim_time',
            default_value='false',
            choices=['true', 'false'],
            description='Take the time from /clock, as with bags and simulators.',
        ),
        DeclareLaunchArgument(
            'namespace', default_value='', description='Namespace of the node and its topics.'
        ),
        DeclareLaunchArgument(
            'log_level',
            default_value='info',
            choices=['debug', 'info', 'warn', 'error', 'fatal'],
            description='Least severity of the log.',
        ),
    ]


def _start_node(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    given = {name: LaunchConfiguration(name).perform(context) for name in _OVERRIDES}
    # As strings, whatever they look like: launch would else read them as YAML.
    overrides = {
        name: ParameterValue(value, value_type=str) for name, value in given.items() if value
    }
    if autostart := LaunchConfiguration('autostart').perform(context):
        overrides['autostart'] = ParameterValue(autostart, value_type=bool)
    use_sim_time = LaunchConfiguration('use_sim_time').perform(context) == 'true'
    return [
        Node(
            package='affordance_ros',
            executable='grounding',
            name='grounding',
            namespace=LaunchConfiguration('namespace'),
            output='screen',
            emulate_tty=True,
            parameters=[
                LaunchConfiguration('params_file'),
                {'use_sim_time': use_sim_time, **overrides},
            ],
            remappings=[
                (topic, LaunchConfiguration(topic))
                for topic in ('image', 'task_command', 'depth', 'camera_info')
            ],
            ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        )
    ]


def generate_launch_description() -> LaunchDescription:
    """Describe the launch: arguments, shared-memory transport, node, RViz."""
    share = FindPackageShare('affordance_ros')
    # Without this profile Fast DDS loses most best-effort images; one that is set already stays.
    # Kilted warns of the old name, so it is set only where it is the one that is read.
    old = os.environ.get('ROS_DISTRO') in ('humble', 'iron', 'jazzy')
    variable = f'{"FASTRTPS" if old else "FASTDDS"}_DEFAULT_PROFILES_FILE'
    profile = PathJoinSubstitution([share, 'config', 'fastdds_shm.xml'])
    transport = SetEnvironmentVariable(
        variable, EnvironmentVariable(variable, default_value=profile)
    )
    rviz = Node(
        package='rviz2',
        executable='rviz2',
        name='rviz2',
        namespace=LaunchConfiguration('namespace'),
        arguments=['-d', PathJoinSubstitution([share, 'rviz', 'grounding.rviz'])],
        remappings=[('image', LaunchConfiguration('image'))],
        condition=IfCondition(LaunchConfiguration('rviz')),
    )
    return LaunchDescription(
        [*_declare_arguments(), transport, OpaqueFunction(function=_start_node), rviz]
    )
