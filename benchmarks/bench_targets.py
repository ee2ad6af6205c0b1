# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Measure how long finding and refining targets takes, apart from the model. Prints Markdown.

The maps are sums of Gaussians as wide as a trained model's, with ripples: some things for each
command, or hardly any heat at all, as with most of 64 commands.
"""

import sys
import time

import cv2
import numpy as np

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.runtime.memory import keep_memory
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.instances import find_instances

_FRAME, _SIZE, _STRIDE = (480, 640), 320, 8
_ROUNDS = 300
# Commands, and how many of them the image affords.
_CASES = ((1, 1), (64, 8), (64, 64))


def draw_map(rng: np.random.Generator, box: Letterbox, *, things: int) -> Activation:
    """Return an activation map on which a number of things is hot."""
    height, width = (side // _STRIDE for side in box.canvas)
    rows, columns = np.mgrid[:height, :width]
    heat = np.full((height, width), 0.01)
    for _ in range(things):
        y, x = rng.uniform(2, height - 2), rng.uniform(2, width - 2)
        away = (rows - y) ** 2 + (columns - x) ** 2
        heat += rng.uniform(0.4, 0.8) * np.exp(-away / (2 * rng.uniform(1.5, 3.0) ** 2))
    heat = np.minimum(heat, 0.95)
    ripples = cv2.GaussianBlur(rng.normal(0, 1, heat.shape), (0, 0), 1.0)
    return Activation((np.log(heat / (1 - heat)) + ripples).astype(np.float32), box)


def measure_ms(commands: int, afforded: int) -> tuple[float, float, int]:
    """Return the median and the least time in milliseconds, and how many targets there are."""
    rng = np.random.default_rng(0)
    box = Letterbox.fit(_FRAME, size=_SIZE, shape='rectangle')
    maps = [draw_map(rng, box, things=3 if k < afforded else 0) for k in range(commands)]
    took_s = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        found = find_instances(maps)
        took_s.append(time.perf_counter() - begin)
    return 1e3 * float(np.median(took_s)), 1e3 * min(took_s), sum(map(len, found))


def main() -> None:
    """Measure and print a table."""
    keep_memory()  # as the node does
    lines = ['| commands | that the image affords | targets | median (ms) | least (ms) |']
    lines.append('|---|---|---|---|---|')
    for commands, afforded in _CASES:
        median, least, targets = measure_ms(commands, afforded)
        lines.append(f'| {commands} | {afforded} | {targets} | {median:.2f} | {least:.2f} |')
    sys.stdout.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
