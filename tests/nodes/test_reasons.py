# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What is wrong is on ~/status and once on the log while it lasts, and goes with its cure."""

import functools

import numpy as np
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]

IMAGE = np.full((48, 64, 3), 90, np.uint8)


def message(probe, encoding):
    from affordance_ros.nodes.messages import to_image

    message = to_image(IMAGE, 'bgr8', header=probe.header())
    message.encoding = encoding
    return message


def wait_for_reason(probe, text, meanwhile=lambda: None):
    """Wait until the reason holds a text, or is empty for ''; return it."""

    def said():
        meanwhile()
        reason = probe.status[-1].reason
        return text in reason if text else not reason

    probe.spin_until(said, f'the reason {text!r}')
    return probe.status[-1].reason


def test_silence_is_said_once_on_the_log_and_on_the_status_until_it_ends(log):
    from tests.support.ros_harness import grounding_node

    with grounding_node(log) as (process, probe):
        reason = wait_for_reason(probe, 'no image has come')
        probe.spin_until(
            lambda: 'input' in probe.diagnostics and probe.diagnostics['input'].message == reason,
            'the same words in diagnostics',
        )
        reason = wait_for_reason(
            probe, 'images come and no command has', lambda: probe.send(IMAGE)
        )
        status = probe.status[-1]
        assert (status.frames_dropped, status.frames_processed) == (0, 0)
        assert status.frames_idle > 0
        probe.command('cut')
        wait_for_reason(probe, '', lambda: probe.send(IMAGE))
        for text in ('no image has come', 'images come and no command has'):
            (line,) = [one for one in process.output.splitlines() if text in one]
            assert '[WARN]' in line
        assert 'checkpoint_training' not in [v.key for v in probe.diagnostics['model'].values]


@pytest.fixture
def quick(monkeypatch):
    """Let causes of silence wait until these tests are over, which are about others."""
    from affordance_ros.nodes.grounding import diagnostics

    patient = functools.partial(diagnostics.Watchdog, silent_s=60.0, hold_s=60.0)
    monkeypatch.setattr(diagnostics, 'Watchdog', patient)


def test_bad_frames_show_their_newest_problem_and_good_ones_end_it(quick):
    from tests.support.ros_harness import grounding_inside

    with grounding_inside(task_command='cut') as probe:
        for encoding in ('nonsense', 'humbug'):
            wait_for_reason(
                probe,
                repr(encoding),
                lambda encoding=encoding: probe.images.publish(message(probe, encoding)),
            )
        wait_for_reason(probe, '', lambda: probe.send(IMAGE))
        wait_for_reason(
            probe, "'nonsense'", lambda: probe.images.publish(message(probe, 'nonsense'))
        )
        probe.command('hold')
        assert 'nonsense' in probe.status[-1].reason, 'a command cures no frames'


def test_a_rejected_command_is_over_with_the_next_one(quick):
    from std_msgs.msg import String

    from tests.support.ros_harness import grounding_inside

    with grounding_inside(task_command='cut') as probe:
        probe.commands.publish(String(data='  '))
        wait_for_reason(probe, 'command rejected')
        probe.commands.publish(String(data='cut'))
        wait_for_reason(probe, '')
        assert probe.status[-1].command_id == 1
