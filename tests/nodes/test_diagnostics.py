# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Diagnostics of the real node, each cause of silence made to happen."""

import contextlib
import socket
import time

import numpy as np
import psutil
import pytest

from tests.support.diagnosis import wait_for_cause

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]

IMAGE = np.full((48, 64, 3), 90, np.uint8)


class OtherParticipant:
    """A node with a context of its own."""

    def __init__(self):
        import rclpy

        self._context = rclpy.Context()
        self._context.init()
        self.node = rclpy.create_node('other', context=self._context)

    def close(self):
        self.node.destroy_node()
        self._context.shutdown()


def test_a_healthy_node_tells_its_rates_latency_memory_and_model(log, model):
    from diagnostic_msgs.msg import DiagnosticStatus

    from affordance_ros.runtime.latency import STAGES
    from tests.support.ros_harness import grounding_node

    with grounding_node(log, task_command='cut') as (process, probe):
        stamps = []

        def camera():
            header = probe.header()
            header.stamp = probe.node.get_clock().now().to_msg()
            stamps.append(header.stamp)
            probe.send(IMAGE, header=header)
            return (
                float(probe.diagnosed('processing', 'frames processed') or 0) > 30
                and probe.diagnosed('input', 'cause of silence') == 'none'
            )

        begin = time.monotonic()
        probe.spin_until(camera, 'thirty frames in the diagnostics')
        rate = len(stamps) / (time.monotonic() - begin)
        for status in probe.diagnostics.values():
            assert status.hardware_id == socket.gethostname()
        assert probe.diagnostics.keys() == {'input', 'processing', 'model'}
        assert probe.diagnostics['input'].level == DiagnosticStatus.OK
        assert probe.diagnostics['processing'].level == DiagnosticStatus.OK
        assert probe.diagnostics['model'].level == DiagnosticStatus.WARN  # random weights
        assert 'untrained' in probe.diagnostics['model'].message
        assert probe.diagnosed('input', 'state') == 'running'
        assert probe.diagnosed('input', 'image topic') == f'{probe.namespace}/image'
        assert 0.2 * rate < float(probe.diagnosed('input', 'rate in (Hz)')) < 2 * rate
        assert float(probe.diagnosed('processing', 'rate out (Hz)')) > 0
        times = {
            name: [
                float(probe.diagnosed('processing', f'latency {stage} {name} (ms)'))
                for stage in (*STAGES, 'total')
            ]
            for name in ('p50', 'p95')
        }
        assert all(0 <= low <= high for low, high in zip(*times.values(), strict=True))
        assert 0 < times['p50'][3] < times['p50'][-1] < 1000  # the model, and all
        resident = psutil.Process(process.process.pid).memory_info().rss / 2**20
        told = float(probe.diagnosed('model', 'memory resident (MiB)'))
        assert told == pytest.approx(resident, rel=0.1)
        assert probe.diagnosed('model', 'weights_sha256') == model.trunk.sha256
        assert probe.diagnosed('model', 'decoder_sha256') == model.describe()['decoder_sha256']
        assert probe.diagnosed('model', 'device') == 'cpu'


def test_each_cause_is_named_and_goes_away_with_its_cure(quick):
    from diagnostic_msgs.msg import DiagnosticStatus
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CompressedImage
    from sensor_msgs.msg import Image

    from affordance_ros.nodes.messages import to_image
    from tests.support.ros_harness import grounding_inside

    warn, error = DiagnosticStatus.WARN, DiagnosticStatus.ERROR
    with grounding_inside() as probe:
        topic = f'{probe.namespace}/image'
        text = wait_for_cause(probe, 'no_data', level=error)
        assert f'{probe.namespace}/probe is there' in text
        assert 'fastdds_shm.xml' in text

        probe.node.destroy_publisher(probe.images)
        text = wait_for_cause(probe, 'no_publisher', level=error)
        assert f'nobody publishes on {topic}; images are published on' in text
        assert f'{topic}/compressed' in text

        # Fast DDS takes one type for a topic in each participant, that is in each context.
        with contextlib.closing(OtherParticipant()) as other:
            other.node.create_publisher(CompressedImage, topic, 1)
            text = wait_for_cause(probe, 'wrong_type', level=error)
            assert '/other publishes sensor_msgs/msg/CompressedImage' in text

        probe.images = probe.node.create_publisher(Image, topic, qos_profile_sensor_data)
        text = wait_for_cause(probe, 'no_command', level=warn, meanwhile=lambda: probe.send(IMAGE))
        assert f'{probe.namespace}/task_command' in text

        probe.command('cut')
        broken = to_image(IMAGE, 'nonsense', header=probe.header())
        text = wait_for_cause(
            probe, 'unusable_images', level=error, meanwhile=lambda: probe.images.publish(broken)
        )
        assert 'encoding: ' in text
        assert probe.diagnostics['processing'].level == warn
        assert int(probe.diagnosed('processing', 'frames unusable: encoding')) > 0

        wait_for_cause(
            probe,
            'none',
            level=DiagnosticStatus.OK,
            meanwhile=lambda: probe.send(IMAGE),
        )


