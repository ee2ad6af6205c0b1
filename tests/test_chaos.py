"""Chaos: whatever happens around the node, it answers the next good frame within a second."""

import itertools
import signal
import threading
import time
from collections import Counter

import cv2
import numpy as np
import pytest

from tests.conftest import SAMPLES

pytestmark = [
    pytest.mark.ros,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures('ros'),
]

WITHIN_S = 1.0
MALFORMED = 10_000
BATCH = 500


@pytest.fixture(scope='module')
def picture(photos):
    return cv2.resize(next(iter(photos.values())), (320, 240))


def assert_answers_at_once(probe, pixels, encoding='bgr8', header=None):
    """Send one good frame and hold that its answer comes within the time; return the answer."""
    begin = time.monotonic()
    header = probe.send(pixels, encoding, header)
    probe.spin_until(
        lambda: any(answer.header == header for answer in probe.targets[-20:]),
        'an answer to a good frame',
        timeout_s=WITHIN_S,
    )
    assert time.monotonic() - begin < WITHIN_S + 0.05  # a spin of the probe's may end late
    answer = next(a for a in reversed(probe.targets) if a.header == header)
    assert (answer.image_height, answer.image_width) == pixels.shape[:2]
    return answer


def unusable_counts(probe):
    """Return what the diagnostics count as unusable, by cause."""
    prefix = 'frames unusable: '
    status = probe.diagnostics.get('processing')
    values = status.values if status else ()
    return {v.key.removeprefix(prefix): int(v.value) for v in values if v.key.startswith(prefix)}


def assert_nothing_is_unusable(probe):
    """Wait for fresh diagnostics and hold that they count no unusable frame."""
    probe.diagnostics.clear()
    probe.spin_until(lambda: 'processing' in probe.diagnostics, 'diagnostics')
    assert unusable_counts(probe) == {}


def every(period_s, action):
    """Return a function that acts at most once a period, and says nothing."""
    due = time.monotonic()

    def act():
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + period_s
            action()

    return act


