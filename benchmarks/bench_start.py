# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What a backend costs at the start: the first frame beside later ones, and the memory.

Runs in a process of its own for each backend, so that its memory is its own.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
import torch

from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.select import Choice
from affordance_ros.backends.torch_backend import TorchBackend
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.grounding import load_model
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from benchmarks.machine import peak_memory_mb

_FRAMES = 30
# torch without graphs, folding or half precision.
EAGER = 'eager'


def load_predictor(
    model: ModelConfig, backend: str, precision: str, *, num_threads: int, size: int = 0
) -> Predictor:
    """Load a predictor on a backend, EAGER among them.

    Raises:
        BackendError: If it does not work here.
    """
    config = PredictorConfig(input_size=size)
    if backend == EAGER:
        loaded = load_model(model)
        return Predictor(loaded, config, Choice(TorchBackend(loaded), 'as asked for'))
    return Predictor.load(
        model, config, BackendConfig(backend, precision, num_threads=num_threads)
    )


def measure_start(
    model: str,
    weights: str,
    device: str,
    backend: str,
    precision: str,
    *,
    size: int,
    num_threads: int,
) -> dict[str, object] | None:
    """Return the figures of one backend; None where it does not work here."""
    arguments = [model, weights, device, backend, precision, str(size), str(num_threads)]
    done = subprocess.run(
        [sys.executable, '-m', 'benchmarks.bench_start', *arguments],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
    )
    return None if done.returncode else dict(json.loads(done.stdout.splitlines()[-1]))


def main(argv: Sequence[str] | None = None) -> int:
    """Load one backend as the node does, predict, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ('model', 'weights', 'device', 'backend', 'precision'):
        parser.add_argument(name)
    parser.add_argument('size', type=int)
    parser.add_argument('num_threads', type=int)
    options = parser.parse_args(argv)

    begin = time.perf_counter()
    predictor = load_predictor(
        ModelConfig(options.model, options.weights, device=options.device),
        options.backend,
        options.precision,
        num_threads=options.num_threads,
        size=options.size,
    )
    predictor.warm_up()
    loaded_s = time.perf_counter() - begin
    predictor.set_command('open the bottle')
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    times = []
    for _ in range(_FRAMES):
        start = time.perf_counter()
        predictor.predict(image)
        times.append(1e3 * (time.perf_counter() - start))
    steady = float(np.median(times[1:]))
    figures = {
        'load_s': loaded_s,
        'first_ms': times[0],
        'steady_ms': steady,
        'first_over_steady': times[0] / steady,
        'memory_mb': psutil.Process().memory_info().rss / 1e6,
        'peak_memory_mb': peak_memory_mb(),
    }
    if options.device == 'cuda':
        figures['gpu_memory_mb'] = torch.cuda.max_memory_reserved() / 1e6
    sys.stdout.write(json.dumps(figures) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
