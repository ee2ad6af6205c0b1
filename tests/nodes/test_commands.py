# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Commands, parameters and status of the node."""

import itertools
import threading

import numpy as np
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]


def test_never_the_old_commands_heatmap_under_the_new_id(log, predictor, photos):
    """Alternate commands under load: each heatmap is its own command's, ids never go back."""
    from std_msgs.msg import String

    from affordance_ros.nodes.messages import to_image
    from tests.support.ros_harness import grounding_node

    photo = np.ascontiguousarray(next(iter(photos.values()))[::2, ::2])
    expected = {}
    for command in ('cut', 'hold'):
        predictor.set_command(command)
        expected[command] = predictor.predict(photo, channels='bgr').heatmap
    assert np.abs(expected['cut'] - expected['hold']).max() > 0.05
    with grounding_node(log, heatmaps=True) as (_, probe):
        stop = threading.Event()

        def camera():
            message = to_image(photo, 'bgr8', header=probe.header())
            while not stop.wait(1 / 60):
                message.header = probe.header()
                probe.images.publish(message)

        thread = threading.Thread(target=camera)
        thread.start()
        try:
            acknowledged = []  # (number, frames sent when the node said that it was in force)
            for number, command in zip(
                range(1, 41), itertools.cycle(['cut', 'hold']), strict=False
            ):
                probe.commands.publish(String(data=command))
                probe.spin_until(
                    lambda number=number: probe.status[-1].command_id == number, 'the command'
                )
                acknowledged.append((number, probe.serial))
                count = len(probe.targets)
                probe.spin_until(lambda count=count: len(probe.targets) >= count + 2, 'answers')
        finally:
            stop.set()
            thread.join()
        probe.spin_until(lambda: len(probe.heatmaps) == len(probe.targets), 'the last heatmap')
        ids = [answer.command_id for answer in probe.targets]
        assert ids == sorted(ids)
        assert set(range(1, 41)) <= set(ids)
        by_stamp = {(h.header.stamp.sec, h.header.stamp.nanosec): h for h in probe.heatmaps}
        for answer in probe.targets:
            command = 'cut' if answer.command_id % 2 else 'hold'
            assert answer.command == command
            stamp = answer.header.stamp
            heatmap = by_stamp[(stamp.sec, stamp.nanosec)]
            array = np.frombuffer(heatmap.data, np.float32).reshape(photo.shape[:2])
            assert np.abs(array - expected[command]).max() <= 1e-6
        # The next frame after the acknowledgement already has the new number.
        for number, sent in acknowledged:
            for answer in probe.targets:
                serial = (answer.header.stamp.sec - 1000) * 1000 + answer.header.stamp.nanosec
                assert serial <= sent or answer.command_id >= number


def test_bad_commands_are_rejected_by_name_and_the_old_one_stays(log, photos):
    from std_msgs.msg import String

    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    with grounding_node(log) as (_, probe):
        probe.command('cut')
        for text, reason in (
            ('   ', 'blank'),
            ('x' * 300, '300 characters'),
            ('mug ' * 40, '40 tokens'),
            ('cu\x07t', r'U+0007'),
        ):
            count = len(probe.status)
            probe.commands.publish(String(data=text))
            probe.spin_until(
                lambda count=count, reason=reason: any(
                    reason in status.reason for status in probe.status[count:]
                ),
                f'the rejection of {text!r}',
            )
            assert (probe.status[-1].command, probe.status[-1].command_id) == ('cut', 1)
        assert probe.answer_to(photo).command == 'cut'
        probe.command('切る')
        assert 'trained on English' in probe.status[-1].reason