def test_ten_thousand_malformed_messages_of_twenty_kinds(log, picture):
    from tests.malformed import KINDS
    from tests.malformed import malformed
    from tests.ros_harness import grounding_node

    assert len(KINDS) == 20
    rng = np.random.default_rng(0)
    kinds = np.repeat(list(KINDS), MALFORMED // len(KINDS))
    rng.shuffle(kinds)
    expected = Counter()
    with grounding_node(log, lossless=True, task_command='cut') as (_, probe):
        targets = assert_answers_at_once(probe, picture).targets
        assert targets
        good = 1
        for batch in np.split(kinds, MALFORMED // BATCH):
            for kind in batch:
                message, cause = malformed(str(kind), rng, header=probe.header())
                expected[cause] += 1
                probe.images.publish(message)
            assert assert_answers_at_once(probe, picture).targets == targets
            good += 1
            sent = expected.total() + good
            probe.spin_until(
                lambda sent=sent: probe.status[-1].frames_received == sent, f'{sent} frames'
            )
        probe.spin_until(lambda: unusable_counts(probe) == expected, f'counts of {expected}')
        assert expected.total() == MALFORMED
        status = probe.status[-1]
        assert status.frames_unusable == MALFORMED
        assert status.frames_processed == good == len(probe.targets)
        assert status.frames_dropped == 0
        # Each cause was said once, not ten thousand times.
        assert len({s.reason for s in probe.status if s.reason}) == len(expected)


def test_malformed_compressed_images(log, picture):
    from affordance_ros.nodes.messages import to_jpeg
    from tests.ros_harness import grounding_node

    rng = np.random.default_rng(0)
    with grounding_node(log, task_command='cut', image_transport='compressed') as (_, probe):
        whole = bytes(to_jpeg(picture, header=probe.header()).data)
        png = cv2.imencode('.png', picture)[1].tobytes()
        kinds = {
            'nothing': b'',
            'text': b'no signal',
            'noise': rng.bytes(5000),
            'cut header': whole[:20],
            'JPEG marker and noise': whole[:2] + rng.bytes(5000),
            # Width and height of the PNG are its bytes 16 to 24: 100,000 x 100,000 pixels.
            'PNG bomb': png[:16] + (100_000).to_bytes(4, 'big') * 2 + png[24:],
        }

        def answers_at_once():
            message = to_jpeg(picture, header=probe.header())
            probe.jpegs.publish(message)
            probe.spin_until(
                lambda: probe.targets and probe.targets[-1].header == message.header,
                'an answer to a good JPEG',
                timeout_s=WITHIN_S,
            )

        answers_at_once()
        for count, (kind, data) in enumerate(kinds.items(), start=1):
            message = to_jpeg(picture, header=probe.header())
            message.data = data
            probe.jpegs.publish(message)
            probe.spin_until(
                lambda count=count: unusable_counts(probe) == {'compressed': count},
                f'{kind} to be counted',
            )
            answers_at_once()
        # In a flood most give way to newer ones unread, and are counted as dropped.
        flood = 1000
        for data, _ in zip(itertools.cycle(kinds.values()), range(flood), strict=False):
            message.header = probe.header()
            message.data = data
            probe.jpegs.publish(message)
        answers_at_once()

        def settled():
            status = probe.status[-1]
            return (
                status.frames_received
                == status.frames_processed + status.frames_dropped + status.frames_unusable
                and unusable_counts(probe) == {'compressed': status.frames_unusable}
                and status.frames_processed == len(probe.targets)
            )

        probe.spin_until(settled, 'every frame to be accounted for')
        assert len(probe.targets) == len(kinds) + 2


def test_the_camera_dies_and_returns(log, tmp_path):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    from tests.ros_harness import NodeProcess
    from tests.ros_harness import executable
    from tests.ros_harness import grounding_node
    from tests.ros_harness import ros_arguments

    heard = []  # stamps and times of the camera's frames
    answered = {}

    with grounding_node(log, task_command='cut') as (_, probe):
        probe.node.create_subscription(
            Image,
            'image',
            lambda message: heard.append((stamp_of(message), time.monotonic())),
            qos_profile_sensor_data,
        )
        parameters = {'source': str(SAMPLES / 'photos'), 'rate_hz': 20.0, 'width': 320}
        arguments = ros_arguments(parameters, probe.namespace)
        for life in range(3):
            heard.clear()
            camera = NodeProcess([executable('camera'), *arguments], tmp_path / f'camera{life}')
            probe.spin_until(lambda: heard, 'the camera')
            first, begin = heard[0]
            probe.spin_until(
                lambda first=first: probe.targets and stamp_of(probe.targets[-1]) >= first,
                f'an answer in life {life} of the camera',
                timeout_s=WITHIN_S,
            )
            answered[life] = time.monotonic() - begin
            camera.process.send_signal(signal.SIGKILL)
            camera.process.wait()
            probe.spin_until(
                lambda: (
                    probe.diagnosed('input', 'cause of silence') in ('no_data', 'no_publisher')
                ),
                'the silence to be named',
            )
        assert max(answered.values()) < WITHIN_S + 0.05
        assert_nothing_is_unusable(probe)


def stamp_of(message):
    """Return a message's stamp in nanoseconds."""
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def test_resolution_and_encoding_change_mid_stream(log, picture):
    from tests.ros_harness import grounding_node

    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    alpha = np.dstack([picture, grey])
    looks = {
        'bgr8': picture,
        'rgb8': picture,
        'bgra8': alpha,
        'rgba8': alpha,
        'mono8': grey,
        'bgr16': picture.astype(np.uint16) * 257,
        'mono16': grey.astype(np.uint16) * 257,
        'bayer_rggb8': grey,
    }
    sizes = [(320, 240), (640, 480), (64, 48), (1280, 720), (33, 201), (1, 1), (2, 700), (700, 2)]
    with grounding_node(log, task_command='cut') as (_, probe):
        stream = every(1 / 30, lambda: probe.send(picture))
        for number, (encoding, pixels) in enumerate(looks.items()):
            for width, height in sizes[number % 2 :: 2] if encoding != 'bgr8' else sizes:
                if 'bayer' in encoding and min(width, height) < 3:
                    continue  # a mosaic has no colour at that size
                resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_NEAREST)
                count = len(probe.targets)
                probe.spin_until(
                    lambda count=count: stream() or len(probe.targets) > count + 3, 'the stream'
                )
                assert_answers_at_once(probe, resized, encoding)
        assert_nothing_is_unusable(probe)


def test_simulated_time_jumps_back_and_forth(log, picture):
    """A bag that starts anew sends its old stamps again; some drivers send any stamp at all."""
    from rosgraph_msgs.msg import Clock

    from tests.ros_harness import grounding_node

    with grounding_node(log, use_sim_time=True, task_command='cut') as (_, probe):
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
                assert_answers_at_once(probe, picture, header=header)
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
            assert_answers_at_once(probe, picture, header=header)
        probe.node.destroy_publisher(clock)
        assert_nothing_is_unusable(probe)


def test_commands_at_a_kilohertz(log, picture):
    """The last one wins, bad ones change nothing, and frames are answered all the while."""
    from std_msgs.msg import String

    from tests.ros_harness import grounding_node

    texts = ['cut', 'hold the mug', '  ', 'x' * 300, 'cu\x07t', 'pour']
    with grounding_node(log, task_command='open') as (_, probe):
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
        stream = every(1 / 20, lambda: probe.send(picture))
        try:
            probe.spin_until(lambda: stream() or not thread.is_alive(), 'the commands to end')
        finally:
            stop.set()
            thread.join()
        assert len(sent) / (sent[-1] - sent[0]) > 500
        answer = assert_answers_at_once(probe, picture)
        assert len(probe.targets) > 10
        probe.spin_until(
            lambda: probe.status[-1].command == 'pour', 'the last command', timeout_s=WITHIN_S
        )
        answer = assert_answers_at_once(probe, picture)
        assert (answer.command, answer.command_id) == ('pour', probe.status[-1].command_id)
        ids = [a.command_id for a in probe.targets]
        assert ids == sorted(ids)
        assert {a.command for a in probe.targets} <= {'open', 'cut', 'hold the mug', 'pour'}
        assert_nothing_is_unusable(probe)


def test_depth_without_image(log, picture):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CameraInfo
    from sensor_msgs.msg import Image

    from affordance_ros.nodes.messages import to_camera_info
    from affordance_ros.nodes.messages import to_image
    from tests.ros_harness import grounding_node

    matrix = np.array([[300.0, 0, 159.5], [0, 300.0, 119.5], [0, 0, 1]])
    depth = np.full(picture.shape[:2], 800, np.uint16)
    with grounding_node(log, task_command='cut') as (_, probe):
        depths = probe.node.create_publisher(Image, 'depth', qos_profile_sensor_data)
        infos = probe.node.create_publisher(CameraInfo, 'camera_info', qos_profile_sensor_data)

        def send_depth():
            header = probe.header()
            infos.publish(to_camera_info(matrix, picture.shape[:2], header=header))
            depths.publish(to_image(depth, '16UC1', header=header))

        stream = every(1 / 30, send_depth)
        probe.spin_until(
            lambda: stream() or probe.diagnosed('input', 'cause of silence') == 'no_data',
            'the silence to be named',
        )
        assert not probe.targets
        assert_answers_at_once(probe, picture)
        assert_nothing_is_unusable(probe)


def test_two_cameras_on_one_topic(log, picture):
    """Each answer is of its own frame, and every frame is accounted for."""
    from sensor_msgs.msg import Image

    from affordance_ros.nodes.messages import to_image
    from tests.ros_harness import LOSSLESS
    from tests.ros_harness import grounding_node

    small = cv2.resize(picture, (160, 90))
    sent = []
    with grounding_node(log, lossless=True, task_command='cut') as (_, probe):
        second = probe.node.create_publisher(Image, 'image', LOSSLESS)
        probe.spin_until(lambda: second.get_subscription_count() > 0, 'the second camera')
        cameras = [
            every(1 / 25, lambda: sent.append(probe.send(picture))),
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
        assert_answers_at_once(probe, picture)

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
            expected = small if is_second else picture
            assert (answer.image_height, answer.image_width) == expected.shape[:2]
            seconds += is_second
        assert 0 < seconds < len(probe.targets) - 1
        assert_nothing_is_unusable(probe)
