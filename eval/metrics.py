# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""KLD, SIM and NSS by the protocols of the published AGD20K tables.

Each protocol repeats the arithmetic of the code that made its tables: the order of resizing and
normalising, every epsilon, the strictness of the threshold, the standard deviation's kind. Where
that code works in float32 (the resized map and its min-max, torch's fixation map), so does this;
sums and logarithms are taken in float64, which moves a score by less than 1e-6.

Importing this needs numpy and OpenCV alone.

Sources, all read: LOCATE (github.com/Reagan1311/LOCATE, utils/evaluation.py, utils/util.py,
test.py), OOAL (github.com/Reagan1311/OOAL), Cross-View-AG (github.com/lhc1224/Cross-View-AG,
code/cvpr/test.py) and its extension (code/extension/test.py), WSAG-PLSP
(github.com/woyut/WSAG-PLSP, codes/models/metric.py, codes/eval.py, codes/dataset/data.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from eval.bilinear import resize_as_torch

METRICS = ('kld', 'sim', 'nss')
# What is better: fewer nats of divergence, more overlap, a higher map where people look.
HIGHER_IS_BETTER = {'kld': False, 'sim': True, 'nss': True}
_EPS = 1e-12
_SIDE = 224
_FIXATION_LEVEL = 0.1
# Pixels that are scored at a time: their arrays stay in a core's cache, which halves the time of a
# map of a camera's size.
_BLOCK = 16384


class MapError(ValueError):
    """A predicted map can't be scored: its shape or type is wrong, or it holds NaN."""


class TruthError(ValueError):
    """A ground truth can't be used: its shape or type is wrong."""


@dataclass(frozen=True)
class Protocol:
    """How one family of papers computes its numbers.

    Attributes:
        name: What the command line calls it.
        softmax: True for torch's softmax over the raw map, which is then not scale-free; False
            for min-max, which makes any positive scaling of the map irrelevant.
        side: Both maps are brought to side x side pixels; 0 brings the prediction to the ground
            truth's own size.
        range_eps: Added to the map's maximum minus minimum.
        std_eps: Added to the standard deviation in NSS.
        eps_per_pixel: True where NSS divides by sum(F + 1e-12), False for sum(F) + 1e-12.
        test_folder: The data set's folder that it reads.
        source: Whose code it is.
    """

    name: str
    softmax: bool
    side: int
    range_eps: float
    std_eps: float
    eps_per_pixel: bool
    test_folder: str
    source: str


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol('locate', False, _SIDE, 1e-10, 0.0, True, 'testset', 'LOCATE, CVPR 2023'),
        Protocol('ooal', False, _SIDE, 1e-10, 1e-12, True, 'testset', 'OOAL, CVPR 2024'),
        Protocol(
            'cross-view-ag', False, _SIDE, 0.0, 0.0, True, 'testset', 'Cross-View-AG, CVPR 2022'
        ),
        Protocol(
            'cross-view-ag-plus', False, 0, 1e-12, 0.0, False, 'testsetv2',
            "Cross-View-AG's extension",
        ),
        Protocol('plsp', True, _SIDE, 0.0, 0.0, False, 'testset', 'WSAG-PLSP, ICLR 2025'),
    )
}  # fmt: skip
DEFAULT_PROTOCOL = 'locate'


def find_protocol(name: str) -> Protocol:
    """Return a protocol by its name.

    Raises:
        ValueError: If there is none of this name, with those there are.
    """
    if name not in PROTOCOLS:
        raise ValueError(f'protocol {name!r} is unknown; known are {", ".join(PROTOCOLS)}')
    return PROTOCOLS[name]


