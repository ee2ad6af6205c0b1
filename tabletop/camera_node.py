# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A live RGB-D camera of the tabletop: it circles one rendered scene."""

from __future__ import annotations

import functools
import sys

import numpy as np
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from affordance_ros.nodes.declare import declare_parameter
from affordance_ros.nodes.messages import to_camera_info
from affordance_ros.nodes.messages import to_image
from affordance_ros.nodes.run import StartupError
from affordance_ros.nodes.run import run_node
from affordance_ros_tabletop.errors import TabletopError
from affordance_ros_tabletop.orbit import DEFAULT_OBJECTS
from affordance_ros_tabletop.orbit import Orbit


class TabletopCamera(Node):
    """Renders and publishes one image per timer tick on `image`, `depth` and `camera_info`.

    Depth is 32FC1 in metres, NaN where nothing was hit. All three carry the same stamp.

    Raises:
        StartupError: If an object is unknown or nothing can draw here.
    """

    def __init__(self) -> None:
        super().__init__('tabletop_camera')
        self._declare()
        self._frame_id = self.get_parameter('frame_id').value
        self._width = self.get_parameter('width').value
        self._height = self.get_parameter('height').value
        seed = self.get_parameter('seed').value
        try:
            self._orbit = Orbit(
                seed,
                self._width,
                self._height,
                objects=self.get_parameter('objects').value,
                period_s=self.get_parameter('period_s').value,
            )
        except TabletopError as error:
            raise StartupError(str(error)) from error
        self._image = self.create_publisher(Image, 'image', qos_profile_sensor_data)
        self._depth = self.create_publisher(Image, 'depth', qos_profile_sensor_data)
        self._info = self.create_publisher(CameraInfo, 'camera_info', qos_profile_sensor_data)
        self._start_ns = self.get_clock().now().nanoseconds
        rate_hz = self.get_parameter('rate_hz').value
        self.create_timer(1.0 / rate_hz, self._tick)
        self.get_logger().info(
            f'{self._width}x{self._height} at {rate_hz:g} Hz, seed {seed}: '
            + ', '.join(f'{p.colour} {p.instance.kind.name}' for p in self._orbit.placed)
        )

    def destroy_node(self) -> None:
        """Free the GL context with the node."""
        if hasattr(self, '_orbit'):  # not there if the scene could not be made
            self._orbit.close()
        super().destroy_node()

    def _declare(self) -> None:
        declare = functools.partial(declare_parameter, self)
        for name, pixels in (('width', 640), ('height', 480)):
            declare(name, default=pixels, description=f'The {name} in pixels.', low=16, high=4096)
        declare('seed', default=0, description='Seed of the scene.')
        declare('objects', default=list(DEFAULT_OBJECTS), description='What stands on the table.')
        declare('frame_id', default='camera_optical_frame', description='Frame of the header.')
        declare('rate_hz', default=10.0, description='Images a second.', low=0.1, high=1000.0)
        declare(
            'period_s', default=40.0, description='Seconds of a round.', low=0.1, high=100000.0
        )

    def _tick(self) -> None:
        now = self.get_clock().now()
        shot = self._orbit.shoot((now.nanoseconds - self._start_ns) / 1e9)
        header = Header(stamp=now.to_msg(), frame_id=self._frame_id)
        depth_m = np.where(shot.depth > 0, shot.depth, np.nan).astype(np.float32)
        size = (self._height, self._width)
        self._info.publish(to_camera_info(shot.matrix, size, header=header))
        self._depth.publish(to_image(depth_m, '32FC1', header=header))
        self._image.publish(to_image(shot.rgb, 'rgb8', header=header))


def main() -> int:
    """Run the node until it is stopped; return the exit code."""
    return run_node('tabletop_camera', TabletopCamera)


if __name__ == '__main__':
    sys.exit(main())
