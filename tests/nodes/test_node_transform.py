# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Points in a target frame, by transforms that are heard on /tf and /tf_static over DDS."""

import sys
import threading

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.spatial.transform import Slerp

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]

# Of the camera on the arm, which stands still, and of the arm on the base at two moments.
MOUNT = Rotation.from_euler('xyz', [-90, 0, -90], degrees=True), np.array([0.1, 0.0, 0.5])
BEFORE_S, AFTER_S = 2000.0, 2001.0
BEFORE = Rotation.from_euler('z', 10, degrees=True), np.array([1.0, 0.0, 0.2])
AFTER = Rotation.from_euler('zy', [70, 20], degrees=True), np.array([1.5, -0.4, 0.2])


def arm_at(share):
    """Return where the arm is between the two moments, by scipy."""
    turns = Rotation.from_quat([BEFORE[0].as_quat(), AFTER[0].as_quat()])
    return Slerp([0, 1], turns)(share), (1 - share) * BEFORE[1] + share * AFTER[1]


class Broadcaster:
    """Publishes transforms as robot_state_publisher does."""

    def __init__(self, node):
        from rclpy.qos import DurabilityPolicy
        from rclpy.qos import QoSProfile
        from tf2_msgs.msg import TFMessage

        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.static = node.create_publisher(TFMessage, '/tf_static', latched)
        self.moving = node.create_publisher(TFMessage, '/tf', 100)

    def send(self, publisher, parent, child, motion, seconds=0.0):
        from geometry_msgs.msg import TransformStamped
        from tf2_msgs.msg import TFMessage

        from tests.support.rgbd_camera import stamped

        one = TransformStamped(header=stamped(seconds, parent), child_frame_id=child)
        for field, numbers in (
            (one.transform.rotation, motion[0].as_quat()),
            (one.transform.translation, motion[1]),
        ):
            for name, number in zip('xyzw', numbers.tolist(), strict=False):
                setattr(field, name, number)
        publisher.publish(TFMessage(transforms=[one]))

    def send_arm(self):
        for seconds, motion in ((BEFORE_S, BEFORE), (AFTER_S, AFTER)):
            self.send(self.moving, 'base', 'arm', motion, seconds)


@pytest.fixture
def image(photos):
    return cv2.resize(next(iter(photos.values())), (640, 480))  # as the camera's matrix


def test_a_point_is_moved_as_the_frames_stood_at_the_images_stamp(log, image):
    from std_msgs.msg import Header
    from visualization_msgs.msg import MarkerArray

    from tests.support.rgbd_camera import RgbdCamera
    from tests.support.rgbd_camera import plane_depth
    from tests.support.rgbd_camera import stamped
    from tests.support.rgbd_camera import to_array
    from tests.support.ros_harness import grounding_node

    depth = plane_depth(image.shape[:2])
    options = {'task_command': 'cut', 'depth_wait_s': 1.0, 'target_frame': 'base'}
    with grounding_node(log, lossless=True, **options) as (_, probe):
        camera, robot = RgbdCamera(probe), Broadcaster(probe.node)
        balls = []  # of the best target

        def on_markers(message):
            balls.extend([m for m in message.markers if m.ns == 'targets'][:1])

        probe.node.create_subscription(MarkerArray, 'grounding/markers', on_markers, 10)

        def frame(header):
            """Send a frame of the camera; return its answer."""
            return camera.answer_to(image, depth, header=header)

        # Nothing is on /tf: named after a few frames, and the targets have their points.
        camera.wait_until_heard()
        probe.spin_until(robot.moving.get_subscription_count, '/tf to be heard')
        moments = iter(np.arange(1000.0, 1100.0))

        def named(text):
            answer = frame(stamped(next(moments)))
            assert answer.targets
            return text in probe.status[-1].reason

        unknown = "from 'camera' to target_frame 'base' at the image's stamp: nothing is known of"
        probe.spin_until(lambda: named(unknown), 'the unknown frame to be named')

        # A static mount; the arm between two transforms.
        def send_transforms():
            robot.send(robot.static, 'arm', 'camera', MOUNT)
            robot.send_arm()

        send_transforms()
        for share in (0.5, 0.25, 0.0, 1.0):
            header = stamped(BEFORE_S + share * (AFTER_S - BEFORE_S))

            def heard(header=header):
                frame(header)
                return all(
                    found and found[-1].header == Header(stamp=header.stamp, frame_id='base')
                    for found in (camera.points, camera.poses, balls)
                )

            probe.spin_until(heard, f'point, pose and markers at {share}', again=send_transforms)
            best = probe.targets[-1].targets[0]
            turn, shift = arm_at(share)
            on_arm = MOUNT[0].apply(to_array(best.point)) + MOUNT[1]
            expected = turn.apply(on_arm) + shift
            for place in (
                camera.points[-1].point, camera.poses[-1].pose.position, balls[-1].pose.position,
            ):  # fmt: skip
                np.testing.assert_allclose(to_array(place), expected, atol=1e-6)
        again = stamped(BEFORE_S + 0.5)
        probe.spin_until(
            lambda: frame(again) and not probe.status[-1].reason, 'the cured fault to be forgotten'
        )

        # Transforms that are too old: no point, and by how much they are is named.
        moments = iter(np.arange(AFTER_S + 2, AFTER_S + 100))
        probe.spin_until(
            lambda: named("newest transform of frame 'arm' is "), 'the old transforms to be named'
        )
        assert ' s older' in probe.status[-1].reason
        assert probe.counted().frames_unusable == 0
        assert all(point.header.stamp.sec <= AFTER_S for point in camera.points)


