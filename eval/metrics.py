# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""KLD, SIM and NSS by the protocols of the published AGD20K tables.

Each protocol repeats the arithmetic of the code that made its tables: the order of resizing and
normalising, every epsilon, the strictness of the threshold, the standard deviation's kind. Where
that code works in float32 (the resized map and its min-max, torch's fixation map), so does this;
sums and logarithms are taken in float64, which moves a score by less than 1e-6. `published_*` say
it plainly, one function a protocol; `evaluate_pair` runs their faster forms.

Importing this needs numpy and OpenCV alone.

Sources, all read: LOCATE (github.com/Reagan1311/LOCATE, utils/evaluation.py, utils/util.py,
test.py), OOAL (github.com/Reagan1311/OOAL), Cross-View-AG (github.com/lhc1224/Cross-View-AG,
code/cvpr/test.py) and its extension (code/extension/test.py), WSAG-PLSP
(github.com/woyut/WSAG-PLSP, codes/models/metric.py, codes/eval.py, codes/dataset/data.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from affordance_ros_eval.bilinear import resize_as_opencv
from affordance_ros_eval.bilinear import resize_as_torch
from affordance_ros_eval.fast_metrics import EPS
from affordance_ros_eval.fast_metrics import FIXATION_LEVEL
from affordance_ros_eval.fast_metrics import SIDE
from affordance_ros_eval.fast_metrics import range_scores
from affordance_ros_eval.fast_metrics import softmax_scores

METRICS = ('kld', 'sim', 'nss')
# What is better: fewer nats of divergence, more overlap, a higher map where people look.
HIGHER_IS_BETTER = {'kld': False, 'sim': True, 'nss': True}
# A raw map (H, W) float32 and a ground truth (H', W') uint8 in, a value for each metric out.
Scores: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.uint8]], dict[str, float]]


class MapError(ValueError):
    """A predicted map can't be scored: its shape or type is wrong, or it holds NaN."""


class TruthError(ValueError):
    """A ground truth can't be used: its shape or type is wrong."""


def published_locate(raw: NDArray[np.float32], gt: NDArray[np.uint8]) -> dict[str, float]:
    """Score as LOCATE does (utils/evaluation.py, test.py)."""
    resized, g = _at_224(raw, gt)
    p = _min_max(resized, range_eps=1e-10)
    return {'kld': _kld(p, g), 'sim': _sim(p, g), 'nss': _nss(p, g)}


def published_ooal(raw: NDArray[np.float32], gt: NDArray[np.uint8]) -> dict[str, float]:
    """Score as OOAL does: as LOCATE, with an epsilon beside NSS's standard deviation."""
    resized, g = _at_224(raw, gt)
    p = _min_max(resized, range_eps=1e-10)
    return {'kld': _kld(p, g), 'sim': _sim(p, g), 'nss': _nss(p, g, std_eps=1e-12)}


def published_cross_view_ag(raw: NDArray[np.float32], gt: NDArray[np.uint8]) -> dict[str, float]:
    """Score as Cross-View-AG does (code/cvpr/test.py): no epsilon in min-max."""
    resized, g = _at_224(raw, gt)
    p = _min_max(resized, range_eps=0.0)
    return {'kld': _kld(p, g), 'sim': _sim(p, g), 'nss': _nss(p, g)}


def published_cross_view_ag_plus(
    raw: NDArray[np.float32], gt: NDArray[np.uint8]
) -> dict[str, float]:
    """Score as Cross-View-AG's extension (code/extension/test.py): at the truth's own size."""
    g = gt / 255.0
    p = _min_max(resize_as_opencv(raw, *g.shape), range_eps=1e-12)
    return {'kld': _kld(p, g), 'sim': _sim(p, g), 'nss': _nss(p, g, eps_per_pixel=False)}


