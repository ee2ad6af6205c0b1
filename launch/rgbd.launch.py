# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Start the grounding node on an RGB-D camera, whose topics a preset knows.

ros2 launch affordance_ros rgbd.launch.py camera:=realsense command:='hold the mug'

All arguments of grounding.launch.py may be given as well.
"""

from launch.actions import DeclareLaunchArgument
from launch.actions import IncludeLaunchDescription
from launch.actions import OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from launch import LaunchContext
from launch import LaunchDescription
from launch import LaunchDescriptionEntity

# Image and the depth that is registered to it, by the drivers' default names. CameraInfo comes
# beside the image.
_PRESETS = {
    # realsense2_camera, started with align_depth.enable:=true
    'realsense': (
        '/camera/camera/color/image_raw',
        '/camera/camera/aligned_depth_to_color/image_raw',
    ),
    # depthai_ros_driver
    'oak': ('/oak/rgb/image_raw', '/oak/stereo/image_raw'),
    # zed_wrapper
    'zed': ('/zed/zed_node/rgb/color/rect/image', '/zed/zed_node/depth/depth_registered'),
    # azure_kinect_ros_driver
    'azure': ('/rgb/image_raw', '/depth_to_rgb/image_raw'),
}


def _include(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    def text(name: str) -> str:
        return str(LaunchConfiguration(name).perform(context))

    camera = text('camera').strip().lower()
    if camera not in _PRESETS:
        raise ValueError(
            f'camera:={text("camera")} is unknown; known are {", ".join(_PRESETS)}. Of another '
            f'camera give the topics to grounding.launch.py: image:=... depth:=...'
        )
    image, depth = _PRESETS[camera]
    file = PathJoinSubstitution(
        [FindPackageShare('affordance_ros'), 'launch', 'grounding.launch.py']
    )
    topics = {'image': text('image') or image, 'depth': text('depth') or depth}
    return [
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(file), launch_arguments=list(topics.items())
        )
    ]


def generate_launch_description() -> LaunchDescription:
    """Describe the launch: the camera's topics, and grounding.launch.py on them."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'camera',
                default_value='realsense',
                description='Whose topics: realsense, oak, zed or azure.',
            ),
            DeclareLaunchArgument(
                'image', default_value='', description="Image topic; empty: the camera's."
            ),
            DeclareLaunchArgument(
                'depth', default_value='', description="Depth topic; empty: the camera's."
            ),
            OpaqueFunction(function=_include),
        ]
    )
