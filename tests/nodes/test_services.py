# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The services of the grounding node: commands on one image, and commands with an answer."""

import signal
import time

import numpy as np
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]

COMMANDS = ['hold the mug', 'cut', 'open']


def ground(probe, **request):
    from affordance_ros.srv import Ground

    futures = []

    def ask():
        futures.append(probe.begin(Ground, 'ground', **request))

    ask()
    probe.spin_until(lambda: any(f.done() for f in futures), 'the answer of ground', again=ask)
    return next(f for f in futures if f.done()).result()


def begin_to_ground(probe, **request):
    from affordance_ros.srv import Ground

    return probe.begin(Ground, 'ground', **request)


def wait_until_heard(probe):
    """Wait until the node has taken the requests sent before: one client's are taken in order."""
    assert 'deadline' in ground(probe, commands=['cut'], deadline_s=1e-3).reason


def set_command(probe, command):
    from affordance_ros.srv import SetCommand

    return probe.call(SetCommand, 'set_command', command=command)


def hold_answers(response, header, predictor, photo, *, with_heatmaps):
    """Hold an answer against the tests' own predictor."""
    assert (response.success, response.reason) == (True, '')
    predictor.set_commands(COMMANDS)
    expected = predictor.predict_all(photo, channels='bgr')
    assert [answer.command for answer in response.answers] == COMMANDS
    for answer, grounding in zip(response.answers, expected, strict=True):
        assert (answer.header, answer.command_id) == (header, 0)
        assert (answer.image_height, answer.image_width) == photo.shape[:2]
        heard = np.array([(t.x, t.y, t.score) for t in answer.targets])
        targets = np.array([(t.x, t.y, t.score) for t in grounding.targets])
        assert len(targets)
        assert np.allclose(heard, targets, atol=1e-3)
    assert len(response.heatmaps) == (len(COMMANDS) if with_heatmaps else 0)
    for heatmap, grounding in zip(response.heatmaps, expected, strict=False):
        assert (heatmap.header, heatmap.encoding) == (header, '32FC1')
        array = np.frombuffer(heatmap.data, np.float32).reshape(photo.shape[:2])
        assert np.abs(array - grounding.heatmap).max() <= 1e-5


def test_several_commands_are_grounded_in_an_image_given(log, predictor, photos):
    """Without a camera and without a command in force."""
    from affordance_ros.nodes.messages import to_image
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    with grounding_node(log) as (_, probe):
        image = to_image(photo, 'bgr8', header=probe.header())
        response = ground(probe, commands=COMMANDS, image=image, with_heatmaps=True)
        hold_answers(response, image.header, predictor, photo, with_heatmaps=True)
        assert not probe.targets, 'an answer of the service went to the topic'


def test_the_next_frame_is_grounded_and_the_command_in_force_stays(log, predictor, photos):
    from tests.support.ros_harness import grounding_node

    photo, other = list(photos.values())[:2]
    with grounding_node(log, task_command='cut') as (_, probe):
        before = probe.answer_to(other)
        future = begin_to_ground(probe, commands=COMMANDS, deadline_s=60.0)
        wait_until_heard(probe)
        assert not future.done(), 'an old frame was used'
        answer = probe.answer_to(photo)
        probe.spin_until(future.done, 'the answer')
        hold_answers(future.result(), answer.header, predictor, photo, with_heatmaps=False)
        again = probe.answer_to(other)
        for message in (before, answer, again):
            assert (message.command, message.command_id) == ('cut', 1)
        for target in (*before.targets, *again.targets):
            target.track_id = 0  # another scene lay between: its things are numbered anew
        assert again.targets == before.targets
        # Or the request would have taken a frame away, or have been counted as one.
        assert probe.counted().command == 'cut'


def test_frames_and_commands_go_on_while_requests_wait(log, photos):
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    with grounding_node(log) as (_, probe):
        futures = [
            begin_to_ground(probe, commands=[command], deadline_s=60.0) for command in COMMANDS
        ]
        wait_until_heard(probe)
        assert set_command(probe, 'cut').accepted, 'the executor waits'
        assert probe.command('hold the mug') == 2
        assert not any(future.done() for future in futures)
        assert probe.answer_to(photo).command == 'hold the mug'
        probe.spin_until(lambda: all(future.done() for future in futures), 'all the answers')
        assert [f.result().answers[0].command for f in futures] == COMMANDS


