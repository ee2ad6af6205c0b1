# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Scores of many images, one at a time: memory stays flat however many there are."""

import logging
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros_eval.agd20k import Item
from affordance_ros_eval.agd20k import read_truth
from affordance_ros_eval.errors import ImageProblemError
from affordance_ros_eval.errors import Problem
from affordance_ros_eval.metrics import evaluate_pair
from affordance_ros_eval.pointing import points_at

_LOG = logging.getLogger('affordance-eval')
MapSource = Callable[[Item], NDArray[np.float32]]


@dataclass(frozen=True)
class ImageScore:
    """What one image scored.

    Attributes:
        affordance: The action.
        object: The object.
        name: The image's name.
        kld: KLD, NaN where it has no value; as are the next two.
        sim: SIM.
        nss: NSS.
        pointing: Whether the best target lies on the truth; None if the truth is all zero.
        peak: The raw map's maximum.
        constant: True if the raw map has one value everywhere.
        zero_truth: True if the truth is all zero.
    """

    affordance: str
    object: str
    name: str
    kld: float
    sim: float
    nss: float
    pointing: bool | None
    peak: float
    constant: bool
    zero_truth: bool

    @property
    def key(self) -> str:
        """The item's key."""
        return '/'.join(part for part in (self.affordance, self.object, self.name) if part)


def score_items(
    items: Iterable[Item],
    source: MapSource,
    *,
    protocol: str,
    smooth: float = 0.0,
    same_size: bool,
) -> Iterator[ImageScore | Problem]:
    """Score items one by one.

    Args:
        items: What to score.
        source: Gives an item's map; raises ImageProblemError where it can't.
        protocol: A name in `affordance_ros_eval.metrics.PROTOCOLS`.
        smooth: The sigma of a Gaussian over the raw map, in its pixels; 0 for none.
        same_size: Whether a truth of another size than its map is a problem, as it is where maps
            have their image's size.

    Yields:
        A score, or the problem that kept an item from one.
    """
    for item in items:
        try:
            yield score_item(
                item, source(item), protocol=protocol, smooth=smooth, same_size=same_size
            )
        except ImageProblemError as error:
            _LOG.warning('%s: %s', error.kind, error)
            yield error.for_image(item.key)


def score_item(
    item: Item,
    heatmap: NDArray[np.float32],
    *,
    protocol: str,
    smooth: float = 0.0,
    same_size: bool = False,
) -> ImageScore:
    """Score one item's map; arguments as for `score_items`.

    Raises:
        ImageProblemError: If the truth can't be read, is of another size, or transposed.
    """
    truth = read_truth(item.truth)
    if same_size and truth.shape != heatmap.shape:
        came, expected = (f'{a.shape[1]}x{a.shape[0]}' for a in (truth, heatmap))
        raise ImageProblemError(
            'size',
            f'{item.truth} is {came} and its image {expected}: they do not belong together; fetch '
            f'both again',
        )
    if truth.shape != heatmap.shape and truth.shape == heatmap.shape[::-1]:
        raise ImageProblemError(
            'size',
            f'the map of {item.key} is {heatmap.shape} and {item.truth} {truth.shape}: one of '
            f'them has its rows and columns swapped',
        )
    if smooth:
        heatmap = np.asarray(
            cv2.GaussianBlur(heatmap, (0, 0), smooth, borderType=cv2.BORDER_REPLICATE)
        )
    values = evaluate_pair(heatmap, truth, protocol=protocol)
    return ImageScore(
        item.affordance,
        item.object,
        item.name,
        **values,
        pointing=points_at(heatmap, truth),
        peak=float(heatmap.max()),
        constant=bool(heatmap.min() == heatmap.max()),
        zero_truth=not truth.any(),
    )
