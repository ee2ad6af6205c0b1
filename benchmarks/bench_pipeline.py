# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Time a prediction by stages, and how it grows with the batch and the number of commands."""

import argparse
import time

import cv2
import numpy as np

from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from benchmarks.bench_report import Rows
from benchmarks.bench_timing import Action
from benchmarks.bench_timing import median
from benchmarks.bench_timing import ratio
from benchmarks.bench_timing import run_in_turn
from benchmarks.bench_timing import timed

FRAME = (480, 640)
_COMMANDS = (1, 8, 64)
_MANY_COMMANDS = (1, 4, 16, 64, 256)
_BATCHES = (1, 2, 4, 8)
_STAGES = ('preprocess', 'model', 'postprocess')


def frame() -> np.ndarray:
    """Return a camera's image, (480, 640, 3) uint8: smooth noise."""
    noise = np.random.default_rng(0).integers(0, 256, (*FRAME, 3), np.uint8)
    return cv2.GaussianBlur(noise, (31, 31), 8)


def commands(count: int) -> list[str]:
    """Return so many different commands."""
    return [f'use number {k}' for k in range(count)]


class StagedPrediction:
    """An action: predict a number of commands; the times of the stages are kept.

    Args:
        predictor: What predicts.
        image: What it predicts in.
        count: How many commands; they are set outside the time that counts.
    """

    def __init__(self, predictor: Predictor, image: np.ndarray, count: int) -> None:
        self._predictor, self._image, self._count = predictor, image, count
        self.stages: list[tuple[float, float, float]] = []

    def __call__(self) -> float:
        """Predict once and return the milliseconds."""
        self._predictor.set_commands(commands(self._count))
        begin = time.perf_counter()
        self._predictor.predict_all(self._image)
        took_ms = 1e3 * (time.perf_counter() - begin)
        times = self._predictor.timings
        self.stages.append((times.preprocess_s, times.model_s, times.postprocess_s))
        return took_ms


def measure_pipeline(arguments: argparse.Namespace, predictors: dict[str, Predictor]) -> Rows:
    """Time predict_all for sizes, backends and numbers of commands; heatmaps are not asked for."""
    rows: Rows = []
    image = frame()
    reference = next(iter(predictors))
    for size in arguments.sizes:
        actions: dict[str, StagedPrediction] = {}
        for name, predictor in predictors.items():
            predictor.configure(PredictorConfig(input_size=size))
            for count in _COMMANDS:
                actions[f'{name}/{count}'] = StagedPrediction(predictor, image, count)
        times = run_in_turn(actions, arguments.rounds)
        for name in predictors:
            for count in _COMMANDS:
                key = f'{name}/{count}'
                by_stage = 1e3 * np.median(np.array(actions[key].stages[1:]), axis=0)
                rows.append(
                    {
                        'long side': size,
                        'commands': count,
                        'backend': name,
                        'ms': median(times[key]),
                        'speed-up': 1 / ratio(times, key, f'{reference}/{count}'),
                        'times one command': ratio(times, key, f'{name}/1'),
                        **dict(zip(_STAGES, map(float, by_stage), strict=True)),
                    }
                )
    return rows


def measure_alone(predictor: Predictor, size: int, rounds: int) -> dict[str, float]:
    """Return the milliseconds of a prediction, and of its model, while nothing else runs."""
    predictor.configure(PredictorConfig(input_size=size))
    act = StagedPrediction(predictor, frame(), 1)
    times = [act() for _ in range(5 * rounds)]
    _, model_s, _ = np.median(np.array(act.stages[rounds:]), axis=0)
    return {'alone, ms': median(times[rounds:]), 'model alone': 1e3 * float(model_s)}


def measure_new_command(predictors: dict[str, Predictor]) -> Rows:
    """Time a command that was never set before: one encoding of its text, nothing is compiled."""
    rows: Rows = []
    for name, predictor in predictors.items():
        times = []
        for number in range(20):
            begin = time.perf_counter()
            predictor.set_command(f'fetch the thing of number {number}')
            times.append(1e3 * (time.perf_counter() - begin))
        rows.append({'backend': name, 'new command, ms': median(times)})
    return rows


def measure_growth(arguments: argparse.Namespace, predictors: dict[str, Predictor]) -> Rows:
    """Time how a pass grows with the batch and with the number of commands, at 320x320."""
    rows: Rows = []
    for name, predictor in predictors.items():
        backend, channels = predictor.backend, predictor.model.embed_dim
        rng = np.random.default_rng(0)

        def act(n: int, k: int, backend=backend, channels=channels, rng=rng) -> Action:
            pixels = rng.standard_normal((n, 320, 320, 3), np.float32).transpose(0, 3, 1, 2)
            text = rng.standard_normal((k, channels), np.float32)
            return timed(lambda: backend.run(pixels, text))

        batches = {f'{n}': act(n, 1) for n in _BATCHES}
        many = {f'{k}': act(1, k) for k in _MANY_COMMANDS}
        for kind, actions in (('batch', batches), ('commands', many)):
            times = run_in_turn(actions, arguments.rounds)
            rows += [
                {
                    'grows': kind,
                    'to': int(count),
                    'backend': name,
                    'ms': median(times[count]),
                    'times one': ratio(times, count, '1'),
                }
                for count in actions
            ]
    return rows
