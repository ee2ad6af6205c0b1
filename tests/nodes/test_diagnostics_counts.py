# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the diagnostics count: requests, and images without depth."""

import itertools

import numpy as np
import pytest

from tests.support.diagnosis import wait_for_cause

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]
IMAGE = np.full((48, 64, 3), 90, np.uint8)


def test_requests_are_timed_and_counted_and_no_silence_where_they_alone_are_wanted(quick):
    from diagnostic_msgs.msg import DiagnosticStatus

    from affordance_ros.nodes.messages import to_image
    from affordance_ros.srv import Ground
    from tests.support.ros_harness import grounding_inside

    with grounding_inside() as probe:
        image = to_image(IMAGE, 'bgr8', header=probe.header())
        wait_for_cause(probe, 'no_data', level=DiagnosticStatus.ERROR)
        for _ in range(2):
            assert probe.call(Ground, 'ground', commands=['cut', 'open'], image=image).success
        wait_for_cause(probe, 'none', level=DiagnosticStatus.OK)
        assert probe.diagnosed('processing', 'requests answered') == '2'
        assert probe.diagnosed('processing', 'frames processed') == '0'
        assert float(probe.diagnosed('processing', 'rate out (Hz)')) > 0
        # An image that was given has not travelled, whatever its stamp says.
        assert float(probe.diagnosed('processing', 'latency transport p50 (ms)')) == 0
        assert float(probe.diagnosed('processing', 'latency model p50 (ms)')) > 0
        assert probe.diagnostics['processing'].level == DiagnosticStatus.OK

        bad = to_image(IMAGE, 'bgr8', header=probe.header())
        bad.encoding = 'jpg'
        unreadable = to_image(IMAGE, 'bgr8', header=probe.header())
        unreadable.encoding, unreadable.width = 'yuv422', IMAGE.shape[1] - 1
        assert not probe.call(Ground, 'ground', commands=['cut'], image=bad).success
        assert not probe.call(Ground, 'ground', commands=['  ']).success
        assert not probe.call(Ground, 'ground').success
        assert not probe.call(Ground, 'ground', commands=['cut'], image=unreadable).success
        assert not probe.call(Ground, 'ground', commands=['cut'], deadline_s=0.01).success
        wait_for_cause(probe, 'no_data', level=DiagnosticStatus.ERROR)
        expected = {
            'failed': '5',
            'failed: encoding': '1',
            'failed: command': '1',
            'failed: request': '1',
            'failed: layout': '1',
            'failed: deadline': '1',
        }
        told = {key: probe.diagnosed('processing', f'requests {key}') for key in expected}
        assert told == expected


def test_what_is_wrong_with_depth_is_a_warning(told):
    from diagnostic_msgs.msg import DiagnosticStatus

    from affordance_ros.runtime.frame_gaps import FrameLoss
    from affordance_ros.runtime.health_inputs import SpatialFacts
    from affordance_ros.runtime.mailbox import Counters

    seconds = itertools.count(1)
    infos = 0

    def known():
        count = next(seconds)
        return {
            'counters': Counters(count, count),
            'spatial': SpatialFacts(
                depth_received=count,
                camera_info_received=infos * count,
                without_points={'no_depth': 3, 'encoding': 2},
            ),
            'loss': FrameLoss(),
        }

    told.known = known
    text = wait_for_cause(
        told.probe, 'no_camera_info', level=DiagnosticStatus.WARN, meanwhile=told.spin
    )
    assert 'remap camera_info' in text
    infos = 1
    text = wait_for_cause(
        told.probe, 'depth_unmatched', level=DiagnosticStatus.WARN, meanwhile=told.spin
    )
    assert "image's stamp" in text
    assert int(told.probe.diagnosed('input', 'depth images received')) > 3
    for cause, count in (('', '5'), (': no_depth', '3'), (': encoding', '2')):
        assert told.probe.diagnosed('input', f'images without 3D points{cause}') == count
    assert told.probe.diagnostics['model'].level == DiagnosticStatus.OK
