# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Times and ratios that hold on a noisy machine: all that is compared runs in turn."""

import time
from collections.abc import Callable
from collections.abc import Mapping

import numpy as np

# Does something once and returns the milliseconds that count.
Action = Callable[[], float]
Times = dict[str, list[float]]


def timed(function: Callable[[], object]) -> Action:
    """Make an action of a function, all of which counts."""

    def action() -> float:
        begin = time.perf_counter()
        function()
        return 1e3 * (time.perf_counter() - begin)

    return action


def run_in_turn(actions: Mapping[str, Action], rounds: int) -> Times:
    """Run all actions once a round, beginning with another one each time; return ms of each."""
    names = list(actions)
    for name in names:
        actions[name]()  # compiles, and warms caches up
    times: Times = {name: [] for name in names}
    for number in range(rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            times[name].append(actions[name]())
    return times


def ratio(times: Times, name: str, to: str) -> float:
    """Return the median of a round's time over another's in the same round."""
    return float(np.median(np.array(times[name]) / np.array(times[to])))


def median(values: list[float]) -> float:
    """Return the median."""
    return float(np.median(values))
