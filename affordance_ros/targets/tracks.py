# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The same thing keeps its number from image to image, also while the camera moves.

Targets are matched by distance and overlap in the image, after the shift of the whole image has
been taken off; where depth is known, what is much nearer or farther is another thing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affordance_ros.targets.motion import Motion
from affordance_ros.targets.motion import Shift
from affordance_ros.targets.target import Target

# A region may be as small as a pixel.
_MIN_DIAGONAL_PX = 30.0
# The cost of a match whose one place lies in the other's region.
_COVERED = 0.5
# So much beside a region, as a share of its diagonal, is still in it.
_MARGIN_SHARE = 0.1
# Stamps that stand still never outlast a gap in seconds: so many images do, then.
_MAX_MISSED = 300


@dataclass(frozen=True)
class TrackConfig:
    """When a target is one that was seen before.

    Attributes:
        gap_s: A thing that was not seen for longer gets a new number, in seconds by the images'
            stamps.
        reach_share: How far it may be from where it is expected in the image, as a share of its
            region's diagonal.
        reach_m: How much nearer or farther it may be, in metres; for a region that is longer than
            that, its diagonal.
    """

    gap_s: float = 2.0
    reach_share: float = 1.0
    reach_m: float = 0.18

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if not self.gap_s >= 0:
            raise ValueError(f'gap_s {self.gap_s} must not be negative')
        for name in ('reach_m', 'reach_share'):
            if not getattr(self, name) > 0:
                raise ValueError(f'{name} {getattr(self, name)} must be positive')


@dataclass(frozen=True)
class Place:
    """Where a target is in 3D.

    Attributes:
        distance_m: Along the optical axis.
        metres_per_px: What a pixel of the image measures there.
    """

    distance_m: float
    metres_per_px: float


@dataclass
class _Track:
    """A thing that was seen.

    Attributes:
        target: As it was seen last, with its number; 0 while it has none.
        place: Where it was in 3D, if that is known.
        seen_s: When that was.
        best_score: The highest of its scores.
        moved: By how many pixels in x and y what the images show has moved since.
        missed: In how many images it was not seen since.
    """

    target: Target
    place: Place | None
    seen_s: float
    best_score: float
    moved: tuple[float, float] = (0.0, 0.0)
    missed: int = 0

    def move(self, by: tuple[float, float]) -> None:
        """Move along with what the next image shows."""
        self.moved = self.moved[0] + by[0], self.moved[1] + by[1]
        self.missed += 1


