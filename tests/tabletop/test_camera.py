# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from tests.support.tabletop_fakes import needs_rendering

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros'), needs_rendering]


def start(log, namespace='', **parameters):
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import ros_arguments

    return NodeProcess(
        ['-m', 'affordance_ros_tabletop.camera_node', *ros_arguments(parameters, namespace)], log
    )


def test_the_camera_publishes_matching_images_depth_and_intrinsics(log):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CameraInfo
    from sensor_msgs.msg import Image

    from tests.support.ros_harness import Probe

    probe = Probe()
    got = {'image': {}, 'depth': {}, 'camera_info': {}}

    def keep(name):
        def callback(message):
            stamp = message.header.stamp
            got[name][stamp.sec, stamp.nanosec] = message

        return callback

    for name, kind in (('image', Image), ('depth', Image), ('camera_info', CameraInfo)):
        probe.node.create_subscription(kind, name, keep(name), qos_profile_sensor_data)
    process = start(
        log,
        probe.namespace,
        width=160,
        height=120,
        frame_id='eye',
        objects=['mug', 'apple'],
    )

    def common():
        return sorted(set(got['image']) & set(got['depth']) & set(got['camera_info']))

    probe.spin_until(lambda: len(common()) >= 5, 'five whole sets')
    assert process.stop() == 0, process.output
    assert 'Traceback' not in process.output
    assert 'mug' in process.output and 'apple' in process.output
    images = []
    for stamp in common():
        image, depth, info = (got[k][stamp] for k in ('image', 'depth', 'camera_info'))
        assert {m.header.frame_id for m in (image, depth, info)} == {'eye'}
        assert (image.encoding, depth.encoding) == ('rgb8', '32FC1')
        assert (image.step, depth.step) == (480, 640)
        assert (info.width, info.height) == (160, 120)
        metres = np.frombuffer(depth.data, np.float32)
        assert 0.05 < np.nanmin(metres) < np.nanmax(metres) < 12
        images.append(bytes(image.data))
    assert len(set(images)) > 1
    probe.close()


def test_an_unknown_object_ends_the_node_with_the_known_ones(log):
    process = start(log, objects=['teapot'])
    assert process.process.wait(60) == 1
    assert 'no object teapot; there are mug' in process.output
    assert 'Traceback' not in process.output
