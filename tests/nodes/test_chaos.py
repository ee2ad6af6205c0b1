# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Chaos: whatever happens around the node, it answers the next good frame within a second."""

import itertools
import signal
import threading
import time

import cv2
import numpy as np
import pytest

from tests.support.chaos import QUICK
from tests.support.chaos import WITHIN_S
from tests.support.chaos import assert_answers_at_once
from tests.support.chaos import assert_nothing_is_unusable
from tests.support.chaos import every
from tests.support.chaos import stamp_of

pytestmark = [
    pytest.mark.ros,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures('ros'),
]

SILENT = ('no_data', 'no_publisher')


@pytest.fixture(scope='module')
def image(photos):
    return cv2.resize(next(iter(photos.values())), (320, 240))


def test_the_camera_dies_and_returns(log, tmp_path, image):
    """Frames that it sends before the two have found each other count for nothing."""
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import grounding_node
    from tests.support.ros_harness import ros_arguments

    rate_hz = 10.0
    source = tmp_path / 'image.png'
    cv2.imwrite(str(source), image)
    with grounding_node(log, **QUICK) as (_, probe):
        arguments = ros_arguments({'source': str(source), 'rate_hz': rate_hz}, probe.namespace)
        for life in range(3):
            before, dropped = len(probe.targets), probe.status[-1].frames_dropped
            camera = NodeProcess([executable('camera'), *arguments], tmp_path / f'camera{life}')
            probe.spin_until(
                lambda before=before: len(probe.targets) > before, f'an answer in life {life}'
            )
            assert time.time() - stamp_of(probe.targets[before]) / 1e9 < WITHIN_S
            camera.process.send_signal(signal.SIGKILL)
            camera.process.wait()
            probe.spin_until(
                lambda: probe.diagnosed('input', 'cause of silence') in SILENT,
                'the silence to be named',
            )
            # None of those that it could hear was passed over for longer than that either.
            assert probe.status[-1].frames_dropped - dropped <= rate_hz * WITHIN_S
        assert_nothing_is_unusable(probe)


def test_simulated_time_jumps_back_and_forth(log, image):
    """A bag that starts anew sends its old stamps again; some drivers send any stamp at all."""
    from rosgraph_msgs.msg import Clock

    from tests.support.ros_harness import grounding_node

    with grounding_node(log, use_sim_time=True, **QUICK) as (_, probe):
        clock = probe.node.create_publisher(Clock, '/clock', 10)
        now = Clock()

        def tick(seconds):
            now.clock.sec, now.clock.nanosec = seconds // 1000, seconds % 1000 * 10**6
            clock.publish(now)

        for start in (100_000, 40_000, 1_000_000, 0, 500):  # milliseconds
            processed = probe.status[-1].frames_processed
            for step in range(1, 31):
                tick(start + 100 * step)
                header = probe.header()
                header.stamp = now.clock
                assert_answers_at_once(probe, image, header=header)
            ticks = itertools.count(start + 3100, 50)
            probe.spin_until(
                lambda ticks=ticks, processed=processed: (
                    tick(next(ticks)) or probe.status[-1].frames_processed == processed + 30
                ),
                'the counts after a jump',
            )
        for sec, nanosec in ((-(2**31), 0), (2**31 - 1, 2**32 - 1), (0, 0)):
            header = probe.header()
            header.stamp.sec, header.stamp.nanosec = sec, nanosec
            assert_answers_at_once(probe, image, header=header)
        probe.node.destroy_publisher(clock)
        assert_nothing_is_unusable(probe)


