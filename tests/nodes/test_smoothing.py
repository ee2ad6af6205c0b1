# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The parameter heat_smoothing_s: the node's heat is the smoothed heat of the predictor."""

import cv2
import numpy as np
import pytest

from affordance_ros.targets.smoothing import HeatSmoother

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]


def test_heat_is_averaged_along_with_the_camera_until_it_is_switched_off(log, photos, predictor):
    from tests.support.ros_harness import grounding_node

    photo = cv2.resize(next(iter(photos.values())), (400, 240))
    frames = [np.ascontiguousarray(photo[:, 8 * k : 8 * k + 320]) for k in range(4)]
    predictor.set_command('cut')
    smoother = HeatSmoother(1.0)

    def heat_of(k):
        header = probe.header()
        header.stamp.sec, header.stamp.nanosec = 2000, 100_000_000 * k
        probe.send(frames[k], header=header)
        probe.spin_until(
            lambda: probe.heatmaps and probe.heatmaps[-1].header == header,
            'the heatmap',
            again=lambda: probe.send(frames[k], header=header),
        )
        message = probe.heatmaps[-1]
        return np.frombuffer(message.data, np.float32).reshape(message.height, message.width)

    with grounding_node(log, heatmaps=True, task_command='cut', heat_smoothing_s=1.0) as (
        _,
        probe,
    ):
        for k in range(3):
            plain = predictor.predict(frames[k], channels='bgr')
            expected = smoother.update(
                plain.activation, command='cut', image=frames[k], stamp_s=2000 + 0.1 * k
            )
            found = heat_of(k)
            assert np.abs(found - expected.heatmap).max() < 1e-5
            assert (np.abs(found - plain.heatmap).max() > 0.01) == (k > 0)
        assert probe.set_parameter('heat_smoothing_s', 0.0) == (True, '')
        plain = predictor.predict(frames[3], channels='bgr')
        assert np.abs(heat_of(3) - plain.heatmap).max() < 1e-5
        assert probe.set_parameter('heat_smoothing_s', -1.0)[0] is False
