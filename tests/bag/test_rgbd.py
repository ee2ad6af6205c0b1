# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets in 3D from a bag: its depth is found, matched and, where it can't be used, named."""

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer

from affordance_ros.bag.topics import DepthTopics
from affordance_ros.bag.topics import TopicFacts
from affordance_ros.bag.topics import choose_depth
from affordance_ros.cli.bag import main
from affordance_ros.image.source_frame import SourceError
from affordance_ros.spatial.rgbd import DEPTH_TOLERANCE_S
from tests.support.bag_fixture import START_NS
from tests.support.bag_fixture import STORE
from tests.support.bag_fixture import TYPES
from tests.support.bag_fixture import header
from tests.support.bag_fixture import image
from tests.support.bag_fixture import read_all
from tests.support.camera_infos import camera_info

MODEL = ['--model', 'compact', '--weights', 'random', '--device', 'cpu', '--input-size', '96']
IMAGE, INFO = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CameraInfo'
PERIOD_NS, FRAMES, DEPTH_M = 100_000_000, 6, 0.8
FX, FY, CX, CY = 150.0, 160.0, 79.25, 60.5


@pytest.fixture
def pixels(photos):
    return cv2.resize(next(iter(photos.values())), (160, 120))


def info_message(head):
    """Return the CameraInfo of a 160x120 image."""
    fields = vars(camera_info(FX, FY, CX, CY, width=160, height=120))
    arrays = {name: np.asarray(fields[name], np.float64) for name in 'dkrp'}
    roi = TYPES['sensor_msgs/msg/RegionOfInterest'](**vars(fields['roi']))
    return TYPES[INFO](**{**fields, **arrays, 'roi': roi, 'header': head})


def depth_message(head, encoding='32FC1'):
    """Return the depth of a plane across the optical axis."""
    data = np.full((120, 160), DEPTH_M, np.float32).ravel().view(np.uint8)
    return TYPES[IMAGE](head, 120, 160, encoding, 0, 640, data)