class Tracker:
    """Numbers targets, image by image; numbers are never given twice.

    Args:
        config: When a target is one that was seen before.
    """

    def __init__(self, config: TrackConfig | None = None) -> None:
        self._config = config or TrackConfig()
        self._motion = Motion()
        self._tracks: list[_Track] = []
        self._command: str | None = None
        self._given = 0
        self._newest_s = -math.inf

    @property
    def config(self) -> TrackConfig:
        """When a target is one that was seen before; may be changed at any time."""
        return self._config

    @config.setter
    def config(self, config: TrackConfig) -> None:
        self._config = config

    def update(
        self,
        targets: Sequence[Target],
        *,
        min_score: float = 0.0,
        command: str,
        image: NDArray[np.uint8],
        stamp_s: float,
        places: Sequence[Place | None] | None = None,
    ) -> tuple[Target, ...]:
        """Number the targets of the next image.

        All numbers are new after another command, another scene and a stamp that goes back.

        Args:
            targets: The image's.
            min_score: Those below it count only where a thing once had as much.
            command: What they answer. The same text sent again is the same command.
            image: (H, W, 3) or (H, W) uint8.
            stamp_s: The image's, in seconds.
            places: Where each target is in 3D, None for one of which that is not known.

        Returns:
            The same targets in the same order, each with its `track_id`; 0 if it does not count.
        """
        places = [None] * len(targets) if places is None else places
        shift = self._motion.update(image)
        if command != self._command or not shift.same_scene or stamp_s < self._newest_s:
            self._tracks = []
        self._command, self._newest_s = command, stamp_s
        self._tracks = [
            track
            for track in self._tracks
            if stamp_s - track.seen_s <= self._config.gap_s and track.missed < _MAX_MISSED
        ]
        matches = self._match(targets, places, shift)
        numbered = []
        for target, place, track in zip(targets, places, matches, strict=True):
            number, best_score = 0, target.score
            if track is not None:
                number = track.target.track_id
                best_score = max(best_score, track.best_score)
                self._tracks.remove(track)
            if (counts := best_score >= min_score) and not number:
                self._given += 1
                number = self._given
            seen = replace(target, track_id=number)
            self._tracks.append(_Track(seen, place, stamp_s, best_score))
            numbered.append(seen if counts else replace(target, track_id=0))
        return tuple(numbered)

    def _match(
        self, targets: Sequence[Target], places: Sequence[Place | None], shift: Shift
    ) -> list[_Track | None]:
        """Return the track of each target, the nearest pairs first; move the others along."""
        # Of a scene of which the near part moves and the rest does not, the shift is one or none.
        moves = {(shift.x, shift.y), (0.0, 0.0)}
        best: list[_Track | None] = [None] * len(targets)
        chosen, most = (0.0, 0.0), (-1, 0.0)
        for move in sorted(moves, key=lambda m: -math.hypot(*m)):
            matches, quality = self._pair(targets, places, move)
            if quality > most:
                best, chosen, most = matches, move, quality
        for track in self._tracks:
            track.move(chosen)
        self._prefer_old(best, targets, places)
        return best

    def _pair(
        self,
        targets: Sequence[Target],
        places: Sequence[Place | None],
        move: tuple[float, float],
    ) -> tuple[list[_Track | None], tuple[int, float]]:
        """Pair tracks, moved, with targets; return also how many pairs, and how near they are."""
        costs = sorted(
            (cost, row, column)
            for row, track in enumerate(self._tracks)
            for column, (target, place) in enumerate(zip(targets, places, strict=True))
            if (cost := self._cost(track, target, place, move)) <= 1.0
        )
        pairs: list[_Track | None] = [None] * len(targets)
        used: set[int] = set()
        total = 0.0
        for cost, row, column in costs:
            if row not in used and pairs[column] is None:
                pairs[column] = self._tracks[row]
                used.add(row)
                total += cost
        return pairs, (len(used), -total)

    def _cost(
        self, track: _Track, target: Target, place: Place | None, move: tuple[float, float]
    ) -> float:
        """Return how far a target is from a track; 1 is the farthest that may be the same."""
        if self._at_another_depth(track, target, place):
            return math.inf
        moved = track.moved[0] + move[0], track.moved[1] + move[1]
        x, y = track.target.x + moved[0], track.target.y + moved[1]
        away_px = math.hypot(target.x - x, target.y - y)
        longer_px = _longer_diagonal(track.target, target)
        reach_px = self._config.reach_share * longer_px
        if away_px > 2.0 * max(reach_px, longer_px):  # neither near nor covered
            return math.inf
        cost = away_px / reach_px * (1.0 - 0.5 * _overlap(track.target, target, moved))
        # The hottest place of one thing may jump from one end to the other.
        covered = _covers(target, x, y) or _covers(
            track.target, target.x - moved[0], target.y - moved[1]
        )
        return min(cost, _COVERED) if covered else cost

    def _at_another_depth(self, track: _Track, target: Target, place: Place | None) -> bool:
        """Return whether a target is too much nearer or farther than a track to be the same."""
        if place is None or track.place is None:
            return False
        longer_m = _longer_diagonal(track.target, target) * place.metres_per_px
        reach_m = max(self._config.reach_m, longer_m)
        return abs(place.distance_m - track.place.distance_m) > reach_m

    def _prefer_old(
        self,
        matches: list[_Track | None],
        targets: Sequence[Target],
        places: Sequence[Place | None],
    ) -> None:
        """Give a target whose region covers an older thing that is not matched that one's number.

        A thing that had two targets for a while has one again, and is what it was before.
        """
        matched = {id(track) for track in matches if track is not None}
        for track in sorted(self._tracks, key=lambda t: t.target.track_id):
            if id(track) in matched or not track.target.track_id:
                continue
            x, y = track.target.x + track.moved[0], track.target.y + track.moved[1]
            newer = [
                (match.target.track_id or math.inf, k)
                for k, match in enumerate(matches)
                if match is not None
                and not 0 < match.target.track_id <= track.target.track_id
                and _covers(targets[k], x, y)
                and not self._at_another_depth(track, targets[k], places[k])
            ]
            if newer:
                matches[max(newer)[1]] = track


def _diagonal(target: Target) -> float:
    """Return the diagonal of a target's region in pixels; 0 where it has none."""
    if target.region is None:
        return 0.0
    return math.hypot(target.region.bbox.width, target.region.bbox.height)


def _longer_diagonal(one: Target, other: Target) -> float:
    """Return the longer of two regions' diagonals in pixels, and not less than the minimum."""
    return max(_diagonal(one), _diagonal(other), _MIN_DIAGONAL_PX)


def _covers(target: Target, x: float, y: float) -> bool:
    """Return whether a place lies in a target's region, or hardly beside it."""
    if target.region is None:
        return False
    box, margin = target.region.bbox, max(1.0, _MARGIN_SHARE * _diagonal(target))
    rows, columns = (
        slice(max(round(place - margin) - first, 0), max(round(place + margin) - first + 1, 0))
        for place, first in ((y, box.y), (x, box.x))
    )
    return bool(target.region.mask[rows, columns].any())


def _overlap(before: Target, now: Target, moved: tuple[float, float]) -> float:
    """Return the intersection over union of two targets' boxes, the first one moved."""
    if before.region is None or now.region is None:
        return 0.0
    one, other = before.region.bbox, now.region.bbox
    left, top = one.x + moved[0], one.y + moved[1]
    width = min(left + one.width, other.x + other.width) - max(left, other.x)
    height = min(top + one.height, other.y + other.height) - max(top, other.y)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (one.width * one.height + other.width * other.height - shared)
