import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from tabletop_fakes import needs_rendering

rclpy = pytest.importorskip('rclpy', reason='rclpy is not installed')
pytestmark = [pytest.mark.ros, needs_rendering]
NODE = [sys.executable, '-m', 'tabletop.camera_node', '--ros-args']


def _environment():
    return {**os.environ, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'ROS_DOMAIN_ID': '87'}


def test_the_camera_publishes_matching_pictures_depth_and_intrinsics(monkeypatch):
    from rclpy.node import Node
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CameraInfo
    from sensor_msgs.msg import Image

    for key, value in _environment().items():
        monkeypatch.setenv(key, value)
    options = [
        '-p',
        'width:=160',
        '-p',
        'height:=120',
        '-p',
        'rate_hz:=10.0',
        '-p',
        'frame_id:=eye',
        '-p',
        'objects:=[mug, apple]',
    ]
    camera = subprocess.Popen([*NODE, *options], stderr=subprocess.PIPE, text=True)
    rclpy.init()
    listener = Node('listener')
    got = {'image': {}, 'depth': {}, 'info': {}}

    def keep(name):
        def callback(message):
            stamp = message.header.stamp
            got[name][stamp.sec, stamp.nanosec] = message

        return callback

    for name, kind, topic in (
        ('image', Image, 'camera/image'),
        ('depth', Image, 'camera/depth'),
        ('info', CameraInfo, 'camera/camera_info'),
    ):
        listener.create_subscription(kind, topic, keep(name), qos_profile_sensor_data)
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            rclpy.spin_once(listener, timeout_sec=0.1)
            common = set(got['image']) & set(got['depth']) & set(got['info'])
            if len(common) >= 5:
                break
    finally:
        listener.destroy_node()
        rclpy.shutdown()
        camera.send_signal(signal.SIGINT)
        log = camera.communicate(timeout=30)[1]
    assert camera.returncode == 0, log
    assert 'mug' in log and 'apple' in log
    assert len(common) >= 5, log
    pictures = []
    for stamp in sorted(common):
        image, depth, info = (got[k][stamp] for k in ('image', 'depth', 'info'))
        assert {m.header.frame_id for m in (image, depth, info)} == {'eye'}
        assert (image.encoding, depth.encoding) == ('rgb8', '32FC1')
        assert (image.step, depth.step) == (480, 640)
        assert (info.width, info.height) == (160, 120)
        metres = np.frombuffer(depth.data, np.float32)
        assert 0.05 < np.nanmin(metres) < np.nanmax(metres) < 12
        pictures.append(bytes(image.data))
    assert len(set(pictures)) > 1


def test_an_unknown_object_ends_the_node_with_the_known_ones():
    done = subprocess.run(
        [*NODE, '-p', 'objects:=[teapot]'],
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert 'no object teapot; there are mug' in done.stderr