def test_a_publisher_that_can_not_be_heard_is_named_with_the_policy(log):
    from diagnostic_msgs.msg import DiagnosticStatus

    from tests.support.ros_harness import MODEL
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import Probe
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    probe = Probe()
    override = f'qos_overrides.{probe.namespace}/image.subscription.reliability'
    arguments = ros_arguments({**MODEL, override: 'reliable'}, probe.namespace)
    process = NodeProcess([executable('grounding'), *arguments], log)
    text = wait_for_cause(probe, 'incompatible_qos', level=DiagnosticStatus.ERROR)
    assert '(reliability: best effort publisher and reliable subscription)' in text
    assert process.stop() == 0, process.output
    probe.close()


def test_simulated_time_without_a_clock_is_named(quick):
    """No timer of the node's own clock runs then, and the diagnostics come all the same."""
    from diagnostic_msgs.msg import DiagnosticStatus
    from rosgraph_msgs.msg import Clock

    from tests.support.ros_harness import grounding_inside

    with grounding_inside(use_sim_time=True) as probe:
        text = wait_for_cause(probe, 'no_clock', level=DiagnosticStatus.ERROR)
        assert '/clock' in text
        clock = probe.node.create_publisher(Clock, '/clock', 1)
        message = Clock()
        message.clock.sec = 5
        wait_for_cause(
            probe,
            'no_data',
            level=DiagnosticStatus.ERROR,
            meanwhile=lambda: clock.publish(message),
        )
        probe.node.destroy_publisher(clock)


def test_stamps_of_another_clock_are_pointed_out(quick):
    from diagnostic_msgs.msg import DiagnosticStatus

    from tests.support.ros_harness import grounding_inside

    with grounding_inside(task_command='cut') as probe:

        def told():
            probe.answer_to(IMAGE)  # stamped 1970
            return 'by another one' in probe.diagnostics['processing'].message

        probe.spin_until(lambda: 'processing' in probe.diagnostics, 'diagnostics')
        probe.spin_until(told, 'a word on the stamps')
        assert probe.diagnostics['processing'].level == DiagnosticStatus.WARN


def test_a_node_that_is_not_active_is_no_fault_unless_configuring_has_failed(quick, tmp_path):
    from diagnostic_msgs.msg import DiagnosticStatus

    from tests.support.ros_harness import grounding_inside

    def wait_for(message, level):
        def told():
            messages = [status.message for status in probe.diagnostics.values()]
            return messages and all(text.startswith(message) for text in messages)

        probe.spin_until(told, message)
        assert probe.diagnostics.keys() == {'input', 'processing', 'model'}
        assert {status.level for status in probe.diagnostics.values()} == {level}
        assert float(probe.diagnosed('model', 'memory resident (MiB)')) > 1
        return probe.diagnostics['input'].message

    weights = str(tmp_path / 'none.pt')
    with grounding_inside(autostart=False, weights=weights) as probe:
        wait_for('not active: unconfigured', DiagnosticStatus.OK)
        assert not probe.transition('configure')
        text = wait_for('not active: unconfigured: ', DiagnosticStatus.WARN)
        assert 'none.pt' in text
        assert probe.diagnosed('model', 'model') == ''
        assert probe.set_parameter('weights', 'random') == (True, '')
        assert probe.transition('configure')
        wait_for('not active: inactive', DiagnosticStatus.OK)
        assert probe.diagnosed('model', 'model') == 'compact'
        assert probe.transition('activate')
        wait_for_cause(probe, 'no_data', level=DiagnosticStatus.ERROR)
        assert probe.transition('deactivate')
        wait_for('not active: inactive', DiagnosticStatus.OK)
        assert probe.diagnosed('input', 'cause of silence') == ''
        assert probe.transition('activate')
        probe.wait_until_ready()
        wait_for_cause(
            probe, 'no_command', level=DiagnosticStatus.WARN, meanwhile=lambda: probe.send(IMAGE)
        )
        assert probe.transition('shutdown')
        wait_for('not active: finalized', DiagnosticStatus.OK)
