# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Lost frames are counted by gaps between stamps, and nothing is said of irregular cameras."""

import numpy as np
import pytest

from affordance_ros.runtime.frame_gaps import FrameGaps


def loss_of(times_s):
    gaps = FrameGaps()
    for time_s in times_s:
        gaps.add(int(1e18 + time_s * 1e9))
    return gaps.loss


@pytest.mark.parametrize('share', [0.0, 0.1, 0.3, 0.58, 0.7])
@pytest.mark.parametrize('jitter', [0.0, 0.02, 0.05])
def test_the_share_of_lost_frames_is_told(rng, share, jitter):
    times = np.arange(600) / 30 + rng.normal(0, jitter / 30, 600)
    kept = np.sort(times[rng.random(600) >= share])[-300:]
    loss = loss_of(kept)
    assert loss.share == pytest.approx(share, abs=0.06)
    assert loss.camera_hz == pytest.approx(30, rel=0.1)


def test_a_camera_without_a_period_is_not_judged(rng):
    assert loss_of(np.cumsum(rng.uniform(0.02, 0.3, 200))).share == 0
    assert loss_of(np.cumsum(rng.exponential(0.1, 200))).share == 0


def test_few_frames_and_a_pause_are_no_loss():
    assert loss_of(np.arange(20) * 0.2).share == 0
    pause = np.concatenate([np.arange(60) / 30, 20 + np.arange(60) / 30])
    assert loss_of(pause).share == 0


def test_time_that_goes_back_begins_anew():
    gaps = FrameGaps()
    for number in [*range(0, 400, 2), *range(1, 400, 3)]:
        gaps.add(number * 10**7)
    for number in range(40):
        gaps.add(number * 10**7)
    assert gaps.loss.share == 0


def test_a_camera_that_slows_down_loses_nothing():
    times = np.concatenate([np.arange(200) / 30, 200 / 30 + np.arange(60) / 15])
    assert loss_of(times).share == 0
