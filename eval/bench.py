# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Measure the metrics: time an image on one core, and memory over many images."""

import argparse
import json
import platform
import resource
import sys
import time
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros_eval.metrics import PROTOCOLS
from affordance_ros_eval.metrics import evaluate_pair

_SIZES = ((224, 224), (480, 640))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, write JSON if asked; return the exit status."""
    parser = argparse.ArgumentParser(
        prog='python -m affordance_ros_eval.bench', description=__doc__
    )
    parser.add_argument('--repeats', type=int, default=100, help='images for each time')
    parser.add_argument('--images', type=int, default=10_000, help='images for the memory')
    parser.add_argument('--json', type=Path, help='write the figures here too')
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    figures: dict[str, float] = {}
    for name in PROTOCOLS:
        for size in _SIZES:
            figures[f'{name}, {size[1]}x{size[0]}: ms an image'] = time_ms(
                name, size, options.repeats
            )
    for done, megabytes in memory_mb(options.images):
        figures[f'peak memory after {done:,} images: MB'] = megabytes
    for label, value in figures.items():
        sys.stdout.write(f'{label:<48}{value:9.2f}\n')
    sys.stdout.write(f'one thread, {platform.machine()}, numpy {np.__version__}\n')
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + '\n', encoding='utf-8')
    return 0


def time_ms(protocol: str, size: tuple[int, int], repeats: int) -> float:
    """Return the median time of one image in milliseconds, ground truth and map of one size."""
    rng = np.random.default_rng(0)
    pairs = [_pair(rng, size) for _ in range(min(repeats, 20))]
    times = []
    evaluate_pair(*pairs[0], protocol=protocol)  # the first one also warms caches up
    for number in range(repeats):
        raw, truth = pairs[number % len(pairs)]
        start = time.perf_counter()
        evaluate_pair(raw, truth, protocol=protocol)
        times.append(time.perf_counter() - start)
    return float(1e3 * np.median(times))


def memory_mb(images: int) -> Iterator[tuple[int, float]]:
    """Score new images and yield (how many so far, peak resident memory in MB), four times."""
    rng = np.random.default_rng(0)
    for number in range(1, images + 1):
        raw, truth = _pair(rng, (224, 224))
        evaluate_pair(raw, truth)
        if number in {max(1, images * part // 4) for part in (1, 2, 3, 4)}:
            yield number, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _pair(
    rng: np.random.Generator, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return a smooth map and a ground truth of Gaussians."""
    coarse = rng.random((10, 10)).astype(np.float32)
    raw = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    rows, columns = np.ogrid[: size[0], : size[1]]
    y, x = rng.uniform(0, size[0]), rng.uniform(0, size[1])
    away = ((rows - y) ** 2 + (columns - x) ** 2) / (0.1 * size[1]) ** 2
    return np.asarray(raw, np.float32), np.rint(255 * np.exp(-away / 2)).astype(np.uint8)


if __name__ == '__main__':
    sys.exit(main())
