# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Commands and camera_info are heard from publishers that keep them and from those that don't."""

import numpy as np
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]


def test_what_was_published_before_the_node_was_there_is_heard_and_nothing_twice(log):
    from rclpy.qos import DurabilityPolicy
    from rclpy.qos import QoSProfile
    from sensor_msgs.msg import CameraInfo
    from std_msgs.msg import String

    from affordance_ros.nodes.messages import to_camera_info
    from tests.support.ros_harness import MODEL
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import Probe
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    probe = Probe()
    commands = probe.node.create_publisher(String, 'task_command', latched)
    commands.publish(String(data='cut'))
    infos = probe.node.create_publisher(CameraInfo, 'camera_info', latched)
    infos.publish(to_camera_info(np.eye(3), (480, 640), header=probe.header()))
    process = NodeProcess([executable('grounding'), *ros_arguments(MODEL, probe.namespace)], log)
    probe.spin_until(lambda: probe.status and probe.status[-1].command == 'cut', 'the command')
    probe.spin_until(
        lambda: probe.diagnosed('input', 'camera infos received') == '1', 'camera_info, once'
    )
    probe.spin_until(lambda: commands.get_subscription_count() == 2, 'both subscriptions')
    # Alternating, one that came twice would be put in force again.
    for number, text in enumerate(('hold', 'cut', 'hold', 'cut', 'open'), start=2):
        commands.publish(String(data=text))
        probe.spin_until(lambda n=number: probe.status[-1].command_id == n, text)
    probe.commands.publish(String(data='pour'))  # by a volatile publisher
    probe.spin_until(lambda: probe.status[-1].command == 'pour', 'the other publisher')
    assert probe.status[-1].command_id == 7
    assert process.stop() == 0, process.output
    probe.close()


def test_parameters_override_the_durability_of_every_input(log):
    from rclpy.qos import DurabilityPolicy

    from tests.support.ros_harness import MODEL
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import Probe
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    probe = Probe()
    topics = [f'{probe.namespace}/{name}' for name in ('image', 'depth', 'camera_info')]
    topics.append(f'{probe.namespace}/task_command')
    overrides = {f'qos_overrides.{t}.subscription.durability': 'transient_local' for t in topics}
    process = NodeProcess(
        [executable('grounding'), *ros_arguments({**MODEL, **overrides}, probe.namespace)], log
    )

    def durabilities():
        return [
            [info.qos_profile.durability for info in found]
            for found in map(probe.node.get_subscriptions_info_by_topic, topics)
        ]

    probe.spin_until(
        lambda: durabilities() == [[DurabilityPolicy.TRANSIENT_LOCAL]] * 4, 'the durability'
    )
    assert process.stop() == 0, process.output
    probe.close()
