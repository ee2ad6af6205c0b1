# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets held against the things that were asked for: one for each, and none beside them."""

import math
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A target may lie beside a thin thing by so much of the image's shorter side and still be its.
TOLERANCE_SHARE = 0.015


def thing_at(target: tuple[float, float], things: NDArray[np.uint8], wanted: Iterable[int]) -> int:
    """Return which thing a target lies on.

    Args:
        target: x and y in pixels.
        things: (H, W) uint8, the number of the thing that each pixel shows; 0 for none.
        wanted: The numbers that count.

    Returns:
        The number of the nearest of them within the tolerance; 0 where there is none.
    """
    height, width = things.shape
    reach = max(1, round(TOLERANCE_SHARE * min(height, width)))
    column, row = round(target[0]), round(target[1])
    top, left = max(row - reach, 0), max(column - reach, 0)
    window = things[top : row + reach + 1, left : column + reach + 1]
    rows, columns = np.nonzero(np.isin(window, list(wanted)))
    if not len(rows):
        return 0
    away = np.hypot(rows + top - target[1], columns + left - target[0])
    nearest = int(away.argmin())
    return int(window[rows[nearest], columns[nearest]]) if away[nearest] <= reach + 0.5 else 0


@dataclass
class ThingCount:
    """How many things got how many targets.

    Attributes:
        things: Things that were asked for.
        once: Those that got exactly one target.
        missed: Those that got none.
        targets: All targets.
        astray: Targets that lie on nothing that was asked for.
    """

    things: int = 0
    once: int = 0
    missed: int = 0
    targets: int = 0
    astray: int = 0

    def add(
        self,
        targets: Sequence[tuple[float, float]],
        things: NDArray[np.uint8],
        wanted: Sequence[int],
    ) -> None:
        """Count an answer: its targets' x and y, the things and the numbers asked for."""
        hits = [thing_at(target, things, wanted) for target in targets]
        counts = [hits.count(number) for number in wanted]
        self.things += len(wanted)
        self.once += counts.count(1)
        self.missed += counts.count(0)
        self.targets += len(targets)
        self.astray += hits.count(0)

    def shares(self) -> dict[str, float]:
        """Return the shares of things with one, no and several targets, and of stray targets."""
        things, targets = max(self.things, 1), max(self.targets, 1)
        return {
            'exactly_one': self.once / things,
            'none': self.missed / things,
            'several': (self.things - self.once - self.missed) / things,
            'targets_on_nothing_asked_for': self.astray / targets,
        }


class SwitchCount:
    """Counts how often a thing's number changes over a sequence.

    That is IDSW of CLEAR MOT (Bernardin and Stiefelhagen, Evaluating Multiple Object Tracking
    Performance, 2008), and counted where py-motmetrics does: a thing's number differs from its
    last one, however long it was not seen between. A thing that has several targets is followed
    by the one that keeps its number, if there is one.

    Args:
        gap_s: A thing that was not seen for longer is promised a new number. Such switches count
            as any other, and are counted apart too.
    """

    def __init__(self, gap_s: float = math.inf) -> None:
        self.frames = self.switches = self.after_gap = self.seen = self.targets = self.astray = 0
        self._gap_s = gap_s
        self._numbers: dict[int, tuple[int, float]] = {}  # and when it was seen last

    def begin(self) -> None:
        """Begin another sequence."""
        self._numbers.clear()

    def add(
        self,
        targets: Sequence[tuple[float, float]],
        track_ids: Sequence[int],
        things: NDArray[np.uint8],
        wanted: Sequence[int],
        *,
        stamp_s: float = 0.0,
    ) -> None:
        """Count a frame: its targets, best first, with their numbers, and what it shows."""
        self.frames += 1
        by_thing: dict[int, list[int]] = {}
        for target, number in zip(targets, track_ids, strict=True):
            self.targets += 1
            if thing := thing_at(target, things, wanted):
                by_thing.setdefault(thing, []).append(number)
            else:
                self.astray += 1
        for thing, numbers in by_thing.items():
            self.seen += 1
            before, seen_s = self._numbers.get(thing, (numbers[0], stamp_s))
            if before not in numbers:
                self.switches += 1
                self.after_gap += stamp_s - seen_s > self._gap_s
            self._numbers[thing] = (before if before in numbers else numbers[0]), stamp_s

    @property
    def per_100_frames(self) -> float:
        """Switches in a hundred frames, of all things together."""
        return 100.0 * self.switches / max(self.frames, 1)

    @property
    def stray_share(self) -> float:
        """The share of targets on nothing that was asked for."""
        return self.astray / max(self.targets, 1)
