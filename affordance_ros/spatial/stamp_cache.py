# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Messages kept by their stamps, so that what belongs to an image is found when it is needed."""

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic
from typing import Protocol
from typing import TypeVar

ItemT = TypeVar('ItemT')

# A stamp that lies so far before the newest one means that time was set back (a bag that starts
# again, a simulator that was reset), and not that messages came out of order.
_JUMP_BACK_NS = 1_000_000_000


class Stamp(Protocol):
    """The fields of builtin_interfaces/Time."""

    sec: int
    nanosec: int


def to_ns(stamp: Stamp) -> int:
    """Return a message's stamp in nanoseconds.

    rclpy's Time refuses stamps before the epoch; a frame with such a one has its answer too.
    """
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


@dataclass(frozen=True)
class StampCounters:
    """What a cache has seen since the start.

    Attributes:
        received: Messages added.
        matched: Look-ups that found one.
        unmatched: Look-ups that found none within the tolerance.
        cleared: How often time went back.
        last_gap_s: How far the nearest stamp was at the newest look-up that found none; None
            where there was nothing at all.
    """

    received: int = 0
    matched: int = 0
    unmatched: int = 0
    cleared: int = 0
    last_gap_s: float | None = None


class StampCache(Generic[ItemT]):
    """Keeps the last messages of a topic; several threads may use it.

    Args:
        capacity: How many messages to keep; the one that came first goes first.
        tolerance_s: How far a stamp may be from the one that is looked up: 0 for exactly equal,
            math.inf for the nearest whatever its stamp (for a camera_info that never changes).

    Raises:
        ValueError: If capacity or tolerance can't be used.
    """

    def __init__(self, capacity: int, tolerance_s: float = 0.0) -> None:
        if capacity < 1:
            raise ValueError(f'capacity {capacity} must be at least 1')
        if not tolerance_s >= 0:
            raise ValueError(f'tolerance_s {tolerance_s} must not be negative')
        self._capacity = capacity
        self._tolerance_ns = tolerance_s * 1e9
        self._items: OrderedDict[int, ItemT] = OrderedDict()
        self._changed = threading.Condition()
        self._received = self._matched = self._unmatched = self._cleared = 0
        self._last_gap_s: float | None = None

    def add(self, stamp_ns: int, item: ItemT) -> None:
        """Keep a message; another of the same stamp is replaced.

        Where the stamp shows that time went back, all others are forgotten first.
        """
        with self._changed:
            self._received += 1
            if self._items and stamp_ns < max(self._items) - _JUMP_BACK_NS:
                self._items.clear()
                self._cleared += 1
            self._items.pop(stamp_ns, None)
            self._items[stamp_ns] = item
            if len(self._items) > self._capacity:
                self._items.popitem(last=False)
            self._changed.notify_all()

    def match(self, stamp_ns: int, *, wait_s: float = 0.0) -> ItemT | None:
        """Find the message whose stamp is nearest, within the tolerance.

        Args:
            stamp_ns: The stamp to look for.
            wait_s: How long to wait for one to come: depth often comes after its image.

        Returns:
            The message, or None where there is none.
        """
        deadline = time.monotonic() + wait_s
        with self._changed:
            while True:
                nearest = min(self._items, key=lambda stamp: abs(stamp - stamp_ns), default=None)
                gap_ns = math.inf if nearest is None else abs(nearest - stamp_ns)
                if nearest is not None and gap_ns <= self._tolerance_ns:
                    self._matched += 1
                    return self._items[nearest]
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    self._unmatched += 1
                    self._last_gap_s = None if nearest is None else gap_ns / 1e9
                    return None
                self._changed.wait(left_s)

    def exact(self, stamp_ns: int) -> ItemT | None:
        """Return the message of this very stamp, if it is there; a miss is not counted."""
        with self._changed:
            found = self._items.get(stamp_ns)
            self._matched += found is not None
            return found

    def clear(self) -> None:
        """Forget all messages; the counts stay."""
        with self._changed:
            self._items.clear()

    @property
    def counters(self) -> StampCounters:
        """A consistent copy of the counts."""
        with self._changed:
            return StampCounters(
                self._received, self._matched, self._unmatched, self._cleared, self._last_gap_s
            )