def published_plsp(raw: NDArray[np.float32], gt: NDArray[np.uint8]) -> dict[str, float]:
    """Score as WSAG-PLSP does (codes/models/metric.py): softmax over the raw map, in torch."""
    g = resize_as_torch(gt, (SIDE, SIDE))
    g = g if g.max() > 0 else np.ones_like(g)
    logits = resize_as_torch(raw, (SIDE, SIDE)).astype(np.float64)
    p = np.exp(logits - logits.max())
    p /= p.sum()
    q = g / g.sum(dtype=np.float64)
    some = q > 0  # torch's kl_div: 0 log 0 is 0
    kld = (q[some] * np.log(q[some] / (p[some] + 1e-10))).sum()
    heat, shares = p / p.max(), g / g.sum()  # float32, as the threshold is
    scaled = shares / shares.max()
    scaled = (scaled - scaled.min()) / (scaled.max() - scaled.min() + np.float32(EPS))
    fixated = scaled >= np.float32(FIXATION_LEVEL)
    z = (heat - heat.mean()) / heat.std(ddof=1)
    nss = (z * fixated).sum() / (fixated.sum() + EPS)
    return {'kld': float(kld), 'sim': float(np.minimum(p, q).sum()), 'nss': float(nss)}


def _at_224(
    raw: NDArray[np.float32], gt: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    return resize_as_opencv(raw, SIDE, SIDE), resize_as_opencv(gt / 255.0, SIDE, SIDE)


def _min_max(p: NDArray[np.float32], *, range_eps: float) -> NDArray[np.float64]:
    """Return a map stretched to [0, 1] in its own float32."""
    spread = np.float32(float(p.max() - p.min()) + range_eps)
    return ((p - p.min()) / spread).astype(np.float64)


def _kld(p: NDArray[np.float64], g: NDArray[np.float64]) -> float:
    """Return sum_i G_i log(G_i / (P_i + eps) + eps) of the maps divided by their sums."""
    p, g = p / (p.sum() + EPS), g / (g.sum() + EPS)
    return float((g * np.log(g / (p + EPS) + EPS)).sum())


def _sim(p: NDArray[np.float64], g: NDArray[np.float64]) -> float:
    """Return sum_i min(P_i, G_i) of the maps divided by their sums."""
    return float(np.minimum(p / (p.sum() + EPS), g / (g.sum() + EPS)).sum())


def _nss(
    p: NDArray[np.float64],
    g: NDArray[np.float64],
    *,
    std_eps: float = 0.0,
    eps_per_pixel: bool = True,
) -> float:
    """Return the mean of the standardised map where the truth is above a tenth of its range."""
    p, g = p / 255.0, g / 255.0  # as published: it changes what the epsilons weigh
    z = (p - p.mean()) / (p.std() + std_eps)
    fixated = (g - g.min()) / (g.max() - g.min() + EPS) > FIXATION_LEVEL
    count = fixated.sum() + EPS * (fixated.size if eps_per_pixel else 1)
    return float((z * fixated).sum() / count)


@dataclass(frozen=True)
class Protocol:
    """How one family of papers computes its numbers.

    `published` is the arithmetic as its authors wrote it, `fast` the same in fewer passes.
    """

    name: str  # what the command line calls it
    source: str  # whose code it is
    published: Scores
    fast: Scores
    test_folder: str = 'testset'  # the data set's folder that it reads


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            'locate', 'LOCATE, CVPR 2023', published_locate,
            partial(range_scores, side=SIDE, range_eps=1e-10, std_eps=0.0, eps_per_pixel=True),
        ),
        Protocol(
            'ooal', 'OOAL, CVPR 2024', published_ooal,
            partial(range_scores, side=SIDE, range_eps=1e-10, std_eps=1e-12, eps_per_pixel=True),
        ),
        Protocol(
            'cross-view-ag', 'Cross-View-AG, CVPR 2022', published_cross_view_ag,
            partial(range_scores, side=SIDE, range_eps=0.0, std_eps=0.0, eps_per_pixel=True),
        ),
        Protocol(
            'cross-view-ag-plus', "Cross-View-AG's extension", published_cross_view_ag_plus,
            partial(range_scores, side=0, range_eps=1e-12, std_eps=0.0, eps_per_pixel=False),
            'testsetv2',
        ),
        Protocol('plsp', 'WSAG-PLSP, ICLR 2025', published_plsp, softmax_scores),
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

    A constant prediction is an empty map to min-max, not a uniform one: KLD is -log(1e-12) less
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
        return chosen.fast(prediction, gt_uint8)


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
    """Refuse an array that is not a ground truth.

    Raises:
        TruthError: As `evaluate_pair`.
    """
    if gt_uint8.dtype != np.uint8 or gt_uint8.ndim != 2 or gt_uint8.size == 0:
        raise TruthError(
            f'the ground truth is {gt_uint8.dtype} {gt_uint8.shape}; expected uint8 (H, W): read '
            f'the file by cv2.imread(path, cv2.IMREAD_GRAYSCALE)'
        )
