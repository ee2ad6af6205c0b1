# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""`make webcam`, with photos in place of the camera."""

import os

import cv2
import pytest

from tests.conftest import SAMPLES

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]


def test_both_nodes_run_answers_are_printed_and_ctrl_c_ends_all(log, tmp_path):
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import Probe

    # A domain of its own: these nodes have the names that they have on a robot.
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(1 + (os.getpid() + 60) % 100)}
    overlay = tmp_path / 'overlay.jpg'
    options = ['--source', SAMPLES / 'photos', '--command', 'cut', '--out', overlay]
    process = NodeProcess(['-m', 'scripts.webcam', *options], log, environment)
    probe = Probe()
    probe.spin_until(
        lambda: 'cut: ' in process.output and overlay.is_file(), 'an answer', timeout_s=90
    )
    probe.close()
    assert process.stop() == 0, process.output
    assert cv2.imread(str(overlay)).ndim == 3
    assert 'Traceback' not in process.output
