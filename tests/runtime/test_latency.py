# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import threading
import tracemalloc

import numpy as np
import pytest

from affordance_ros.runtime.latency import STAGES
from affordance_ros.runtime.latency import FrameTimer
from affordance_ros.runtime.latency import LatencyMonitor
from affordance_ros.runtime.latency import LatencySummary


class Clock:
    """Time that the test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def answer(monitor, clock, seconds):
    """Let a frame pass that takes the given seconds in each stage, in order."""
    monitor.frame_received()
    timer = FrameTimer(seconds[0], clock)
    for stage, duration in zip(STAGES[1:], seconds[1:], strict=True):
        clock.now += duration
        timer.lap(stage)
    monitor.frame_answered(timer)
    return sum(seconds)


def test_laps_split_the_whole_way_without_a_gap():
    clock = Clock()
    timer = FrameTimer(0.25, clock)
    clock.now += 1
    timer.lap('wait')
    clock.now += 2
    timer.lap('preprocess')  # decoding
    clock.now += 8
    timer.lap('postprocess', preprocess=1.0, model=5.0)
    clock.now += 4
    timer.lap('publish')
    assert timer.seconds == {
        'transport': 0.25,
        'wait': 1.0,
        'preprocess': 3.0,
        'model': 5.0,
        'postprocess': 2.0,
        'publish': 4.0,
        'total': 15.25,
    }


def test_a_stage_that_is_none_is_refused():
    with pytest.raises(KeyError, match='think'):
        FrameTimer(0.0).lap('think')


def test_percentiles_equal_numpys_over_the_frames_in_the_window(rng):
    clock = Clock()
    monitor = LatencyMonitor(window_s=10.0, capacity=1000, clock=clock)
    rows, ends = [], []
    for _ in range(400):
        row = rng.gamma(2.0, 0.01, len(STAGES))
        answer(monitor, clock, row)
        rows.append([*row, row.sum()])
        ends.append(clock.now)
    recent = np.array(rows)[np.array(ends) > clock.now - 10.0]
    assert 50 < len(recent) < 400
    summary = monitor.summary()
    assert tuple(summary.stages) == (*STAGES, 'total')
    for column, found in zip(recent.T, summary.stages.values(), strict=True):
        assert found.p50_s == pytest.approx(np.percentile(column, 50), rel=1e-9)
        assert found.p95_s == pytest.approx(np.percentile(column, 95), rel=1e-9)


def test_rates_count_what_the_window_holds_and_fall_to_nothing():
    clock = Clock()
    monitor = LatencyMonitor(window_s=10.0, capacity=1000, clock=clock)
    for count in range(900):  # 30 s at 30 Hz; every third is answered
        clock.now += 1 / 30
        monitor.frame_received()
        if count % 3 == 0:
            monitor.frame_answered(FrameTimer(0.0))
    summary = monitor.summary()
    assert summary.rate_in_hz == pytest.approx(30.0, abs=0.11)
    assert summary.rate_out_hz == pytest.approx(10.0, abs=0.11)
    clock.now += 5
    assert monitor.summary().rate_in_hz == pytest.approx(15.0, abs=0.11)
    clock.now += 10
    summary = monitor.summary()
    assert (summary.rate_in_hz, summary.rate_out_hz, summary.stages) == (0.0, 0.0, {})


def test_rates_are_right_at_the_start_and_beyond_the_capacity():
    clock = Clock()
    monitor = LatencyMonitor(window_s=10.0, capacity=100, clock=clock)
    monitor.frame_received()
    assert monitor.summary().rate_in_hz == 1.0
    for _ in range(2000):
        clock.now += 1 / 500
        monitor.frame_received()
    assert monitor.summary().rate_in_hz == pytest.approx(500.0, rel=0.02)


def test_a_reset_forgets_the_frames_and_counts_rates_anew():
    clock = Clock()
    monitor = LatencyMonitor(window_s=10.0, clock=clock)
    for _ in range(100):
        clock.now += 0.1
        monitor.frame_received()
        monitor.frame_answered(FrameTimer(0.0, clock))
    monitor.reset()
    assert monitor.summary() == LatencySummary(0.0, 0.0, {})
    for _ in range(40):
        clock.now += 0.05
        monitor.frame_received()
    assert monitor.summary().rate_in_hz == pytest.approx(20.0)


def test_memory_is_bounded():
    monitor = LatencyMonitor(window_s=1e9, capacity=1000)

    def frames(count):
        for _ in range(count):
            monitor.frame_received()
            monitor.frame_answered(FrameTimer(0.0))

    frames(2000)
    tracemalloc.start()
    frames(20_000)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 1_000_000  # 1000 rows of seven floats, made anew


def test_threads_may_call_it_at_once():
    monitor = LatencyMonitor(window_s=60.0, capacity=100_000)
    done = threading.Event()

    def camera():
        for _ in range(5000):
            monitor.frame_received()
            monitor.frame_answered(FrameTimer(0.001))

    def reader():
        while not done.is_set():
            monitor.summary()

    cameras = [threading.Thread(target=camera) for _ in range(3)]
    threads = [*cameras, threading.Thread(target=reader)]
    for thread in threads:
        thread.start()
    for thread in cameras:
        thread.join()
    done.set()
    threads[-1].join()
    summary = monitor.summary()
    assert summary.rate_in_hz == pytest.approx(summary.rate_out_hz, rel=0.05)
    assert summary.stages['transport'].p95_s == pytest.approx(0.001)


def test_a_window_that_holds_nothing_is_refused():
    with pytest.raises(ValueError, match='holds nothing'):
        LatencyMonitor(window_s=0.0)
