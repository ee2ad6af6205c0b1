# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A camera for machines without one: plays photos, a video, a webcam or a bag on `image`."""

import functools
import math
from collections import Counter
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from affordance_ros.image.ros_image import MessageError
from affordance_ros.image.source_frame import SourceError
from affordance_ros.image.source_frame import SourceFrame
from affordance_ros.nodes.camera_infos import copy_info
from affordance_ros.nodes.camera_infos import scale_info
from affordance_ros.nodes.declare import declare_parameter
from affordance_ros.nodes.messages import to_camera_info
from affordance_ros.nodes.messages import to_image
from affordance_ros.nodes.messages import to_jpeg
from affordance_ros.nodes.run import StartupError
from affordance_ros.nodes.run import run_node
from affordance_ros.sources import BagChoice
from affordance_ros.sources import open_source
from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.plausible import frame_of

_FRAME_ID = 'camera_optical_frame'
_BAG_PARAMETERS: dict[str, tuple[Any, str]] = {
    'topic': ('', "A bag's topic of images; empty: the only one of colour."),
    'depth_topic': ('', "A bag's topic of depth; empty: the only one of the images' frame."),
    'camera_info_topic': ('', "A bag's topic of CameraInfo; empty: the one beside the images."),
    'allow_other_frames': (False, "Depth of another frame than the images' may be chosen."),
}


class CameraNode(Node):
    """Publishes frames with their CameraInfo at a steady rate.

    A bag's CameraInfo and depth are published with its images. For all else the intrinsics are
    those of an ideal pinhole with the field of view given: photos carry no calibration. Frames
    that can't be used are left out and counted.

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
        self._skipped: Counter[str] = Counter()
        try:
            self._frames = open_source(
                source,
                loop=self.get_parameter('loop').value,
                bag=BagChoice(
                    **{name: self.get_parameter(name).value for name in _BAG_PARAMETERS}
                ),
                on_skip=self._on_skip,
            )
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
        declare(
            'frame_id',
            default='',
            description="Frame of the images; empty: the bag's own, or camera_optical_frame.",
        )
        for name, (default, description) in _BAG_PARAMETERS.items():
            declare(name, default=default, description=description)
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
            left_out = ', '.join(f'{cause}: {n}' for cause, n in sorted(self._skipped.items()))
            self.get_logger().info(f'the source has ended; left out: {left_out or "nothing"}')
            return
        own = self._frame_id or frame.frame_id or _FRAME_ID
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=own)
        size = self._scaled_size(frame)
        self._info_publisher.publish(self._camera_info(frame, size, header))
        if frame.depth is not None:
            self._publish_depth(frame, size, header)
        bgr = _resize(frame.bgr, size, cv2.INTER_AREA)
        self._image_publisher.publish(to_image(bgr, 'bgr8', header=header))
        if self._jpeg_publisher.get_subscription_count():
            self._jpeg_publisher.publish(to_jpeg(bgr, header=header))

    def _on_skip(self, error: MessageError) -> None:
        if error.cause not in self._skipped:
            self.get_logger().warning(f'left out: {error}')
        self._skipped[error.cause] += 1

    def _scaled_size(self, frame: SourceFrame) -> tuple[int, int]:
        """Return the (height, width) that a frame is published at."""
        height, width = frame.bgr.shape[:2]
        if not self._width:
            return height, width
        return max(1, round(height * self._width / width)), self._width

    def _header_of(self, message: Any, frame: SourceFrame, header: Header) -> Header:
        """Return the header of depth or CameraInfo, whose frame is its own unless the image's."""
        recorded = frame_of(message)
        if recorded in ('', frame.frame_id.removeprefix('/')):
            return header
        return Header(stamp=header.stamp, frame_id=recorded)

    def _publish_depth(self, frame: SourceFrame, size: tuple[int, int], header: Header) -> None:
        """Publish depth in its own unit, so that whoever hears it can check it."""
        raw = DepthImage.view(frame.depth).raw
        encoding = '16UC1' if raw.dtype.kind == 'u' else '32FC1'
        pixels = raw.astype(raw.dtype.newbyteorder('='))
        if raw.shape == frame.bgr.shape[:2]:
            # Depth is never averaged: there is no surface between two things.
            pixels = _resize(pixels, size, cv2.INTER_NEAREST)
        own = self._header_of(frame.depth, frame, header)
        self._depth_publisher.publish(to_image(pixels, encoding, header=own))

    def _camera_info(
        self, frame: SourceFrame, size: tuple[int, int], header: Header
    ) -> CameraInfo:
        before = (frame.bgr.shape[0], frame.bgr.shape[1])
        if frame.camera_info is not None:
            own = self._header_of(frame.camera_info, frame, header)
            info = copy_info(frame.camera_info, header=own)
            return info if size == before else scale_info(info, before, size)
        height, width = size
        focal = width / 2 / math.tan(math.radians(self._field_of_view_deg) / 2)
        # Pixel centres are at integers, so the middle of the image is at (width - 1) / 2.
        matrix = np.array(
            [[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]]
        )
        return to_camera_info(matrix, size, header=header)


def _resize(pixels: NDArray[Any], size: tuple[int, int], interpolation: int) -> NDArray[Any]:
    """Return an image at another (height, width)."""
    if pixels.shape[:2] == size:
        return pixels
    return np.asarray(cv2.resize(pixels, size[::-1], interpolation=interpolation))


def main() -> int:
    """Run the node until it is stopped; return the exit code."""
    return run_node('camera', CameraNode)
