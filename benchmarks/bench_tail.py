# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Latency beside a busy process, and the tail of many frames."""

import subprocess
import sys

import numpy as np

from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from benchmarks.bench_report import Rows
from benchmarks.bench_timing import median
from benchmarks.bench_timing import timed

_LOAD_BLOCKS, _LOAD_FRAMES = 4, 25
_TAIL_SIZES = (320, 640)


def measure_load(predictors: dict[str, Predictor], image: np.ndarray) -> Rows:
    """Time one command at 320 with the machine to itself and with one busy process beside."""
    quiet: dict[str, list[float]] = {name: [] for name in predictors}
    busy: dict[str, list[float]] = {name: [] for name in predictors}
    for name, predictor in predictors.items():
        predictor.configure(PredictorConfig(input_size=320))
        predictor.set_command('cut')
        action = timed(lambda p=predictor: p.predict(image))
        for _ in range(_LOAD_BLOCKS):
            quiet[name] += [action() for _ in range(_LOAD_FRAMES)]
            other = subprocess.Popen([sys.executable, '-c', 'while True: pass'])
            try:
                busy[name] += [action() for _ in range(_LOAD_FRAMES)]
            finally:
                other.kill()
                other.wait()
    return [
        {
            'backend': name,
            'ms': median(quiet[name]),
            'beside a busy process, ms': median(busy[name]),
            'ratio': median(busy[name]) / median(quiet[name]),
        }
        for name in predictors
    ]


def measure_tail(predictors: dict[str, Predictor], image: np.ndarray, frames: int) -> Rows:
    """Time many frames one after the other, a command at a time, at two sizes of input."""
    rows: Rows = []
    for size in _TAIL_SIZES:
        for name, predictor in predictors.items():
            predictor.configure(PredictorConfig(input_size=size))
            predictor.set_command('cut')
            action = timed(lambda p=predictor: p.predict(image))
            action()
            times = np.array([action() for _ in range(frames)])
            p50, p99 = np.percentile(times, [50, 99])
            rows.append(
                {
                    'long side': size,
                    'backend': name,
                    'frames': len(times),
                    'frames/s': float(1e3 / times.mean()),
                    'p50, ms': float(p50),
                    'p99, ms': float(p99),
                }
            )
    return rows
