# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How long frames take, stage by stage, and how many come and go, over a sliding window."""

import threading
import time
from collections import deque
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# transport: from the header's stamp to the receipt, in the node's clock. wait: in the mailbox.
# publish: until the targets are on their way; images for listeners come after that.
STAGES = ('transport', 'wait', 'preprocess', 'model', 'postprocess', 'publish')
TOTAL = 'total'


class FrameTimer:
    """Splits one frame's way from its stamp to its answer into stages.

    It travels with the frame, so one thread at a time uses it.

    Args:
        transport_s: Age of the frame when it was received, in seconds; negative or huge where the
            camera's clock is another one.
        clock: Seconds, never going back.
    """

    def __init__(self, transport_s: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._seconds = {**dict.fromkeys(STAGES, 0.0), 'transport': transport_s}
        self._received = self._lapped = clock()

    def lap(self, stage: str, **elsewhere: float) -> None:
        """End a stretch of time that began with the lap before, or with the receipt.

        Args:
            stage: Where the stretch belongs.
            elsewhere: Seconds of the stretch, by stage, that belong to other stages.

        Raises:
            KeyError: If a stage is none of STAGES.
        """
        now = self._clock()
        for name, seconds in elsewhere.items():
            self._seconds[name] += seconds
        self._seconds[stage] += now - self._lapped - sum(elsewhere.values())
        self._lapped = now

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by stage and in all, from the stamp to the last lap; the stages add up to it."""
        in_all = self._seconds['transport'] + self._lapped - self._received
        return {**self._seconds, TOTAL: in_all}


@dataclass(frozen=True)
class Percentiles:
    """Median and 95th percentile, in seconds."""

    p50_s: float
    p95_s: float


@dataclass(frozen=True)
class LatencySummary:
    """What the window shows.

    Attributes:
        rate_in_hz: Frames received a second, usable or not.
        rate_out_hz: Frames answered a second.
        stages: By stage and for 'total'; empty if no frame was answered within the window.
    """

    rate_in_hz: float
    rate_out_hz: float
    stages: Mapping[str, Percentiles]


class LatencyMonitor:
    """Keeps the newest frames' times. Any thread may call it.

    Args:
        window_s: How far back the window reaches, in seconds.
        capacity: How many frames it holds at most; beyond that it reaches less far back.
        clock: Seconds, never going back.

    Raises:
        ValueError: If the window is not positive or holds nothing.
    """

    def __init__(
        self,
        window_s: float = 10.0,
        capacity: int = 1000,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if window_s <= 0 or capacity < 1:
            raise ValueError(
                f'a window of {window_s} s and {capacity} frames holds nothing; both must be '
                f'positive'
            )
        self._window_s = window_s
        self._clock = clock
        self._lock = threading.Lock()
        self._received: deque[float] = deque(maxlen=capacity)
        self._answered: deque[tuple[float, tuple[float, ...]]] = deque(maxlen=capacity)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as when the node is activated anew: rates count from here on."""
        with self._lock:
            self._start = self._clock()
            self._received.clear()
            self._answered.clear()

    def frame_received(self) -> None:
        """Count a frame that came, usable or not."""
        with self._lock:
            self._received.append(self._clock())

    def frame_answered(self, timer: FrameTimer) -> None:
        """Take over the times of a frame whose answer was published."""
        row = tuple(timer.seconds.values())
        with self._lock:
            self._answered.append((self._clock(), row))

    def summary(self) -> LatencySummary:
        """Summarise the frames that lie within the window now."""
        with self._lock:
            now = self._clock()
            oldest = now - self._window_s
            received = [at for at in self._received if at > oldest]
            answered = [(at, row) for at, row in self._answered if at > oldest]
        rate_in_hz = self._rate(received, now)
        rate_out_hz = self._rate([at for at, _ in answered], now)
        stages: dict[str, Percentiles] = {}
        if answered:
            low, high = np.percentile([row for _, row in answered], [50, 95], axis=0)
            for name, p50, p95 in zip((*STAGES, TOTAL), low, high, strict=True):
                stages[name] = Percentiles(float(p50), float(p95))
        return LatencySummary(rate_in_hz, rate_out_hz, stages)

    def _rate(self, times: list[float], now: float) -> float:
        """Return events a second, of the times that lie within the window."""
        if len(times) == self._received.maxlen:  # older ones had to give way
            return len(times) / max(now - times[0], 1e-6)
        # At least a second: two frames within the first millisecond are not a camera of 2 kHz.
        return len(times) / max(min(self._window_s, now - self._start), 1.0)