def record(path, pixels, *, delay_ns=0, stamp_shift_ns=0, encoding='32FC1', depth=True):
    """Write images at 10 Hz with camera_info, and depth that is recorded later by delay_ns."""
    messages = []
    for number in range(FRAMES):
        log_ns = START_NS + number * PERIOD_NS
        head = header(log_ns, number)
        messages.append((log_ns, '/camera/image', IMAGE, image(pixels, head)))
        messages.append((log_ns, '/camera/camera_info', INFO, info_message(head)))
        if depth:
            late = depth_message(header(log_ns + stamp_shift_ns, number), encoding)
            messages.append((log_ns + delay_ns, '/camera/depth', IMAGE, late))
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        topics = {}
        for log_ns, topic, kind, message in sorted(messages, key=lambda entry: entry[0]):
            if topic not in topics:
                topics[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(topics[topic], log_ns, STORE.serialize_cdr(message, kind))
    return path


def answers(tmp_path, bag, *more):
    """Run the tool on a bag; return its messages of targets."""
    assert main([str(bag), str(tmp_path / 'out'), '-c', 'cut', *MODEL, *more]) == 0
    written = read_all(tmp_path / 'out')
    found = written['/grounding/targets']
    assert [log_ns for log_ns, _, _ in found] == [
        START_NS + number * PERIOD_NS for number in range(FRAMES)
    ]
    return [message for _, _, message in found]


def points(messages):
    """Return x, y and the point of all targets that have one."""
    rows = [
        (t.x, t.y, t.point.x, t.point.y, t.point.z)
        for message in messages
        for t in message.targets
        if t.has_point
    ]
    return np.array(rows).reshape(-1, 5).T


@pytest.mark.parametrize('more', [[], ['--copy']])
@pytest.mark.parametrize('delay_ns', [0, 250_000_000])
def test_points_are_the_planes_also_where_depth_is_recorded_late(tmp_path, pixels, delay_ns, more):
    """By the pinhole equation; the depth of another image would be 0.1 s away."""
    bag = record(tmp_path / 'in', pixels, delay_ns=delay_ns, stamp_shift_ns=15_000_000)
    messages = answers(tmp_path, bag, *more)
    assert all(m.targets and all(t.has_point for t in m.targets) for m in messages)
    u, v, x, y, z = points(messages)
    np.testing.assert_allclose(z, DEPTH_M, atol=1e-5)
    np.testing.assert_allclose(x, (u - CX) / FX * DEPTH_M, atol=1e-5)
    np.testing.assert_allclose(y, (v - CY) / FY * DEPTH_M, atol=1e-5)


def test_detections_say_what_the_targets_say(tmp_path, pixels):
    messages = answers(tmp_path, record(tmp_path / 'in', pixels))
    written = read_all(tmp_path / 'out')
    for array, (_, _, flat), (_, _, solid) in zip(
        messages,
        written['/grounding/detections'],
        written['/grounding/detections_3d'],
        strict=True,
    ):
        assert flat.header.frame_id == solid.header.frame_id == array.header.frame_id
        for target, in_2d, in_3d in zip(
            array.targets, flat.detections, solid.detections, strict=True
        ):
            assert in_2d.id == in_3d.id == str(target.track_id)
            place = in_2d.results[0].pose.pose.position
            assert (place.x, place.y) == pytest.approx((target.x, target.y), abs=1e-4)
            assert in_2d.bbox.size_x == target.bbox.width
            point = in_3d.results[0].pose.pose.position
            assert (point.x, point.y, point.z) == (target.point.x, target.point.y, target.point.z)
            assert in_3d.results[0].hypothesis.class_id == 'cut'


def test_a_gate_leaves_out_what_is_too_far_and_counts_it(tmp_path, pixels, caplog):
    caplog.set_level('INFO')
    bag = record(tmp_path / 'in', pixels)
    without_depth = record(tmp_path / 'blind', pixels, depth=False)
    kept = answers(tmp_path, without_depth, '--farthest-m', '0.5')
    assert all(m.targets for m in kept), 'a gate needs depth'
    (tmp_path / 'out').rename(tmp_path / 'kept')
    assert not any(m.targets for m in answers(tmp_path, bag, '--farthest-m', '0.5'))
    assert 'targets refused by gates (too_far)' in caplog.text
    wrong = [str(bag), str(tmp_path / 'x'), '-c', 'cut', '--nearest-m', '2', '--farthest-m', '1']
    assert main(wrong) == 2
    assert 'no target lies between nearest_m 2.0 and farthest_m 1.0' in caplog.text


@pytest.mark.parametrize(
    ('changes', 'cause', 'text'),
    [
        ({'encoding': 'bgr8'}, 'encoding', "'bgr8'"),
        ({'stamp_shift_ns': 40_000_000}, 'no_depth', 'an image gets no 3D points'),
        ({'delay_ns': 10**9}, 'no_depth', 'an image gets no 3D points'),
    ],
)
def test_depth_that_can_not_be_used_is_named_once_and_costs_no_answer(
    tmp_path, pixels, caplog, changes, cause, text
):
    caplog.set_level('INFO')
    messages = answers(tmp_path, record(tmp_path / 'in', pixels, **changes))
    assert all(m.targets for m in messages)
    assert not points(messages).size
    (warning,) = (r.message for r in caplog.records if 'an image gets no 3D' in r.message)
    assert text in warning
    assert f'{FRAMES} images without 3D points ({cause})' in caplog.text


def test_a_bag_without_depth_has_no_points_and_nothing_to_say_of_them(tmp_path, pixels, caplog):
    caplog.set_level('INFO')
    messages = answers(tmp_path, record(tmp_path / 'in', pixels, depth=False))
    assert not points(messages).size
    assert '3D' not in caplog.text


def test_a_topic_that_is_not_there_is_named(tmp_path, pixels, caplog):
    bag = record(tmp_path / 'in', pixels)
    for option, text in (
        ('--depth-topic', 'such topics are: /camera/depth, /camera/image'),
        ('--camera-info-topic', 'such topics are: /camera/camera_info'),
    ):
        caplog.clear()
        assert main([str(bag), str(tmp_path / 'out'), '-c', 'cut', *MODEL, option, '/none']) == 2
        assert f'{option}: no sensor_msgs/msg/' in caplog.text
        assert text in caplog.text
        assert not (tmp_path / 'out').exists()


def facts(**frames):
    """Return what topics hold: a topic's last word says what, and the value its frame."""
    kinds = {'image': (IMAGE, 'colour'), 'depth': (IMAGE, 'depth'), 'camera_info': (INFO, 'info')}
    found = {}
    for name, frame_id in frames.items():
        topic = '/' + name.replace('__', '/')
        found[topic] = TopicFacts(*kinds[topic.rpartition('/')[2]], frame_id)
    return found


def test_camera_info_beside_the_images_is_preferred():
    known = facts(a__depth='', a__camera_info='', b__camera_info='', b__image='')
    known['/b/image/compressed'] = known['/b/image']
    for colour in ('/b/image', '/b/image/compressed'):
        found = choose_depth(known, colour, DepthTopics())
        assert found == DepthTopics('/a/depth', '/b/camera_info')
    del known['/b/camera_info']
    assert choose_depth(known, '/b/image', DepthTopics()).camera_info == '/a/camera_info'
    wanted = DepthTopics('/b/image', '/a/camera_info')
    assert choose_depth(known, '/b/image', wanted) == wanted
    with pytest.raises(SourceError, match=r'--depth-topic: no sensor_msgs/msg/Image on'):
        choose_depth(known, '/b/image', DepthTopics('/a/camera_info'))


def test_depth_and_camera_info_are_chosen_by_frame(caplog):
    """As a RealSense records them: aligned depth is in the colour camera's frame."""
    known = facts(
        color__image='color', color__camera_info='color', aligned__depth='color',
        depth__depth='depth', depth__camera_info='depth',
    )  # fmt: skip
    found = choose_depth(known, '/color/image', DepthTopics())
    assert found == DepthTopics('/aligned/depth', '/color/camera_info')
    del known['/aligned/depth']
    assert choose_depth(known, '/color/image', DepthTopics()).depth == ''
    assert 'depth on /depth/depth (depth) is not of the frame of /color/image' in caplog.text
    assert 'choose by --depth-topic' in caplog.text
    found = choose_depth(known, '/color/image', DepthTopics(), any_frame=True)
    assert found == DepthTopics('/depth/depth', '/color/camera_info')


def test_of_several_topics_none_is_taken_and_that_is_said(caplog):
    known = facts(a__depth='', b__depth='', c__image='', a__camera_info='', b__camera_info='')
    assert choose_depth(known, '/c/image', DepthTopics()) == DepthTopics()
    assert '(/a/depth, /b/depth): choose by --depth-topic' in caplog.text
    found = choose_depth(known, '/c/image', DepthTopics('/a/depth'))
    assert found == DepthTopics('/a/depth')
    assert '(/a/camera_info, /b/camera_info): choose by --camera-info-topic' in caplog.text


def test_depth_that_is_not_read_is_named(caplog):
    known = {**facts(a__image=''), '/a/depth/theora': TopicFacts('theora/msg/Packet', '')}
    assert choose_depth(known, '/a/image', DepthTopics()) == DepthTopics()
    assert 'not read are /a/depth/theora (theora/msg/Packet)' in caplog.text


@pytest.mark.ros
def test_the_tolerance_is_the_nodes_default():
    from affordance_ros.nodes.grounding.node_config import SpatialConfig

    assert SpatialConfig().depth_tolerance_s == DEPTH_TOLERANCE_S
