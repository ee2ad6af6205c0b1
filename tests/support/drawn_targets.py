# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets whose regions are given as masks of the whole image."""

from affordance_ros.targets.region import Region
from affordance_ros.targets.target import Target


class DrawnRegion:
    """Stands where `Regions` does, and draws what it was given."""

    def __init__(self, mask):
        self._region = Region.cut(mask)

    def draw(self, *_):
        return self._region


def target_of(x, y, mask, score=0.8, track_id=0):
    """Return a target at a place with a region, (H, W) bool."""
    return Target(float(x), float(y), score, track_id, DrawnRegion(mask))
