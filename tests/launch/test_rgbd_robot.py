# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The RGB-D launch on a live camera of another namespace, and who takes its points."""

import os

import pytest

from tests.conftest import ROOT
from tests.support.launch_evaluator import evaluate

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.usefixtures('ros')]

# Written from the README's tables of outputs alone.
CONSUMER = """
import rclpy
from affordance_ros.msg import AffordanceTargetArray
from geometry_msgs.msg import PointStamped
from rclpy.node import Node


class Consumer(Node):
    def __init__(self):
        super().__init__('consumer')
        self.create_subscription(
            AffordanceTargetArray, '/robot/grounding/targets', self.on_targets, 10)
        self.create_subscription(
            PointStamped, '/robot/grounding/target_point', self.on_point, 10)

    def on_targets(self, message):
        points = [t.has_point for t in message.targets]
        print(f'{message.command}: {len(points)} targets, {sum(points)} points', flush=True)

    def on_point(self, message):
        p = message.point
        print(f'grasp in {message.header.frame_id}: {p.x:.3f} {p.y:.3f} {p.z:.3f}', flush=True)


rclpy.init()
rclpy.spin(Consumer())
"""


def test_a_consumer_gets_points_of_a_live_camera_in_the_robots_frame(log, tmp_path):
    from geometry_msgs.msg import TransformStamped
    from rclpy.qos import DurabilityPolicy
    from rclpy.qos import QoSProfile
    from tf2_msgs.msg import TFMessage

    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import Probe
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    probe = Probe('/robot')
    static = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    mount = TransformStamped(child_frame_id='camera_optical_frame')
    mount.header.frame_id = 'base_link'
    mount.transform.translation.x = 100.0
    mount.transform.rotation.w = 1.0
    robot = probe.node.create_publisher(TFMessage, '/tf_static', static)
    robot.publish(TFMessage(transforms=[mount]))

    arguments = {
        'image': '/head/image',
        'depth': '/head/depth',
        'namespace': 'robot',
        'target_frame': 'base_link',
        'command': 'hold the mug',
    }
    launched = evaluate(
        ROOT / 'launch' / 'rgbd.launch.py',
        arguments,
        share={'affordance_ros': str(ROOT)},
        environment=dict(os.environ),
    )
    (node,) = launched.nodes
    program = tmp_path / 'consumer.py'
    program.write_text(CONSUMER)
    camera = [
        '-m', 'affordance_ros_tabletop.camera_node',
        *ros_arguments({'objects': ['mug', 'knife'], 'rate_hz': 5.0}, '/head'),
    ]  # fmt: skip
    processes = [
        NodeProcess(camera, tmp_path / 'camera.log'),
        NodeProcess([executable('grounding'), *node.ros_arguments], log),
        NodeProcess([program], tmp_path / 'consumer.log'),
    ]
    consumer = processes[-1]
    try:
        probe.spin_until(
            lambda: consumer.output.count('grasp in base_link') >= 5, 'points', timeout_s=120
        )
        grasps = [one for one in consumer.output.splitlines() if one.startswith('grasp in')]
        assert all(99 < float(one.split()[3]) < 101 for one in grasps), 'not in the target frame'
        assert 'hold the mug: ' in consumer.output
        probe.spin_until(lambda: not probe.status[-1].reason, 'nothing to be wrong')
        assert probe.status[-1].frames_unusable == 0
    finally:
        for process in processes:
            process.process.kill() if process is consumer else process.stop()
        probe.close()
