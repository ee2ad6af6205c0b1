# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Frames under load, broken frames, lazy outputs, and the end of the node."""

import itertools
import signal
import threading
import time

import cv2
import numpy as np
import psutil
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]

CAMERA_HZ = 30.0
CAMERA_S = 10.0


def serial_of(header):
    return (header.stamp.sec - 1000) * 1000 + header.stamp.nanosec


def test_a_30_hz_camera_with_a_slower_model(log, photos):
    """Every frame that is processed is the newest, none is answered twice, none is lost unseen."""
    from affordance_ros.nodes.messages import to_image
    from tests.support.ros_harness import grounding_node

    image = cv2.resize(next(iter(photos.values())), (640, 480))
    sent_at = {}
    answered = []  # (frame, the time when its answer was heard)
    options = {'input_size': 640, 'task_command': 'cut'}
    with grounding_node(log, lossless=True, **options) as (process, probe):
        memory = psutil.Process(process.process.pid)
        resident = []
        stop = threading.Event()

        def camera():
            message = to_image(image, 'bgr8', header=probe.header())
            start = time.monotonic()
            for count in range(1, int(CAMERA_HZ * CAMERA_S) + 1):
                stop.wait(max(0.0, start + count / CAMERA_HZ - time.monotonic()))
                message.header = probe.header()
                sent_at[serial_of(message.header)] = time.monotonic()
                probe.images.publish(message)

        def heard():
            while len(answered) < len(probe.targets):
                answered.append((serial_of(probe.targets[len(answered)].header), time.monotonic()))
            if len(answered) // 4 > len(resident):
                resident.append(memory.memory_info().rss / 2**20)
            return not thread.is_alive()

        thread = threading.Thread(target=camera)
        thread.start()
        try:
            probe.spin_until(heard, 'the camera to end')
        finally:
            stop.set()
            thread.join()
        sent = len(sent_at)

        def settled():
            status = probe.status[-1]
            return (
                status.frames_received == sent == (status.frames_processed + status.frames_dropped)
            )

        probe.spin_until(settled, f'{sent} frames to be accounted for')
        heard()
        status = probe.status[-1]
        assert status.frames_unusable == 0
        assert status.frames_processed == len(answered)
        assert status.frames_dropped == sent - len(answered) > 0.1 * sent
        frames = [frame for frame, _ in answered]
        assert frames == sorted(set(frames)), 'a frame was answered twice or out of order'
        # The worker takes the next frame when it has published the answer before, so at that time
        # no newer frame may have been under way for longer than transport takes.
        behind = [
            max(
                (
                    at - sent_at[newer]
                    for newer in range(frame + 1, max(sent_at) + 1)
                    if sent_at[newer] < at
                ),
                default=0.0,
            )
            for (_, at), (frame, _) in itertools.pairwise(answered)
        ]
        assert np.median(behind) < 0.5 / CAMERA_HZ
        assert np.percentile(behind, 95) < 2 / CAMERA_HZ
        # An image of 0.9 MiB kept from every tenth frame would add 27 MiB between the quarters.
        quarter = len(resident) // 4
        growth = np.median(resident[-quarter:]) - np.median(resident[quarter : 2 * quarter])
        assert growth < 20, f'memory grows: {resident} MiB'


def test_unusable_frames_are_counted_named_once_and_survived(log, photos):
    from sensor_msgs.msg import Image

    from affordance_ros.nodes.messages import to_image
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))

    def broken(**changes):
        message = to_image(photo, 'bgr8', header=probe.header())
        for name, value in changes.items():
            setattr(message, name, value)
        return message

    with grounding_node(log, lossless=True, task_command='cut') as (process, probe):
        first = probe.answer_to(photo)
        bad = [
            broken(encoding='jpg'),
            broken(encoding='32FC1'),
            broken(height=0, width=0),
            broken(step=10),
            broken(height=5000),
            Image(header=probe.header()),
            broken(encoding='yuv422', width=photo.shape[1] - 1),
        ]
        # What is named is told at once, what is only counted once a second.
        for count, message in enumerate(bad, start=1):
            probe.images.publish(message)
            probe.spin_until(
                lambda count=count: probe.status[-1].frames_unusable == count,
                f'bad frame {count} to be counted',
            )
        for message in bad:
            probe.images.publish(message)
        probe.spin_until(
            lambda: probe.status[-1].frames_unusable == 2 * len(bad), 'all to be counted again'
        )
        reasons = [s.reason for s in probe.status if s.reason]
        for part in ("'jpg'", '0x0', 'step 10', '5000 rows', 'have an even width'):
            assert sum(part in r for r in dict.fromkeys(reasons)) == 1, (part, reasons)
        assert process.output.count('[WARN]') <= 1 + len(set(reasons))
        last = probe.answer_to(photo)
        assert last.targets == first.targets
        assert probe.counted().frames_unusable == 2 * len(bad)
        assert all(answer.header in (first.header, last.header) for answer in probe.targets)