def evaluate_pair(
    raw_map: NDArray[np.floating], gt_uint8: NDArray[np.uint8], *, protocol: str = DEFAULT_PROTOCOL
) -> dict[str, float]:
    """Score one predicted map against one ground truth.

    An all-zero ground truth gives 0 / 0 / 0, but `plsp` takes a uniform one in its place.

    A constant prediction is no uniform map to min-max but an empty one: KLD is -log(1e-12) less
    the truth's entropy (about 17), SIM is 0, and NSS is NaN (0 / 0), or 0 in `ooal`.
    `cross-view-ag` gives NaN for all three. `plsp` alone scores it as uniform, with NSS NaN.

    Args:
        raw_map: (H, W) floating, taken as float32: the map as predicted, neither resized nor
            normalised.
        gt_uint8: (H', W') uint8 grey: the ground truth as `cv2.imread` returns it.
        protocol: A name in `PROTOCOLS`.

    Returns:
        'kld' (lower is better), 'sim' and 'nss' (higher is better); NaN where the protocol's
        formula has no value.

    Raises:
        MapError: If the map isn't a (H, W) floating array, is empty, or holds NaN or infinities.
        TruthError: If the ground truth isn't a (H, W) uint8 array, or is empty.
        ValueError: If the protocol is unknown.
    """
    chosen = find_protocol(protocol)
    prediction = check_map(raw_map)
    check_truth(gt_uint8)
    with np.errstate(divide='ignore', invalid='ignore'):
        if chosen.softmax:
            return _softmax_scores(prediction, gt_uint8)
        return _range_scores(prediction, gt_uint8, chosen)


