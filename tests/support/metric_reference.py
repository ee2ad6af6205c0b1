# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The published metrics written a second time, in float64, and random cases for them."""

import functools

import numpy as np

SHAPES = [(224, 224), (320, 240), (97, 131), (30, 40), (448, 448), (225, 223), (480, 640)]
CASES = 200


def matrix(source, target, *, single):
    """Return the (target, source) matrix that resizes one axis bilinearly."""
    if single:  # torch's coordinates
        ratio = np.float32(source) / np.float32(target)
        at = ratio * (np.arange(target, dtype=np.float32) + np.float32(0.5)) - np.float32(0.5)
    else:
        at = (np.arange(target) + 0.5) * (source / target) - 0.5
    at = np.clip(at, 0, source - 1).astype(np.float64)
    weights = np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(source)[None, :]))
    return weights / weights.sum(1, keepdims=True)


def shrink(image, size, *, single=False):
    """Resize by two matrix products in float64."""
    if image.shape == size:
        return image.astype(np.float64)
    rows = matrix(image.shape[0], size[0], single=single)
    columns = matrix(image.shape[1], size[1], single=single)
    return rows @ image.astype(np.float64) @ columns.T


def reference(raw, gt, protocol):
    """Return KLD, SIM and NSS by the formulas, pixel lists in float64."""
    if protocol == 'plsp':
        return reference_plsp(raw, gt)
    size = gt.shape if protocol == 'cross-view-ag-plus' else (224, 224)
    range_eps = {'locate': 1e-10, 'ooal': 1e-10, 'cross-view-ag': 0, 'cross-view-ag-plus': 1e-12}
    # The protocols resize the map in float32 and the truth in float64.
    p = shrink(raw, size).astype(np.float32).astype(np.float64).ravel()
    g = shrink(gt / 255.0, size).ravel()
    p = (p - p.min()) / (p.max() - p.min() + range_eps[protocol])
    mass = p / (p.sum() + 1e-12)
    truth = g / (g.sum() + 1e-12)
    kld = np.dot(truth, np.log(truth / (mass + 1e-12) + 1e-12))
    sim = np.where(mass < truth, mass, truth).sum()
    p, g = p / 255, g / 255
    z = (p - p.sum() / p.size) / (
        np.sqrt(((p - p.sum() / p.size) ** 2).sum() / p.size)
        + (1e-12 if protocol == 'ooal' else 0)
    )
    f = (g - g.min()) / (g.max() - g.min() + 1e-12)
    chosen = z[f > 0.1]
    below = chosen.size + 1e-12 * (1 if protocol == 'cross-view-ag-plus' else f.size)
    return {'kld': kld, 'sim': sim, 'nss': chosen.sum() / below}


def reference_plsp(raw, gt):
    """Return the softmax protocol's scores by its formulas."""
    p = shrink(raw, (224, 224), single=True).astype(np.float32).astype(np.float64).ravel()
    g = shrink(gt, (224, 224), single=True).ravel()
    g = g if g.any() else np.ones_like(g)
    q = g / g.sum()
    mass = np.exp(p) / np.exp(p).sum()
    some = np.flatnonzero(q)
    kld = np.dot(q[some], np.log(q[some] / (mass[some] + 1e-10)))
    sim = np.where(mass < q, mass, q).sum()
    heat, fixation = mass / mass.max(), q / q.max()
    z = (heat - heat.mean()) / np.sqrt(((heat - heat.mean()) ** 2).sum() / (heat.size - 1))
    f = (fixation - fixation.min()) / (fixation.max() - fixation.min() + 1e-12)
    chosen = z[f >= 0.1]
    return {'kld': kld, 'sim': sim, 'nss': chosen.sum() / (chosen.size + 1e-12)}


def bump(rng, shape):
    """Return a few Gaussians, peak 1."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    out = np.zeros(shape)
    for _ in range(rng.integers(1, 4)):
        y, x = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        sigma = rng.uniform(0.03, 0.2) * max(shape)
        across, down = (np.exp(-(d**2) / (2 * sigma**2)) for d in (columns - x, rows - y))
        out = np.maximum(out, down * across)
    return out / out.max()


def decidable(gt):
    """Tell whether no pixel lies so near the fixation level that rounding decides."""
    for size in ((224, 224), gt.shape):
        g = shrink(gt, size)
        if np.any(np.abs((g - g.min()) / np.ptp(g) - 0.1) < 1e-6):
            return False
    return True


@functools.cache
def case(number):
    """Return a prediction and a ground truth: noise, bumps, boxes, wide and tiny ranges."""
    rng = np.random.default_rng(number)
    shape, other = (SHAPES[rng.integers(len(SHAPES))] for _ in range(2))
    kind = number % 6
    if kind == 0:
        raw = rng.random(shape)
    elif kind == 1:
        raw = bump(rng, shape)
    elif kind == 2:
        raw = np.zeros(shape)
        raw[shape[0] // 4 : shape[0] // 2, shape[1] // 3 : shape[1] // 2] = rng.uniform(0.2, 1)
    elif kind == 3:
        raw = 1e-5 * (bump(rng, shape) + 0.1 * rng.random(shape))
    elif kind == 4:
        raw = 0.02 + 0.4 * bump(rng, shape) + 0.2 * rng.random(shape)
    else:
        raw = 8 * bump(rng, shape) - 4 + rng.normal(0, 0.5, shape)
    while True:
        truth = bump(rng, other)
        if number % 7 == 0:
            truth = (truth > 0.5).astype(float)
        elif number % 11 == 0:
            truth = np.maximum(truth, 0.8 * rng.random(other))
        gt = np.rint(truth * 255).astype(np.uint8)
        if decidable(gt):
            return raw.astype(np.float32), gt