def test_status_goes_through_its_states_and_is_latched(log, photos):
    from affordance_ros.msg import GroundingStatus
    from tests.support.ros_harness import Probe
    from tests.support.ros_harness import grounding_node

    with grounding_node(log) as (_, probe):
        assert probe.status[-1].state == GroundingStatus.WAITING_FOR_COMMAND
        assert not probe.status[-1].trained
        assert 'compact' in probe.status[-1].model
        assert 'training-free' in probe.status[-1].decoder
        assert probe.status[-1].device == 'torch f32 on cpu'
        probe.command('cut')
        assert probe.status[-1].state == GroundingStatus.WAITING_FOR_IMAGE
        probe.answer_to(next(iter(photos.values())))
        probe.spin_until(
            lambda: probe.status[-1].state == GroundingStatus.RUNNING, 'the running state'
        )
        late = Probe(probe.namespace)
        late.spin_until(lambda: late.status, 'the latched status')
        assert (late.status[-1].command, late.status[-1].state) == ('cut', GroundingStatus.RUNNING)
        late.close()


def test_a_frame_that_came_before_the_command_is_answered(log, photos):
    from tests.support.ros_harness import grounding_node

    with grounding_node(log) as (_, probe):
        photo = next(iter(photos.values()))
        header = probe.send(photo)
        probe.spin_until(
            lambda: probe.status[-1].frames_received > 0,
            'the frame',
            again=lambda: probe.send(photo, header=header),
        )
        probe.command('cut')
        probe.spin_until(lambda: probe.targets, 'the answer')
        assert probe.targets[0].header == header


def test_live_parameters_act_on_the_next_frame_and_bad_values_are_refused(log, photos):
    from rcl_interfaces.msg import ParameterType
    from rcl_interfaces.srv import DescribeParameters

    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    with grounding_node(log, task_command='cut', min_prominence=0.2) as (_, probe):
        change = probe.set_parameter
        assert len(probe.answer_to(photo).targets) > 1
        assert change('max_targets', 1) == (True, '')
        verb = probe.answer_to(photo).targets
        assert len(verb) == 1
        assert change('prompt_set', 'ensemble') == (True, '')
        assert probe.answer_to(photo).targets != verb
        assert change('min_score', 1.0) == (True, '')
        assert not probe.answer_to(photo).targets
        for name, value, reason in (
            ('prompt_set', 'nonsense', "'nonsense' is neither a known name nor a file"),
            ('min_score', 1.5, 'range'),
            ('min_distance_px', -1.0, 'range'),
            ('max_targets', 0, 'range'),
            ('model', 'RN50', 'model: read when the node is configured; clean up first'),
            ('device', 'cuda', 'device: read when'),
            ('image_transport', 'compressed', 'image_transport: read when'),
            ('autostart', False, 'read-only'),
        ):
            accepted, text = change(name, value)
            assert not accepted
            assert reason in text.lower().replace('readonly', 'read-only'), (name, text)
        request = {'names': ['min_score']}
        described = probe.call(DescribeParameters, 'describe_parameters', **request).descriptors[0]
        assert described.type == ParameterType.PARAMETER_DOUBLE
        assert described.floating_point_range[0].to_value == 1.0
        assert described.description


@pytest.mark.parametrize(
    ('parameters', 'message'),
    [
        ({'model': 'RN7'}, "model 'RN7' is unknown; known are household, compact"),
        ({'weights': '/no/such.pt'}, 'such.pt'),
        ({'checkpoint': '/no/such.safetensors'}, 'does not exist'),
        ({'device': 'cuda:77'}, "'cuda:77' is not there"),
        ({'image_transport': 'theora'}, "'theora' is unknown; known are raw, compressed"),
        ({'input_size': 100}, 'multiple of 32'),
        ({'prompt_set': 'nonsense'}, "'nonsense' is neither a file nor"),
    ],
)
def test_what_can_not_work_is_refused_at_the_start(log, parameters, message):
    from tests.support.ros_harness import MODEL
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    arguments = ros_arguments({**MODEL, **parameters})
    process = NodeProcess([executable('grounding'), *arguments], log)
    assert process.process.wait(60) == 1
    assert message in process.output
    assert 'Traceback' not in process.output
