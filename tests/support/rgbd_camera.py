# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A synthetic RGB-D camera before a plane, and the exact points that its pixels show."""

import numpy as np
from geometry_msgs.msg import PointStamped
from geometry_msgs.msg import PoseStamped
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from affordance_ros.nodes.messages import to_camera_info
from affordance_ros.nodes.messages import to_image
from affordance_ros.srv import Ground

MATRIX = np.array([[400.0, 0, 310.5], [0, 410.0, 245.0], [0, 0, 1]])
ENCODINGS = {'uint16': '16UC1', 'float32': '32FC1', 'uint8': 'bgr8'}
# The plane n . X = d before the camera, tilted about both axes; n points towards the camera.
NORMAL = np.array([0.3, -0.4, -1.0]) / np.linalg.norm([0.3, -0.4, -1.0])
OFFSET_M = float(NORMAL @ [0.0, 0.0, 0.8])


class RgbdCamera:
    """Sends images of a plane to a probe's grounding node and hears its answers in 3D."""

    def __init__(self, probe):
        self.probe = probe
        self.points, self.poses = [], []
        publisher, subscribe = probe.node.create_publisher, probe.node.create_subscription
        self.depths = publisher(Image, 'depth', qos_profile_sensor_data)
        self.infos = publisher(CameraInfo, 'camera_info', qos_profile_sensor_data)
        subscribe(PointStamped, 'grounding/target_point', self.points.append, 100)
        subscribe(PoseStamped, 'grounding/target_pose', self.poses.append, 100)

    def wait_until_heard(self):
        """Wait until the node listens to depth and camera_info, and we to it."""
        node = self.probe.node
        self.probe.spin_until(
            lambda: (
                self.depths.get_subscription_count()
                and self.infos.get_subscription_count()
                and node.count_publishers(f'{self.probe.namespace}/grounding/target_pose')
            ),
            'depth to be heard',
        )

    def send_info(self, size, header):
        """Publish the CameraInfo of an image of (height, width)."""
        self.infos.publish(to_camera_info(MATRIX, size, header=header))

    def send_depth(self, depth, header):
        """Publish depth: uint16 millimetres or float32 metres, or what is not depth at all."""
        encoding = ENCODINGS[depth.dtype.name]
        self.depths.publish(to_image(depth, encoding, header=header))

    def answer_to(self, image, depth, *, header=None, info=True):
        """Send a whole frame, depth and camera_info first, and return the answer to it."""
        header = header or self.probe.header()

        def send():
            if info:
                self.send_info(image.shape[:2], header)
            self.send_depth(depth, header)
            self.probe.send(image, header=header)

        send()
        self.probe.spin_until(
            lambda: self.probe.targets and self.probe.targets[-1].header == header,
            'the answer',
            again=send,
        )
        return self.probe.targets[-1]

    def first_answer(self, image, depth):
        """Send frames until one has points: what came before discovery was done is lost."""
        self.wait_until_heard()
        answers = []

        def found():
            answers.append(self.answer_to(image, depth))
            return answers[-1].targets[0].has_point

        self.probe.spin_until(found, 'an answer with points')
        return answers[-1]

    def ground(self, image, depth, commands):
        """Ask ~/ground for the next frame, and send frames until it has answered."""
        future = self.probe.begin(Ground, 'ground', commands=commands, deadline_s=60.0)

        def answered():
            self.answer_to(image, depth)
            return future.done()

        self.probe.spin_until(answered, 'the answer of ~/ground')
        return future.result()


def stamped(seconds, frame_id='camera'):
    """Return a header of so many seconds."""
    header = Header(frame_id=frame_id)
    header.stamp.sec = int(seconds)
    header.stamp.nanosec = round((seconds - int(seconds)) * 1e9)
    return header


def plane_depth(size):
    """Return the plane's depth, (H, W) float32 metres, along the optical axis."""
    height, width = size
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return plane_points(x, y)[..., 2].astype(np.float32)


def plane_points(x, y):
    """Return (..., 3) where the rays of pixels meet the plane."""
    pixels = np.stack([x, y, np.ones_like(x)], axis=-1)
    rays = pixels @ np.linalg.inv(MATRIX).T
    return rays * (OFFSET_M / (rays @ NORMAL))[..., None]


def to_array(vector):
    """Return x, y, z of a geometry_msgs Point."""
    return np.array([vector.x, vector.y, vector.z])
