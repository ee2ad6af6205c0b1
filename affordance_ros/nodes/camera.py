# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A camera for machines without one: plays photos, a video, a webcam or a bag on `image`."""

import functools
import math

import cv2
import numpy as np
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from affordance_ros.image.source_frame import SourceError
from affordance_ros.image.source_frame import SourceFrame
from affordance_ros.nodes.declare import declare_parameter
from affordance_ros.nodes.messages import to_camera_info
from affordance_ros.nodes.messages import to_image
from affordance_ros.nodes.messages import to_jpeg
from affordance_ros.nodes.run import StartupError
from affordance_ros.nodes.run import run_node
from affordance_ros.sources import open_source


class CameraNode(Node):
    """Publishes frames with their CameraInfo at a steady rate.

    A bag's intrinsics and depth are published with its pictures. For all else the intrinsics are
    those of an ideal pinhole with the field of view given: photos carry no calibration.

    Raises:
        StartupError: If the source can't be opened.
    """

    def __init__(self) -> None:
        super().__init__('camera')
        try:
            self._declare()
        except ValueError as error:
            self.destroy_node()
            raise StartupError(str(error)) from error
        source = self.get_parameter('source').value
        try:
            self._frames = open_source(source, loop=self.get_parameter('loop').value)
        except SourceError as error:
            raise StartupError(str(error)) from error
        self._width = self.get_parameter('width').value
        self._frame_id = self.get_parameter('frame_id').value
        self._field_of_view_deg = self.get_parameter('field_of_view_deg').value
        self._image_publisher = self.create_publisher(Image, 'image', qos_profile_sensor_data)
        self._jpeg_publisher = self.create_publisher(
            CompressedImage,
            f'{self.resolve_topic_name("image")}/compressed',
            qos_profile_sensor_data,
        )
        self._depth_publisher = self.create_publisher(Image, 'depth', qos_profile_sensor_data)
        self._info_publisher = self.create_publisher(
            CameraInfo, 'camera_info', qos_profile_sensor_data
        )
        rate_hz = self.get_parameter('rate_hz').value
        self._timer = self.create_timer(1.0 / rate_hz, self._publish_next)
        self.get_logger().info(f'playing {source} at {rate_hz:g} Hz')

    def _declare(self) -> None:
        declare = functools.partial(declare_parameter, self)
        declare(
            'source',
            default='0',
            description='A folder of photos, a rosbag2, a photo, a video, or a webcam number.',
        )
        declare('loop', default=True, description='Start again at the end of the source.')
        declare('frame_id', default='camera_optical_frame', description='Frame of the header.')
        declare('rate_hz', default=10.0, description='Frames a second.', low=0.1, high=1000.0)
        declare(
            'width',
            default=0,
            description='Scale every frame to this width in pixels; 0: as it is.',
            low=0,
            high=8192,
        )
        declare(
            'field_of_view_deg',
            default=60.0,
            description='Horizontal field of view, where the source has no intrinsics.',
            low=1.0,
            high=179.0,
        )

    def _publish_next(self) -> None:
        try:
            frame = next(self._frames, None)
        except SourceError as error:
            self.get_logger().error(str(error))
            frame = None
        if frame is None:
            self._timer.cancel()
            self.get_logger().info('the source has ended')
            return
        frame = self._scale(frame)
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self._frame_id)
        self._info_publisher.publish(self._camera_info(frame, header))
        if frame.depth_m is not None:
            self._depth_publisher.publish(to_image(frame.depth_m, '32FC1', header=header))
        self._image_publisher.publish(to_image(frame.bgr, 'bgr8', header=header))
        if self._jpeg_publisher.get_subscription_count():
            self._jpeg_publisher.publish(to_jpeg(frame.bgr, header=header))

    def _scale(self, frame: SourceFrame) -> SourceFrame:
        if not self._width or frame.bgr.shape[1] == self._width:
            return frame
        scale = self._width / frame.bgr.shape[1]
        size = (self._width, max(1, round(frame.bgr.shape[0] * scale)))
        bgr = np.asarray(cv2.resize(frame.bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
        depth_m = frame.depth_m
        if depth_m is not None:
            # Depth is never averaged: between two things there is nothing.
            depth_m = np.asarray(
                cv2.resize(depth_m, size, interpolation=cv2.INTER_NEAREST), np.float32
            )
        matrix = frame.matrix
        if matrix is not None:
            matrix = matrix * [[scale], [scale], [1.0]]
            matrix[:2, 2] += (scale - 1) / 2  # x goes to (x + 0.5) * scale - 0.5
        return SourceFrame(bgr, depth_m, matrix)

    def _camera_info(self, frame: SourceFrame, header: Header) -> CameraInfo:
        height, width = frame.bgr.shape[:2]
        matrix = frame.matrix
        if matrix is None:
            focal = width / 2 / math.tan(math.radians(self._field_of_view_deg) / 2)
            # Pixel centres are at integers, so the middle of the image is at (width - 1) / 2.
            matrix = np.array(
                [[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]]
            )
        return to_camera_info(matrix, (height, width), header=header)


def main() -> int:
    """Run the node until it is stopped; return the exit code."""
    return run_node('camera', CameraNode)
