# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets of activation maps, found on the model's own small maps: one for each thing.

A hill of heat is a target if it stands out of those beside it. Its place is the top of a quadratic
fitted to the logits, mapped back through the letterbox: the maximum of an upsampled map would
always lie on one of the small map's nodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.activation import logit
from affordance_ros.targets.activation import sigmoid
from affordance_ros.targets.basins import find_basins
from affordance_ros.targets.refine import CENTRE
from affordance_ros.targets.refine import Quadratics
from affordance_ros.targets.refine import neighbours
from affordance_ros.targets.region import Regions
from affordance_ros.targets.target import Target

# Between cells heat is higher than at any; a hill whose highest cell has less than this share of
# the least score does not reach it. (A round hill as narrow as a cell has 0.78 of its heat there.)
_MIN_CELL_SHARE = 0.7


@dataclass(frozen=True)
class InstanceConfig:
    """What is a target of its own.

    Attributes:
        min_score: The lowest score of a target, in [0, 1].
        min_prominence: Two hills of heat are two targets if the heat between them falls below the
            lower one's peak by at least this share of it, in [0, 1].
        region_share: Pixels belong to a target's region whose heat is at least this share of its
            peak's, in [0.05, 0.95].
        min_distance_px: The least distance between two targets, in pixels of the image.
    """

    min_score: float = 0.37
    min_prominence: float = 0.5
    region_share: float = 0.4
    min_distance_px: float = 20.0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for name in ('min_score', 'min_prominence'):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f'{name} {getattr(self, name)} must lie in [0, 1]')
        if not 0.05 <= self.region_share <= 0.95:
            raise ValueError(f'region_share {self.region_share} must lie in [0.05, 0.95]')
        if not self.min_distance_px >= 0:
            raise ValueError(f'min_distance_px {self.min_distance_px} must not be negative')


def find_instances(
    activations: Sequence[Activation], config: InstanceConfig | None = None
) -> list[tuple[Target, ...]]:
    """Find the targets of one image's activation maps.

    Args:
        activations: K maps of one size on one letterbox.
        config: What is a target.

    Returns:
        For each map its targets, best first. Regions are drawn when they are asked for.
    """
    if not activations:
        return []
    config = config or InstanceConfig()
    found: list[list[Target]] = [[] for _ in activations]
    box = activations[0].box
    every = np.array([one.logits for one in activations])  # faster than a stack
    window = _cells_in_image(box, every.shape[1:])
    # Bumps below the least score still say where a hill ends.
    floor = logit(config.min_score * config.region_share)
    least = logit(config.min_score * _MIN_CELL_SHARE)
    inside = every[:, window[0], window[1]]
    hot = np.flatnonzero(inside.reshape(len(every), -1).max(axis=1) >= least)
    if not len(hot):
        return [()] * len(activations)
    maps = every if len(hot) == len(every) else every[hot]
    hills = find_basins(
        maps[:, window[0], window[1]], floor=floor, min_prominence=config.min_prominence
    )
    rows, columns = hills.rows + window[0].start, hills.columns + window[1].start
    high = np.flatnonzero(maps[hills.which, rows, columns] >= least)
    which, rows, columns = hills.which[high], rows[high], columns[high]
    offsets = hills.offsets[high]
    cells = np.stack([columns, rows], axis=1)  # (P, 2)
    near = neighbours(maps, which, rows, columns)
    fit = Quadratics(near)
    places = cells + fit.tops()
    level = offsets.any(axis=1)
    places[level] = (cells + offsets)[level]
    first, scale = image_on_map(box, every.shape[1:])
    last = np.array(box.source[::-1]) - 1.0
    wanted = (places - first) * scale
    pixels = np.minimum(np.maximum(wanted, 0.0), last)
    steps = (first + pixels / scale - cells).astype(np.float32)
    scores = _heat_at(near, fit, steps, cut_off=(pixels != wanted).any(axis=1))
    x, y = pixels.T
    order = np.lexsort((-scores, which))  # equal ones stay row by row, as hills are
    order = order[scores[order] >= config.min_score]
    regions = Regions(maps, hills, window, box, config.region_share)
    too_near = config.min_distance_px**2
    # Plain numbers: there are few targets, and numpy costs more for each.
    for number, peak, across, down, score in zip(
        hot[which[order]].tolist(),
        high[order].tolist(),
        x[order].tolist(),
        y[order].tolist(),
        scores[order].tolist(),
        strict=True,
    ):
        others = found[number]
        for other in others:
            if (other.x - across) ** 2 + (other.y - down) ** 2 < too_near:
                break
        else:
            others.append(Target(across, down, score, 0, regions, peak))
    return [tuple(targets) for targets in found]


def _heat_at(
    near: NDArray[np.float32],
    fit: Quadratics,
    steps: NDArray[np.float32],
    *,
    cut_off: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Return (P,) heat at (P, 2) steps from cells, (P, 9) logits around them and their fit.

    At a hill's top, the heat's own quadratic: beside a cliff, which logits have and heat does not,
    that of the logits rises too far. A top is no colder than its cell. Where the image ends before
    the top, the way there leads along the logits, to no more heat than the neighbours have.
    (P,) `cut_off` says where that is.
    """
    heat = sigmoid(near)
    at_top = np.maximum(Quadratics(heat).at(steps), heat[:, CENTRE])
    if cut_off.any():
        on_way = np.minimum(sigmoid(fit.at(steps)), np.fmax.reduce(heat, axis=1))
        at_top = np.where(cut_off, on_way, at_top)
    return np.asarray(np.minimum(np.maximum(at_top, 0.0), 1.0))


@lru_cache(maxsize=16)
def _cells_in_image(box: Letterbox, size: tuple[int, ...]) -> tuple[slice, slice]:
    """Return rows and columns of the cells that show any of the image, not border alone."""
    rows, columns = (
        slice(cut.start * cells // canvas, -(-cut.stop * cells // canvas))
        for cut, cells, canvas in zip(box.window, size, box.canvas, strict=True)
    )
    return rows, columns


@lru_cache(maxsize=16)
def image_on_map(
    box: Letterbox, size: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first pixel's centre in cells, and how many pixels a cell has; both x and y."""
    scale, first = np.empty(2), np.empty(2)
    for place, axis in enumerate((1, 0)):
        stride = box.canvas[axis] / size[axis]
        shrunk = box.inner[axis] / box.source[axis]
        first[place] = (box.window[axis].start + 0.5 * shrunk) / stride - 0.5
        scale[place] = stride / shrunk
    return first, scale