@pytest.fixture
def transformer(ros, monkeypatch):
    """Return a transformer of a node that is spun in a thread, and a broadcaster."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    from affordance_ros.nodes.grounding import transform

    monkeypatch.setattr(transform, '_WAIT_S', 20.0)
    node, sender = rclpy.create_node('listener'), rclpy.create_node('robot')
    found = transform.FrameTransformer(node, 'base')
    found.listen()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    yield found, Broadcaster(sender)
    executor.shutdown()
    thread.join()
    found.stop()
    node.destroy_node()
    sender.destroy_node()


def test_a_transform_that_comes_after_its_image_is_waited_for(transformer):
    from tests.support.rgbd_camera import stamped

    look_up, robot = transformer[0].look_up, transformer[1]
    found = []
    header = stamped(0.5 * (BEFORE_S + AFTER_S))
    thread = threading.Thread(target=lambda: found.append(look_up(header)))
    thread.start()
    robot.send(robot.static, 'arm', 'camera', MOUNT)
    while thread.is_alive():
        robot.send_arm()
        thread.join(0.1)
    turn, shift = arm_at(0.5)
    expected = turn.apply(MOUNT[1]) + shift
    np.testing.assert_allclose(found[0].motion.shift, expected, atol=1e-9)
    assert found[0].header.frame_id == 'base'


def test_what_is_no_transform_is_ignored(transformer):
    from tests.support.rgbd_camera import stamped

    look_up, robot = transformer[0].look_up, transformer[1]
    for bad in (
        ('base', 'camera', (Rotation.identity(), np.array([np.nan, 0, 0]))),
        ('camera', 'camera', (Rotation.identity(), np.zeros(3))),
    ):
        robot.send(robot.static, *bad)
    thread = threading.Thread(target=lambda: found.append(look_up(stamped(1.0))))
    found = []
    thread.start()
    while thread.is_alive():
        robot.send(robot.static, 'base', 'camera', (Rotation.identity(), np.ones(3)))
        thread.join(0.1)
    assert found[0].motion.shift.tolist() == [1, 1, 1]


def test_without_tf2_a_target_frame_is_refused_by_name(monkeypatch):
    from rclpy.parameter import Parameter

    from affordance_ros.nodes.grounding.node import GroundingNode
    from affordance_ros.nodes.run import StartupError
    from tests.support.ros_harness import MODEL

    monkeypatch.setitem(sys.modules, 'tf2_ros', None)
    monkeypatch.setitem(sys.modules, 'tf2_msgs.msg', None)
    parameters = {**MODEL, 'target_frame': 'base'}
    node = GroundingNode(
        parameter_overrides=[Parameter(n, value=v) for n, v in parameters.items()]
    )
    with pytest.raises(StartupError, match="target_frame 'base' needs tf2_ros or tf2_msgs"):
        node.bring_up()
    assert node.set_parameters([Parameter('target_frame', value='')])[0].successful
    node.bring_up()
    node.destroy_node()


def test_the_message_is_that_of_geometry2():
    """By the hash of the type, which every ROS 2 node compares."""
    import json

    from rosbags.typesys import Stores
    from rosbags.typesys import get_typestore

    from tests.conftest import ROOT

    path = ROOT / 'install' / 'tf2_msgs' / 'share' / 'tf2_msgs' / 'msg' / 'TFMessage.json'
    if not path.exists():
        pytest.skip('tf2_msgs is not built here: it comes from apt')
    hashes = {
        h['type_name']: h['hash_string'] for h in json.loads(path.read_text())['type_hashes']
    }
    expected = get_typestore(Stores.ROS2_JAZZY).hash_rihs01('tf2_msgs/msg/TFMessage')
    assert hashes['tf2_msgs/msg/TFMessage'] == expected