def check_map(raw_map: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return a predicted map as float32.

    Raises:
        MapError: As `evaluate_pair`.
    """
    array = np.asarray(raw_map)
    if array.ndim != 2 or array.size == 0 or not np.issubdtype(array.dtype, np.floating):
        raise MapError(
            f'the map is {array.dtype} {array.shape}; expected a floating array (H, W) with '
            f'H, W > 0, such as a heatmap in float32'
        )
    with np.errstate(over='ignore'):
        array = array.astype(np.float32, copy=False)  # larger numbers become infinite
    if not np.isfinite(array).all():
        nans = int(np.isnan(array).sum())
        infinite = int(np.isinf(array).sum())
        raise MapError(
            f'the map {array.shape} holds {nans} NaN and {infinite} infinite values: no metric '
            f'has a value then; repair the prediction, or leave it out by its name'
        )
    return array


def check_truth(gt_uint8: NDArray[np.uint8]) -> None:
    """Refuse an array that is no ground truth.

    Raises:
        TruthError: As `evaluate_pair`.
    """
    if gt_uint8.dtype != np.uint8 or gt_uint8.ndim != 2 or gt_uint8.size == 0:
        raise TruthError(
            f'the ground truth is {gt_uint8.dtype} {gt_uint8.shape}; expected uint8 (H, W): read '
            f'the file by cv2.imread(path, cv2.IMREAD_GRAYSCALE)'
        )


def _range_scores(
    prediction: NDArray[np.float32], gt_uint8: NDArray[np.uint8], protocol: Protocol
) -> dict[str, float]:
    """Score by min-max: all protocols but `plsp`."""
    size = (protocol.side, protocol.side) if protocol.side else gt_uint8.shape
    truth = _truth_by_block(gt_uint8, size)
    resized = _resize(prediction, *size).ravel()  # float32
    low = resized.min()
    spread = np.float32(float(resized.max() - low) + protocol.range_eps)
    blocks = [slice(start, start + _BLOCK) for start in range(0, resized.size, _BLOCK)]
    scaled = (resized - low) / spread  # float32
    total = sum(scaled[block].sum(dtype=np.float64) for block in blocks)
    share = 1.0 / (total + _EPS)
    kld = sim = squares = above = count = 0.0
    for block in blocks:
        p = scaled[block].astype(np.float64)
        truth_mass, fixated = truth(block)
        mass = p * share
        scratch = np.minimum(mass, truth_mass)
        sim += scratch.sum()
        mass += _EPS
        np.divide(truth_mass, mass, out=scratch)
        scratch += _EPS
        kld += np.dot(truth_mass, np.log(scratch, out=scratch))
        p -= total / resized.size
        squares += np.dot(p, p)
        above += np.dot(p, fixated)
        count += fixated.sum()
    # The sources divide the map by 255 once more for NSS: it cancels, but for what std_eps weighs.
    std = np.sqrt(squares / resized.size) + 255.0 * protocol.std_eps
    # Where std is 0, the sources' 0 / 0 makes NSS NaN even if nothing is fixated: above / std too.
    nss = above / std / (count + _EPS * (resized.size if protocol.eps_per_pixel else 1))
    return {'kld': float(kld), 'sim': float(sim), 'nss': float(nss)}


def _truth_by_block(
    gt_uint8: NDArray[np.uint8], size: tuple[int, ...]
) -> Callable[[slice], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return what gives a block of a truth's mass, which sums to 1, and of its fixations, 1 or 0.

    Blocks are slices of the flattened map of the given size.
    """
    if gt_uint8.shape != size:
        truth = _resize(gt_uint8 / 255.0, *size).ravel()  # float64
        mass = truth / (truth.sum() + _EPS)
        fixated = _fixations(truth, truth.min(), truth.max())
        return lambda block: (mass[block], fixated[block])
    # 256 levels at most: looked up, they cost a tenth of the arithmetic on all pixels.
    flat = gt_uint8.ravel()
    levels = np.arange(256) / 255.0
    total = cv2.sumElems(flat)[0] / 255.0
    tables = (
        levels / (total + _EPS),
        _fixations(levels, levels[flat.min()], levels[flat.max()]),
    )
    return lambda block: tuple(cv2.LUT(flat[block], table).ravel() for table in tables)


def _fixations(
    truth: NDArray[np.float64], low: np.float64, high: np.float64
) -> NDArray[np.float64]:
    """Return 1 where a truth in [0, 1] lies above a tenth of its range, else 0."""
    # Dividing by 255 once more changes what the epsilon weighs, and so belongs to the protocol.
    floor, top = low / 255.0, high / 255.0
    share = (truth / 255.0 - floor) / (top - floor + _EPS)
    return np.asarray(share > _FIXATION_LEVEL, np.float64)


def _softmax_scores(
    prediction: NDArray[np.float32], gt_uint8: NDArray[np.uint8]
) -> dict[str, float]:
    """Score by `plsp`."""
    size = (_SIDE, _SIDE)
    truth = resize_as_torch(gt_uint8, size)
    if truth.max() == 0:
        truth = np.ones_like(truth)
    logits = resize_as_torch(prediction, size).astype(np.float64)
    mass = np.exp(logits - logits.max())
    mass /= mass.sum()
    q = truth / truth.sum(dtype=np.float64)
    # As torch's kl_div: 0 log 0 is 0, so only the others count.
    ratio = np.where(q > 0, q, 1.0)
    ratio /= mass + 1e-10
    kld = np.dot(q.ravel(), np.log(ratio, out=ratio).ravel())
    sim = np.sum(np.minimum(mass, q))
    shares = truth / truth.sum()  # float32, as the threshold is
    scaled = shares / shares.max()
    low = scaled.min()
    fixated = (scaled - low) / (scaled.max() - low + np.float32(_EPS)) >= np.float32(
        _FIXATION_LEVEL
    )
    heat = mass / mass.max()
    heat -= heat.mean()
    std = np.sqrt(np.dot(heat.ravel(), heat.ravel()) / (heat.size - 1))
    nss = np.dot(heat.ravel(), fixated.ravel().astype(np.float64)) / std / (fixated.sum() + _EPS)
    return {'kld': float(kld), 'sim': float(sim), 'nss': float(nss)}


def _resize(image: NDArray, height: int, width: int) -> NDArray:
    """Resize bilinearly by OpenCV, keeping the type."""
    if image.shape == (height, width):
        return image
    if image.min() == image.max():  # stays constant whatever the weights' last bits
        return np.full((height, width), image.flat[0])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR))