def test_commands_at_a_kilohertz(log, image):
    """The last one wins, bad ones change nothing, and frames are answered all the while."""
    from std_msgs.msg import String

    from tests.support.ros_harness import grounding_node

    texts = ['cut', 'hold the mug', '  ', 'x' * 300, 'cu\x07t', 'pour']
    with grounding_node(log, **QUICK) as (_, probe):
        sent = []

        def person():
            start = time.monotonic()
            for count, text in zip(range(3000), itertools.cycle(texts), strict=False):
                stop.wait(max(0.0, start + count / 1000 - time.monotonic()))
                probe.commands.publish(String(data=text))
                sent.append(time.monotonic())

        stop = threading.Event()
        thread = threading.Thread(target=person)
        thread.start()
        stream = every(1 / 20, lambda: probe.send(image))
        try:
            probe.spin_until(lambda: stream() or not thread.is_alive(), 'the commands to end')
        finally:
            stop.set()
            thread.join()
        assert len(sent) / (sent[-1] - sent[0]) > 500
        answer = assert_answers_at_once(probe, image)
        assert len(probe.targets) > 2
        probe.spin_until(
            lambda: probe.status[-1].command == 'pour', 'the last command', timeout_s=WITHIN_S
        )
        answer = assert_answers_at_once(probe, image)
        assert (answer.command, answer.command_id) == ('pour', probe.status[-1].command_id)
        ids = [a.command_id for a in probe.targets]
        assert ids == sorted(ids)
        assert {a.command for a in probe.targets} <= {'cut', 'hold the mug', 'pour'}
        assert_nothing_is_unusable(probe)


def test_depth_without_image(log, image):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CameraInfo
    from sensor_msgs.msg import Image

    from affordance_ros.nodes.messages import to_camera_info
    from affordance_ros.nodes.messages import to_image
    from tests.support.ros_harness import grounding_node

    matrix = np.array([[300.0, 0, 159.5], [0, 300.0, 119.5], [0, 0, 1]])
    depth = np.full(image.shape[:2], 800, np.uint16)
    with grounding_node(log, **QUICK) as (_, probe):
        depths = probe.node.create_publisher(Image, 'depth', qos_profile_sensor_data)
        infos = probe.node.create_publisher(CameraInfo, 'camera_info', qos_profile_sensor_data)

        def send_depth():
            header = probe.header()
            infos.publish(to_camera_info(matrix, image.shape[:2], header=header))
            depths.publish(to_image(depth, '16UC1', header=header))

        stream = every(1 / 30, send_depth)
        probe.spin_until(
            lambda: stream() or probe.diagnosed('input', 'cause of silence') == 'no_data',
            'the silence to be named',
        )
        assert not probe.targets
        assert_answers_at_once(probe, image)
        assert_nothing_is_unusable(probe)


def test_two_cameras_on_one_topic(log, image):
    """Each answer is of its own frame, and every frame is accounted for."""
    from sensor_msgs.msg import Image

    from affordance_ros.nodes.messages import to_image
    from tests.support.ros_harness import LOSSLESS
    from tests.support.ros_harness import grounding_node

    small = cv2.resize(image, (160, 90))
    sent = []
    with grounding_node(log, lossless=True, **QUICK) as (_, probe):
        second = probe.node.create_publisher(Image, 'image', LOSSLESS)
        probe.spin_until(lambda: second.get_subscription_count() > 0, 'the second camera')
        cameras = [
            every(1 / 25, lambda: sent.append(probe.send(image))),
            every(1 / 15, lambda: sent.append(publish_small())),
        ]

        def publish_small():
            message = to_image(small, 'bgr8', header=probe.header())
            message.header.frame_id = f'second {message.header.frame_id}'
            second.publish(message)
            return message.header

        probe.spin_until(
            lambda: any(camera() for camera in cameras) or len(sent) >= 300, 'both cameras'
        )
        assert_answers_at_once(probe, image)

        def settled():
            status = probe.status[-1]
            return (
                status.frames_received
                == len(sent) + 1
                == status.frames_processed + status.frames_dropped
            )

        probe.spin_until(settled, 'every frame to be accounted for')
        known = {(h.stamp.sec, h.stamp.nanosec): h.frame_id for h in sent}
        seconds = 0
        for answer in probe.targets[:-1]:
            is_second = answer.header.frame_id.startswith('second')
            stamp = answer.header.stamp
            assert known[stamp.sec, stamp.nanosec] == answer.header.frame_id
            expected = small if is_second else image
            assert (answer.image_height, answer.image_width) == expected.shape[:2]
            seconds += is_second
        assert 0 < seconds < len(probe.targets) - 1
        assert_nothing_is_unusable(probe)