def test_broken_jpegs_are_survived(log, photos):
    from affordance_ros.nodes.messages import to_jpeg
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    options = {'task_command': 'cut', 'image_transport': 'compressed'}
    with grounding_node(log, lossless=True, **options) as (_, probe):
        for count, size in enumerate((0, 2, 100), start=1):
            message = to_jpeg(photo, header=probe.header())
            message.data = message.data[:size]
            probe.jpegs.publish(message)
            probe.spin_until(
                lambda count=count: probe.status[-1].frames_unusable == count, 'the broken JPEG'
            )
        assert 'not a whole JPEG' in probe.status[-1].reason
        probe.jpegs.publish(to_jpeg(photo, header=probe.header()))
        probe.spin_until(lambda: probe.targets, 'the good JPEG')


def test_heatmap_and_overlay_are_lazy(log, photos):
    """They come only while somebody listens; targets come always."""
    from sensor_msgs.msg import Image

    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    with grounding_node(log, task_command='cut') as (_, probe):
        first = probe.answer_to(photo).header
        probe.counted()  # images come after the targets: only now is the frame done with
        heatmaps = []
        subscription = probe.node.create_subscription(
            Image, 'grounding/heatmap', heatmaps.append, 10
        )
        probe.spin_until(lambda: subscription.get_publisher_count() == 1, 'the heatmap publisher')

        def heard():
            probe.answer_to(photo)
            return bool(heatmaps)

        probe.spin_until(heard, 'a heatmap')
        assert heatmaps[0].header != first, 'made for a frame before anyone listened'


def test_the_rate_limit_holds(log, photos):
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))[::4, ::4]
    with grounding_node(log, task_command='cut', max_rate_hz=5.0) as (_, probe):
        times = []

        def next_answer():
            probe.send(photo)
            while len(times) < len(probe.targets):
                times.append(time.monotonic())
            return len(times) >= 8

        probe.spin_until(next_answer, 'eight answers')
        # 5 Hz; a busy machine may take longer, but not five times as long.
        assert 0.18 < (times[-1] - times[0]) / 7 < 1.0
        probe.spin_until(lambda: probe.status[-1].frames_dropped > 0, 'drops to be reported')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_the_node_stops_cleanly_at_once_under_load(log, photos, number):
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    with grounding_node(log, heatmaps=True, fresh=True, task_command='cut') as (process, probe):
        for _ in range(10):
            probe.send(photo)
        probe.spin_until(
            lambda: probe.targets, 'the first answer', again=lambda: probe.send(photo)
        )
        begin = time.monotonic()
        assert process.stop(number) == 0
        assert time.monotonic() - begin < 10
        assert 'Traceback' not in process.output


def test_qos_of_the_image_can_be_overridden(log, photos):
    """A reliable subscription is what some cameras and bags need."""
    from rclpy.qos import ReliabilityPolicy

    from tests.support.ros_harness import MODEL
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import Probe
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    probe = Probe()
    override = f'qos_overrides.{probe.namespace}/image.subscription.reliability'
    arguments = ros_arguments({**MODEL, override: 'reliable'}, probe.namespace)
    process = NodeProcess([executable('grounding'), *arguments], log)
    topic = f'{probe.namespace}/image'
    probe.spin_until(
        lambda: probe.node.get_subscriptions_info_by_topic(topic), 'the image subscription'
    )
    (info,) = probe.node.get_subscriptions_info_by_topic(topic)
    assert info.qos_profile.reliability == ReliabilityPolicy.RELIABLE
    assert process.stop() == 0, process.output
    probe.close()
