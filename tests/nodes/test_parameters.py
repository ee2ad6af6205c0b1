# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Parameters as people give them: on YAML's terms, twice, and wrong."""

import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]


@pytest.mark.parametrize(
    ('value', 'default', 'expected'),
    [(5, 10.0, 5.0), (0, '0', '0'), (1.5, '', '1.5'), (False, '', 'off'), (True, '', 'on'),
     (5.0, 3, 5), (1, True, True), ('a', 'b', 'a'), (0.5, 1.0, 0.5)],
)  # fmt: skip
def test_a_plain_value_is_taken_as_what_the_parameter_is(value, default, expected):
    from affordance_ros.nodes.declare import to_declared

    taken = to_declared('name', value, default)
    assert taken == expected
    assert type(taken) is type(expected)


@pytest.mark.parametrize(
    ('value', 'default', 'wanted'),
    [('fast', 10.0, 'a number'), (True, 10.0, 'a number'), (True, 3, 'a whole number'),
     (5.5, 3, 'a whole number'), ('yes', True, 'true or false'), (2, True, 'true or false'),
     ([1], '', 'a text')],
)  # fmt: skip
def test_a_value_without_plain_meaning_is_refused(value, default, wanted):
    from affordance_ros.nodes.declare import to_declared

    with pytest.raises(ValueError, match=f'^name: .* is not {wanted}$'):
        to_declared('name', value, default)


def run(name, log, *arguments):
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import executable

    return NodeProcess([executable(name), '--ros-args', *arguments], log)


def test_the_camera_plays_a_number_at_a_whole_rate(log):
    """As its own message proposes: source:=0. No webcam is needed to see that it was read."""
    node = run('camera', log, '-p', 'source:=0', '-p', 'rate_hz:=5')
    node.process.wait(60) if '/dev/video0' not in node.output else node.stop()
    assert 'Traceback' not in node.output
    assert 'Expected type' not in node.output and 'rate_hz' not in node.output


@pytest.mark.parametrize(
    ('name', 'argument', 'said'),
    [
        ('camera', 'rate_hz:=fast', "rate_hz: 'fast' is not a number"),
        ('camera', 'rate_hz:=0', 'rate_hz: 0.0 is out of the range 0.1 to 1000'),
        ('grounding', 'max_targets:=many', "max_targets: 'many' is not a whole number"),
        ('grounding', 'min_score:=2', 'min_score: 2.0 is out of the range 0 to 1'),
    ],
)
def test_a_wrong_value_is_named_in_one_line(log, name, argument, said):
    node = run(name, log, '-p', argument)
    assert node.process.wait(60) == 1
    (line,) = node.output.strip().splitlines()
    assert said in line


def test_values_as_yaml_reads_them_and_values_that_are_set_already(log):
    """At the start and later; what is set again is not a change, even if changes are refused."""
    from rcl_interfaces.srv import DescribeParameters

    from tests.support.ros_harness import grounding_node

    given = {'cache_dir': False, 'min_score': 0, 'max_rate_hz': 5, 'task_command': 7}
    with grounding_node(log, **given) as (_, probe):
        probe.spin_until(lambda: probe.status[-1].command == '7', 'the command of digits')
        assert probe.set_parameter('min_score', 1) == (True, '')
        accepted, reason = probe.set_parameter('min_score', 'high')
        assert not accepted and reason
        assert probe.set_parameter('model', 'compact') == (True, '')
        assert probe.set_parameter('cache_dir', 'off') == (True, '')
        accepted, reason = probe.set_parameter('model', 'tabletop')
        assert not accepted and 'clean up first' in reason
        names = ['model', 'min_score', 'autostart']
        described = probe.call(DescribeParameters, 'describe_parameters', names=names)
        for descriptor, said in zip(
            described.descriptors,
            ('read when the node is configured', 'at any time', 'at the start'),
            strict=True,
        ):
            assert said in descriptor.additional_constraints, descriptor.name


def test_the_same_command_again_changes_nothing(log, photos):
    """Many publish theirs at 5 Hz. A service call still renews it."""
    from std_msgs.msg import String

    from affordance_ros.srv import SetCommand
    from tests.support.ros_harness import grounding_node

    with grounding_node(log) as (process, probe):
        number = probe.command('hold the mug')
        for text in ('', *['hold  the mug'] * 5):  # a rejection in between is over then
            probe.commands.publish(String(data=text))
        probe.spin_until(lambda: any('blank' in s.reason for s in probe.status), 'a rejection')
        probe.spin_until(lambda: not probe.status[-1].reason, 'the end of the rejection')
        assert probe.answer_to(next(iter(photos.values()))).command_id == number
        assert process.output.count("'hold the mug'") == 1
        renewed = probe.call(SetCommand, 'set_command', command='hold the mug')
        assert renewed.accepted and renewed.command_id == number + 1
