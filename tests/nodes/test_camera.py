# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The camera node plays what it is given, with headers and CameraInfo that fit."""

import cv2
import numpy as np
import pytest

from affordance_ros.spatial.depth import DepthImage
from tests.conftest import SAMPLES

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]


def start(log, **parameters):
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    namespace = parameters.pop('namespace', '')
    return NodeProcess([executable('camera'), *ros_arguments(parameters, namespace)], log)


def test_photos_are_played_with_camera_info(log, photos):
    import rclpy
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CameraInfo
    from sensor_msgs.msg import CompressedImage
    from sensor_msgs.msg import Image

    from tests.support.ros_harness import Probe

    probe = Probe()
    images, infos, jpegs = [], [], []
    subscribe = probe.node.create_subscription
    subscribe(Image, 'image', images.append, qos_profile_sensor_data)
    subscribe(CameraInfo, 'camera_info', infos.append, qos_profile_sensor_data)
    subscribe(CompressedImage, 'image/compressed', jpegs.append, qos_profile_sensor_data)
    process = start(
        log,
        namespace=probe.namespace,
        source=str(SAMPLES / 'photos'),
        rate_hz=20.0,
        field_of_view_deg=90.0,
        frame_id='kitchen',
    )
    probe.spin_until(lambda: len(images) > len(photos) and len(infos) > 3 and jpegs, 'frames')
    assert process.stop() == 0, process.output
    played = {bytes(image.data) for image in images}
    assert played <= {photo.tobytes() for photo in photos.values()}
    assert len(played) > 1
    stamps = [rclpy.time.Time.from_msg(image.header.stamp).nanoseconds for image in images]
    assert stamps == sorted(set(stamps))
    by_stamp = {(i.header.stamp.sec, i.header.stamp.nanosec): i for i in infos}
    paired = 0
    for image in images:
        assert (image.encoding, image.header.frame_id) == ('bgr8', 'kitchen')
        info = by_stamp.get((image.header.stamp.sec, image.header.stamp.nanosec))
        if info is None:
            continue
        paired += 1
        assert (info.width, info.height) == (image.width, image.height)
        # At 90 degrees the left edge, half a pixel before pixel 0, is seen at 45 degrees.
        focal, cx = info.k[0], info.k[2]
        assert (-0.5 - cx) / focal == pytest.approx(-1.0)
        assert info.k[5] == (image.height - 1) / 2
        assert list(info.p[:3]) == list(info.k[:3])
    assert paired >= 3
    decoded = cv2.imdecode(np.frombuffer(jpegs[0].data, np.uint8), cv2.IMREAD_COLOR)
    assert any(decoded.shape == photo.shape for photo in photos.values())
    probe.close()


def test_frames_are_scaled_and_a_finished_source_says_so(log, photos):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    from tests.support.ros_harness import Probe

    probe = Probe()
    images = []
    subscription = probe.node.create_subscription(
        Image, 'image', images.append, qos_profile_sensor_data
    )
    process = start(
        log,
        namespace=probe.namespace,
        source=str(SAMPLES / 'photos'),
        rate_hz=1.5,
        width=160,
        loop=False,
    )
    probe.spin_until(lambda: 'the source has ended' in process.output, 'the end')
    # The node stays, so that a late viewer still finds it; the probe is the other publisher.
    probe.spin_until(lambda: subscription.get_publisher_count() == 2, 'both publishers')
    assert process.stop() == 0, process.output
    probe.spin_until(lambda: images, 'the frames that were sent')
    assert all(image.width == 160 for image in images)
    probe.close()


def test_a_bag_is_played_with_its_own_depth_and_intrinsics(log):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CameraInfo
    from sensor_msgs.msg import Image

    from tests.support.ros_harness import Probe

    probe = Probe()
    got = {'image': {}, 'depth': {}, 'camera_info': {}}

    def keep(name):
        def callback(message):
            got[name][message.header.stamp.sec, message.header.stamp.nanosec] = message

        return callback

    for name, kind in (('image', Image), ('depth', Image), ('camera_info', CameraInfo)):
        probe.node.create_subscription(kind, name, keep(name), qos_profile_sensor_data)
    process = start(log, namespace=probe.namespace, source=str(SAMPLES / 'tabletop'), width=240)

    def common():
        return sorted(set(got['image']) & set(got['depth']) & set(got['camera_info']))

    probe.spin_until(lambda: len(common()) >= 3, 'three whole sets')
    assert process.stop() == 0, process.output
    for stamp in common():
        image, depth, info = (got[k][stamp] for k in ('image', 'depth', 'camera_info'))
        assert (image.width, image.height) == (depth.width, depth.height) == (240, 180)
        metres = DepthImage.view(depth).metres()
        assert 0.1 < np.nanmedian(metres) < 3
        # Recorded at 480x360 with 45 degrees from top to bottom, played at half the size.
        assert info.k[4] == pytest.approx(90 / np.tan(np.deg2rad(22.5)), rel=1e-6)
        assert (info.k[2], info.k[5]) == pytest.approx((119.5, 89.5))
    probe.close()


def test_a_realsense_bag_is_played_by_its_colour_camera(log, tmp_path):
    """Infrared, unaligned depth and three camera_infos lie beside; a bad image is left out."""
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CameraInfo
    from sensor_msgs.msg import Image

    from tests.support import hostile_bags as made
    from tests.support.ros_harness import Probe

    def colour(number, stamp_ns):
        image = made.image(made.header(stamp_ns), made.photo(number), 'bgr8')
        image.encoding = 'bgr8' if number else '32FC1'
        return image

    streams = made.realsense() | {f'{made.COLOUR}/image_raw': (made.IMAGE, colour)}
    bag = made.record(tmp_path / 'in', streams)
    (single,) = bag.glob('*.mcap')
    probe = Probe()
    images, infos, depths = [], [], []
    for name, kind, kept in (
        ('image', Image, images), ('camera_info', CameraInfo, infos), ('depth', Image, depths),
    ):  # fmt: skip
        probe.node.create_subscription(kind, name, kept.append, qos_profile_sensor_data)
    process = start(
        log, namespace=probe.namespace, source=str(single), rate_hz=20.0,
        topic=f'{made.COLOUR}/image_raw',
    )  # fmt: skip
    probe.spin_until(lambda: min(len(images), len(infos), len(depths)) > 6, 'frames')
    assert process.stop() == 0, process.output
    played = {bytes(image.data) for image in images}
    assert played == {made.photo(number).tobytes() for number in range(1, made.FRAMES)}
    for message in (*images, *infos, *depths):
        assert message.header.frame_id == made.COLOUR_FRAME
    assert {info.k[0] for info in infos} == {made.FOCAL}
    assert {(depth.encoding, *np.unique(depth.data)) for depth in depths} == {('16UC1', 3, 232)}
    assert process.output.count('left out: images with encoding') == 1
    probe.close()


def test_a_missing_source_is_refused(log):
    process = start(log, source='/no/such/folder')
    assert process.process.wait(30) == 1
    assert "'/no/such/folder' is not a folder, bag, photo, video file or webcam" in process.output
    assert 'Traceback' not in process.output
