# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Frames that are lost on the way to the node are noticed by their stamps and named."""

import functools
import itertools

import numpy as np
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]

IMAGE = np.full((48, 64, 3), 90, np.uint8)
PERIOD_S = 1 / 30


def test_a_camera_of_which_half_the_frames_come_is_named_with_the_cure(monkeypatch, rng):
    from diagnostic_msgs.msg import DiagnosticStatus

    from affordance_ros.nodes.grounding import diagnostics
    from tests.support.rgbd_camera import stamped
    from tests.support.ros_harness import grounding_inside

    quick = functools.partial(diagnostics.Watchdog, silent_s=0.5, stuck_s=5.0, hold_s=0.3)
    monkeypatch.setattr(diagnostics, 'Watchdog', quick)
    monkeypatch.setattr(diagnostics, '_PERIOD_S', 0.1)
    with grounding_inside(task_command='cut') as probe:
        frames = itertools.count(1)

        def camera(share):
            """Send the next frame that gets through, by the camera's own clock."""
            number = next(n for n in frames if rng.random() < share)
            probe.send(IMAGE, header=stamped(1000 + number * PERIOD_S))

        def named(cause, share):
            camera(share)
            return probe.diagnosed('input', 'cause of silence') == cause

        probe.spin_until(lambda: named('frames_lost', 0.5), 'the loss')
        assert probe.diagnostics['input'].level == DiagnosticStatus.WARN
        assert 'fastdds_shm.xml' in probe.diagnostics['input'].message
        assert 'are missing by their stamps (30 Hz)' in probe.status[-1].reason
        probe.spin_until(lambda: named('none', 1.0), 'the cure')
