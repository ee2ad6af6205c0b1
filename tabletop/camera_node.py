"""A live RGB-D camera of the tabletop: it circles one rendered scene."""

from __future__ import annotations

import sys

import numpy as np
from rcl_interfaces.msg import FloatingPointRange
from rcl_interfaces.msg import IntegerRange
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from affordance_ros.nodes.messages import to_image
from affordance_ros.nodes.run import StartupError
from affordance_ros.nodes.run import run_node
from tabletop.errors import TabletopError
from tabletop.meshes import Floats
from tabletop.orbit import DEFAULT_OBJECTS
from tabletop.orbit import Orbit


class TabletopCamera(Node):
    """Renders and publishes one picture per timer tick on `image`, `depth` and `camera_info`.

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
        def declare(name: str, default: object, description: str, **kwargs: object) -> None:
            descriptor = ParameterDescriptor(description=description, read_only=True, **kwargs)
            self.declare_parameter(name, default, descriptor)

        pixels = [IntegerRange(from_value=16, to_value=4096)]
        declare('width', 640, 'Width in pixels.', integer_range=pixels)
        declare('height', 480, 'Height in pixels.', integer_range=pixels)
        declare('seed', 0, 'Seed of the scene.')
        declare('objects', list(DEFAULT_OBJECTS), 'What stands on the table.')
        declare('frame_id', 'camera_optical_frame', 'Frame of the header.')
        declare(
            'rate_hz',
            10.0,
            'Pictures a second.',
            floating_point_range=[FloatingPointRange(from_value=0.1, to_value=1000.0)],
        )
        declare(
            'period_s',
            40.0,
            'Seconds that a round takes.',
            floating_point_range=[FloatingPointRange(from_value=0.1, to_value=100000.0)],
        )

    def _tick(self) -> None:
        now = self.get_clock().now()
        shot = self._orbit.shoot((now.nanoseconds - self._start_ns) / 1e9)
        header = Header(stamp=now.to_msg(), frame_id=self._frame_id)
        depth_m = np.where(shot.depth > 0, shot.depth, np.nan).astype(np.float32)
        self._info.publish(self._camera_info(shot.matrix, header))
        self._depth.publish(to_image(depth_m, '32FC1', header=header))
        self._image.publish(to_image(shot.rgb, 'rgb8', header=header))

    def _camera_info(self, matrix: Floats, header: Header) -> CameraInfo:
        info = CameraInfo(header=header, width=self._width, height=self._height)
        info.distortion_model = 'plumb_bob'
        info.d = [0.0] * 5
        info.k = matrix.reshape(-1).tolist()
        info.r = np.eye(3).reshape(-1).tolist()
        info.p = np.hstack([matrix, np.zeros((3, 1))]).reshape(-1).tolist()
        return info


def main() -> int:
    """Run the node until it is stopped; return the exit code."""
    return run_node('tabletop_camera', TabletopCamera)


if __name__ == '__main__':
    sys.exit(main())
