# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How many of a camera's frames were lost on the way, by the gaps between their stamps."""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_KEPT = 300  # stamps: ten seconds of a camera of 30 Hz
_LEAST = 30
_NEWEST, _MIN_NEWEST = 60, 0.05  # of whose frames so many must be missing too
# The shortest gaps are of frames between which none is missing, a tenth of them at least.
_SHORT_QUANTILE = 0.1
# How far a gap may be from a whole number of periods, in periods, and how many gaps must be near
# one: else the camera has no period to judge by.
_MAX_OFF = 0.2
_MIN_REGULAR = 0.8
_MAX_PERIODS = 30.0  # a longer gap is a pause of the camera's


@dataclass(frozen=True)
class FrameLoss:
    """What the newest stamps say.

    Attributes:
        share: Frames that are missing, as a share of those that the camera has stamped, in [0, 1].
        camera_hz: The camera's rate; 0 where it has none.
    """

    share: float = 0.0
    camera_hz: float = 0.0


class FrameGaps:
    """Keeps the newest stamps; several threads may use it."""

    def __init__(self) -> None:
        self._stamps: deque[int] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def add(self, stamp_ns: int) -> None:
        """Note a frame's stamp; where time goes back, as a bag's does, all is judged anew."""
        with self._lock:
            if self._stamps and stamp_ns <= self._stamps[-1]:
                self._stamps.clear()
            self._stamps.append(stamp_ns)

    @property
    def loss(self) -> FrameLoss:
        """What was lost among the newest frames; nothing where they are few or have no period."""
        with self._lock:
            stamps = np.array(self._stamps, np.int64)
        newest = _judge(stamps[-_NEWEST:])
        # A camera may have changed its rate, as in the dark: then the old gaps say nothing.
        return _judge(stamps) if newest.share >= _MIN_NEWEST else newest


def _judge(stamps: NDArray[np.int64]) -> FrameLoss:
    """Judge stamps (N,), in nanoseconds."""
    if len(stamps) < _LEAST:
        return FrameLoss()
    gaps = np.diff(stamps) / 1e9  # (N - 1,) seconds
    short = gaps[gaps <= np.quantile(gaps, _SHORT_QUANTILE) * (1 + _MAX_OFF)]
    period = float(np.median(short))
    for most in (3, 10):  # longer gaps tell the period better, once it is known well enough
        whole = np.rint(gaps / period)
        near = (whole >= 1) & (whole <= most)
        period = float(gaps[near].sum() / whole[near].sum())
    periods = gaps / period
    periods = periods[periods <= _MAX_PERIODS]
    whole = np.rint(periods)
    regular = (np.abs(periods - whole) <= _MAX_OFF) & (whole >= 1)
    if np.mean(regular) < _MIN_REGULAR:
        return FrameLoss()
    made = whole[regular].sum()
    return FrameLoss(float(1 - regular.sum() / made), 1 / period)
