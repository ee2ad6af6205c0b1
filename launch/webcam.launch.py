# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Start the camera node on a webcam and the grounding node on its images.

ros2 launch affordance_ros webcam.launch.py command:='hold the mug'

See the answers by `ros2 run rqt_image_view rqt_image_view /grounding/overlay`, or with rviz:=true.
All arguments of grounding.launch.py may be given as well.
"""

from launch.actions import DeclareLaunchArgument
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Describe the launch: grounding.launch.py, which sets the transport, then the camera."""
    file = PathJoinSubstitution(
        [FindPackageShare('affordance_ros'), 'launch', 'grounding.launch.py']
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'source',
                default_value='0',
                description='Webcam number, or a video, a photo, a folder of photos, a bag.',
            ),
            DeclareLaunchArgument('rate_hz', default_value='10.0', description='Frames a second.'),
            DeclareLaunchArgument(
                'namespace', default_value='', description='Namespace of both nodes.'
            ),
            IncludeLaunchDescription(PythonLaunchDescriptionSource(file)),
            Node(
                package='affordance_ros',
                executable='camera',
                name='camera',
                namespace=LaunchConfiguration('namespace'),
                output='screen',
                parameters=[
                    {
                        # As they are declared: `source` is a string, whatever it looks like.
                        'source': ParameterValue(LaunchConfiguration('source'), value_type=str),
                        'rate_hz': ParameterValue(
                            LaunchConfiguration('rate_hz'), value_type=float
                        ),
                    }
                ],
            ),
        ]
    )