def test_a_deadline_that_passes_is_answered_with_a_reason(log, photos):
    from affordance_ros.nodes.messages import to_image
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    with grounding_node(log, task_command='cut') as (_, probe):
        begin = time.monotonic()
        response = ground(probe, commands=['cut'], deadline_s=0.5)
        assert 0.5 <= time.monotonic() - begin < 5.0
        assert not response.success
        assert response.reason.startswith('the deadline of 0.5 s has passed: no image came')
        image = to_image(photo, 'bgr8', header=probe.header())
        response = ground(probe, commands=['open'], image=image, deadline_s=1e-3)
        assert not response.success
        assert response.reason.endswith('the model was not done with the image')
        assert probe.answer_to(photo).targets, 'the node goes on'


@pytest.mark.parametrize(
    ('request_fields', 'reason'),
    [
        ({'commands': []}, '0 commands came; give at least one and at most 64'),
        ({'commands': ['cut'] * 65}, '65 commands came'),
        ({'commands': ['cut', '  ']}, "command '  ' rejected: the command is blank"),
        ({'commands': ['cut'], 'deadline_s': 0.0}, 'deadline_s 0 must be more than 0'),
        ({'commands': ['cut'], 'deadline_s': float('nan')}, 'deadline_s nan must be'),
    ],
)
def test_what_can_not_be_grounded_is_refused_by_name(shared_node, request_fields, reason):
    response = ground(shared_node, **request_fields)
    assert not response.success
    assert reason in response.reason
    assert not response.answers


def test_an_image_that_can_not_be_read_is_refused_by_name(shared_node, photos):
    from affordance_ros.nodes.messages import to_image

    photo = next(iter(photos.values()))
    image = to_image(photo, 'bgr8', header=shared_node.header())
    image.encoding = 'jpg'
    response = ground(shared_node, commands=['cut'], image=image)
    assert not response.success
    assert "'jpg'" in response.reason
    image.encoding, image.width = 'yuv422', photo.shape[1] - 1
    response = ground(shared_node, commands=['cut'], image=image, deadline_s=60.0)
    assert not response.success
    assert 'could not be used' in response.reason and 'even width' in response.reason


def test_set_command_answers_as_the_topic_would_act(shared_node):
    accepted = set_command(shared_node, 'drink_with')
    assert (accepted.accepted, accepted.reason) == (True, '')
    shared_node.spin_until(
        lambda: shared_node.status[-1].command_id == accepted.command_id, 'the command'
    )
    assert shared_node.status[-1].command == 'drink with'
    rejected = set_command(shared_node, '...')
    assert (rejected.accepted, rejected.command_id) == (False, 0)
    assert 'blank' in rejected.reason
    shared_node.spin_until(lambda: 'blank' in shared_node.status[-1].reason, 'the rejection')
    assert shared_node.status[-1].command == 'drink with'
    warned = set_command(shared_node, '切る')
    assert warned.accepted and 'trained on English' in warned.reason
    assert warned.command_id == accepted.command_id + 1


@pytest.fixture(scope='module')
def shared_node(tmp_path_factory, ros):
    """A node for the tests that leave it as they found it."""
    from tests.support.ros_harness import grounding_node

    with grounding_node(tmp_path_factory.mktemp('shared') / 'node.log') as (_, probe):
        yield probe


def test_a_node_that_is_not_active_says_what_to_do(log, photos):
    from affordance_ros.msg import GroundingStatus
    from tests.support.ros_harness import grounding_node

    with grounding_node(log, autostart=False) as (_, probe):
        name = f'{probe.namespace}/grounding'
        both = f'ros2 lifecycle set {name} configure, ros2 lifecycle set {name} activate'
        assert ground(probe, commands=['cut']).reason.endswith(f'not active: {both}')
        assert set_command(probe, 'cut').reason.endswith(both)
        assert probe.transition('configure')
        probe.spin_until(
            lambda: probe.status[-1].state == GroundingStatus.INACTIVE, 'the model to be loaded'
        )
        one = f'not active: ros2 lifecycle set {name} activate'
        assert ground(probe, commands=['cut']).reason.endswith(one)
        assert set_command(probe, 'cut').reason.endswith(one)
        assert probe.transition('activate')
        assert set_command(probe, 'cut').accepted
        future = begin_to_ground(probe, commands=['cut'], deadline_s=60.0)
        wait_until_heard(probe)
        assert probe.transition('deactivate')
        probe.spin_until(future.done, 'the end of the wait')
        assert future.result().reason.endswith(one)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_who_waits_is_answered_when_the_node_is_stopped(log, number):
    from tests.support.ros_harness import grounding_node

    with grounding_node(log) as (process, probe):
        futures = [begin_to_ground(probe, commands=['cut'], deadline_s=60.0) for _ in range(3)]
        wait_until_heard(probe)
        process.process.send_signal(number)
        probe.spin_until(lambda: all(future.done() for future in futures), 'the answers')
        assert {future.result().reason for future in futures} == {'the node was shut down'}
        assert process.stop(number) == 0
        assert 'Traceback' not in process.output
