# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Our messages, as rclpy and as rosbags see them."""

import array
import json

import numpy as np
import pytest

from tests.conftest import ROOT

NAMES = sorted(path.stem for path in (ROOT / 'msg').glob('*.msg'))
pytestmark = [pytest.mark.ros]


@pytest.fixture(scope='module')
def store():
    """Return a rosbags type store that knows our messages from their .msg files alone."""
    from rosbags.typesys import Stores
    from rosbags.typesys import get_types_from_msg
    from rosbags.typesys import get_typestore

    store = get_typestore(Stores.ROS2_KILTED)
    types = {}
    for name in NAMES:
        text = (ROOT / 'msg' / f'{name}.msg').read_text()
        types.update(get_types_from_msg(text, f'affordance_ros/msg/{name}'))
    store.register(types)
    return store


@pytest.mark.parametrize('name', NAMES)
def test_rosbags_type_hash_equals_rosidls(store, name):
    share = ROOT / 'install' / 'affordance_ros' / 'share' / 'affordance_ros' / 'msg'
    described = json.loads((share / f'{name}.json').read_text())
    hashes = {entry['type_name']: entry['hash_string'] for entry in described['type_hashes']}
    assert store.hash_rihs01(f'affordance_ros/msg/{name}') == hashes[f'affordance_ros/msg/{name}']


def example():
    from geometry_msgs.msg import Point

    from affordance_ros.msg import AffordanceTarget
    from affordance_ros.msg import AffordanceTargetArray

    message = AffordanceTargetArray(command='hold the mug', command_id=7)
    message.header.frame_id = 'camera'
    message.header.stamp.sec, message.header.stamp.nanosec = 12, 34
    message.image_width, message.image_height = 640, 480
    point = Point(x=0.1, y=-0.2, z=0.7)
    message.targets = [
        AffordanceTarget(x=1.5, y=2.25, score=0.75, has_point=True, point=point),
        AffordanceTarget(x=3.0, y=4.0, score=0.5),
    ]
    return message


def test_rosbags_reads_what_rclpy_writes_and_the_other_way_round(store):
    from rclpy.serialization import deserialize_message
    from rclpy.serialization import serialize_message

    from affordance_ros.msg import AffordanceTargetArray

    ours = example()
    name = 'affordance_ros/msg/AffordanceTargetArray'
    theirs = store.deserialize_cdr(serialize_message(ours), name)
    assert (theirs.command, theirs.command_id) == ('hold the mug', 7)
    assert [(t.x, t.y, t.score, t.has_point) for t in theirs.targets] == [
        (1.5, 2.25, 0.75, True),
        (3.0, 4.0, 0.5, False),
    ]
    assert theirs.targets[0].point.z == 0.7
    back = deserialize_message(bytes(store.serialize_cdr(theirs, name)), AffordanceTargetArray)
    assert back == ours


def test_our_messages_go_through_a_bag(store, tmp_path):
    from rclpy.serialization import serialize_message
    from rosbags.rosbag2 import Reader
    from rosbags.rosbag2 import StoragePlugin
    from rosbags.rosbag2 import Writer

    name = 'affordance_ros/msg/AffordanceTargetArray'
    data = serialize_message(example())
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection('/grounding/targets', name, typestore=store)
        writer.write(connection, 1_000_000_000, data)
    with Reader(tmp_path / 'bag') as reader:
        ((connection, stamp, raw),) = reader.messages()
        assert (connection.topic, connection.msgtype, stamp) == (
            '/grounding/targets',
            name,
            1_000_000_000,
        )
        assert store.deserialize_cdr(raw, name).command == 'hold the mug'


def test_images_keep_their_bytes_order_and_step(rng):
    from std_msgs.msg import Header

    from affordance_ros.image.ros_image import read_message
    from affordance_ros.nodes.messages import to_image

    header = Header(frame_id='camera')
    pixels = rng.integers(0, 256, (5, 7, 3), np.uint8)
    message = to_image(pixels[:, ::-1], 'bgr8', header=header)
    assert (message.height, message.width, message.step) == (5, 7, 21)
    assert isinstance(message.data, array.array)
    assert np.array_equal(read_message(message).pixels, pixels[:, ::-1])
    heat = rng.random((3, 4), np.float32)
    message = to_image(heat, '32FC1', header=header)
    assert (message.step, message.is_bigendian, message.header) == (16, 0, header)
    assert np.array_equal(np.frombuffer(message.data, np.float32).reshape(3, 4), heat)
