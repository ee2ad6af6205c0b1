# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets with what depth says of them, and which of them are too small, large, near or far."""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

from affordance_ros.spatial.extent import Extent
from affordance_ros.spatial.extent import measure
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.lift import locate
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.targets.grounding import TOO_LARGE
from affordance_ros.targets.grounding import TOO_SMALL
from affordance_ros.targets.grounding import Grounding
from affordance_ros.targets.target import Target

TOO_NEAR, TOO_FAR = 'too_near', 'too_far'

_MAX_WEAK = 8  # located below the least score, since each costs time


@dataclass(frozen=True, eq=False)
class LocatedTarget:
    """A target, and where and how large it is in 3D.

    Attributes:
        target: Its place and region in the image.
        point: Where it is, or why that is not known.
        extent: How large and how far its region is; None where that is not known.
    """

    target: Target
    point: SurfacePoint | NoPoint
    extent: Extent | None = None

    def with_track(self, track_id: int) -> 'LocatedTarget':
        """Return the same target under the number that it keeps over frames."""
        return replace(self, target=replace(self.target, track_id=track_id))


@dataclass(frozen=True)
class DepthGate:
    """Which targets are too small, too large, too near or too far to be what is meant.

    A target of which depth says nothing passes.

    Attributes:
        min_area_m2: The least area of a target's region, in square metres as seen.
        max_area_m2: The greatest; 0 for any.
        nearest_m: The least distance, the median of the region's depth.
        farthest_m: The greatest; 0 for any.
    """

    min_area_m2: float = 0.0
    max_area_m2: float = 0.0
    nearest_m: float = 0.0
    farthest_m: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for low, high in (('min_area_m2', 'max_area_m2'), ('nearest_m', 'farthest_m')):
            least, most = getattr(self, low), getattr(self, high)
            if not (least >= 0 and most >= 0):
                raise ValueError(f'{low} {least} and {high} {most} must not be negative')
            if 0 < most < least:
                raise ValueError(
                    f'no target lies between {low} {least} and {high} {most}: raise {high}, or '
                    f'set it to 0 for any'
                )

    def refuse(self, extent: Extent | None) -> str:
        """Return why a target does not pass; '' where it does."""
        if extent is None:
            return ''
        if extent.area_m2 < self.min_area_m2:
            return TOO_SMALL
        if 0 < self.max_area_m2 < extent.area_m2:
            return TOO_LARGE
        if extent.distance_m < self.nearest_m:
            return TOO_NEAR
        return TOO_FAR if 0 < self.farthest_m < extent.distance_m else ''


@dataclass(frozen=True)
class Selection:
    """The targets of an answer that pass all gates.

    Attributes:
        targets: Best first, at most as many as are wanted.
        weak: Those below the least score that pass, best first: see `Grounding`.
        min_score: The least score of a target, in [0, 1].
        max_targets: How many are wanted.
        refused: How many of the better ones do not pass, by cause.
    """

    targets: tuple[LocatedTarget, ...]
    weak: tuple[LocatedTarget, ...]
    min_score: float
    max_targets: int
    refused: Mapping[str, int]


def select(grounding: Grounding, rgbd: Rgbd | NoRgbd, gate: DepthGate | None = None) -> Selection:
    """Locate an answer's best targets, passing over those that a gate refuses."""
    gate = gate or DepthGate()
    targets, refused = _locate(grounding.candidates, grounding.max_targets, rgbd, gate)
    weak, _ = _locate(grounding.weak, _MAX_WEAK, rgbd, gate)
    refused += Counter(grounding.refused)
    return Selection(targets, weak, grounding.min_score, grounding.max_targets, refused)


def _locate(
    candidates: Sequence[Target], limit: int, rgbd: Rgbd | NoRgbd, gate: DepthGate
) -> tuple[tuple[LocatedTarget, ...], Counter[str]]:
    """Return at most so many that pass, and how many of the better ones do not, by cause."""
    refused: Counter[str] = Counter()
    chosen: list[LocatedTarget] = []
    for target in candidates:
        if len(chosen) == limit:
            break
        if isinstance(rgbd, NoRgbd):
            chosen.append(LocatedTarget(target, NoPoint(rgbd.reason)))
            continue
        extent = measure(target, depth=rgbd.depth, pinhole=rgbd.pinhole)
        if cause := gate.refuse(extent):
            refused[cause] += 1
            continue
        point = locate(target, depth=rgbd.depth, pinhole=rgbd.pinhole)
        chosen.append(LocatedTarget(target, point, extent))
    return tuple(chosen), refused
