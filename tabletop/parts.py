# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Tell the parts of a scanned object apart by rules on points in its own frame."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.errors import CatalogueError
from affordance_ros_tabletop.meshes import Floats


@dataclass(frozen=True)
class PartRules:
    """Rules bound to one scanned object.

    Attributes:
        rules: as in `objects.yaml`, tried in order; the first that fits names the part.
        values: value in a part mask of each rule.
        up: index of the axis that points up when it stands.
        low: (3,) lower corner of its bounding box, metres, unscaled.
        high: (3,) upper corner.
        wall: (x, y, radius) of a mug's wall, metres, unscaled.
    """

    rules: tuple[Mapping[str, Any], ...]
    values: tuple[int, ...]
    up: int
    low: Floats
    high: Floats
    wall: tuple[float, float, float]

    def classify(self, points: Floats) -> NDArray[np.uint8]:
        """Return the part value of each (N, 3) point, metres, unscaled; 0 where no rule fits."""
        result = np.zeros(len(points), np.uint8)
        todo = np.ones(len(points), bool)
        for rule, value in zip(self.rules, self.values, strict=True):
            fits = todo & self._fits(rule, points)
            result[fits] = value
            todo &= ~fits
        return result

    def _fits(self, rule: Mapping[str, Any], points: Floats) -> NDArray[np.bool_]:
        fits = np.ones(len(points), bool)
        if 'outside_wall' in rule:
            x, y, radius = self.wall
            far = np.hypot(points[:, 0] - x, points[:, 1] - y)
            fits &= far > float(rule['outside_wall']) * radius
        if 'outside_radius' in rule or 'inside_radius' in rule:
            middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
            flat = [k for k in range(3) if k != self.up]
            far = np.hypot(*(points[:, flat] - middle[flat]).T) / half[flat].max()
            fits &= far > float(rule.get('outside_radius', -1))
            fits &= far < float(rule.get('inside_radius', np.inf))
        for prefix in ('', 'and_'):
            if f'{prefix}axis' in rule:
                fits &= self._along(rule, prefix, points)
        return fits

    def _along(self, rule: Mapping[str, Any], prefix: str, points: Floats) -> NDArray[np.bool_]:
        name = rule[f'{prefix}axis']
        axis = self.up if name == 'up' else 'xyz'.index(name)
        metres = points[:, axis]
        share = (metres - self.low[axis]) / (self.high[axis] - self.low[axis])
        fits = np.ones(len(points), bool)
        for key, limit in rule.items():
            if not key.startswith(prefix) or (not prefix and key.startswith('and_')):
                continue
            kind = key.removeprefix(prefix)
            if kind == 'above_m':
                fits &= metres > limit
            elif kind == 'below_m':
                fits &= metres < limit
            elif kind == 'above_fraction':
                fits &= share > limit
            elif kind == 'below_fraction':
                fits &= share < limit
            elif kind == 'ends_fraction':
                fits &= np.abs(share - 0.5) > 0.5 - limit
            elif kind not in ('axis', 'part', 'outside_wall', 'outside_radius', 'inside_radius'):
                raise CatalogueError(f'unknown part rule {key!r}')
        return fits


def bind_rules(
    rules: Sequence[Mapping[str, Any]], values: Sequence[int], up: str, vertices: Floats
) -> PartRules:
    """Bind a type's rules to an object with (V, 3) vertices in metres, unscaled."""
    low, high = vertices.min(0), vertices.max(0)
    return PartRules(
        tuple(rules), tuple(values), 'xyz'.index(up), low, high, _wall(vertices, low, high)
    )


def _wall(vertices: Floats, low: Floats, high: Floats) -> tuple[float, float, float]:
    """Find a mug's wall, whose handle sticks out along x: the narrower end has the handle."""
    y, radius = (low[1] + high[1]) / 2, (high[1] - low[1]) / 2
    margin = 0.12 * (high[0] - low[0])
    at_high = np.abs(vertices[vertices[:, 0] > high[0] - margin][:, 1] - y).max()
    at_low = np.abs(vertices[vertices[:, 0] < low[0] + margin][:, 1] - y).max()
    x = low[0] + radius if at_high < at_low else high[0] - radius
    return float(x), float(y), float(radius)
