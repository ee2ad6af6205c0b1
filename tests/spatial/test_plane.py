# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import collections

import numpy as np
import pytest

from affordance_ros.spatial.plane import connected_surface
from affordance_ros.spatial.plane import fit_plane


def flood(z, inside, seed, step_m):
    """Reference for `connected_surface`: breadth-first search."""
    found = np.zeros_like(inside)
    found[seed] = True
    queue = collections.deque([seed])
    while queue:
        row, column = queue.popleft()
        for y, x in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if not (0 <= y < z.shape[0] and 0 <= x < z.shape[1]) or found[y, x]:
                continue
            if inside[y, x] and abs(z[y, x] - z[row, column]) <= step_m:
                found[y, x] = True
                queue.append((y, x))
    return found


def test_the_connected_surface_equals_a_flood_fill(rng):
    for _ in range(200):
        shape = tuple(rng.integers(1, 12, 2))
        z = rng.choice([0.5, 0.51, 0.53, np.nan], shape, p=[0.4, 0.3, 0.2, 0.1]).astype(np.float32)
        inside = (rng.random(shape) < 0.85) & np.isfinite(z)
        seeds = np.argwhere(inside)
        if not len(seeds):
            continue
        seed = tuple(int(k) for k in rng.choice(seeds))
        got = connected_surface(z, inside, seed, step_m=0.015)
        np.testing.assert_array_equal(got, flood(z, inside, seed, 0.015))


def test_a_gradual_slope_is_one_surface_and_a_step_ends_it():
    z = np.tile(0.5 + 0.004 * np.arange(12, dtype=np.float32), (5, 1))
    z[:, 8:] += 0.03
    got = connected_surface(z, np.ones_like(z, bool), (2, 3), step_m=0.01)
    assert got[:, :8].all() and not got[:, 8:].any()


def grid(radius=8):
    v, u = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.column_stack([u.ravel(), v.ravel()]).astype(float)


OPTIONS = {'noise_m': 0.002, 'sigma_px': 4.0}


def test_an_exact_plane_is_found_exactly(rng):
    places = grid()
    for _ in range(50):
        plane = np.array([*rng.uniform(-0.01, 0.01, 2), 1 / rng.uniform(0.3, 0.8)])
        z = 1 / (places @ plane[:2] + plane[2])
        got = fit_plane(places, z, own=1 / plane[2], **OPTIONS)
        np.testing.assert_allclose(got, plane, atol=1e-9)


def test_a_noisy_plane_with_outliers_equals_a_fit_without_them(rng):
    """The reference is weighted least squares over the inliers alone, which are known here."""
    places = grid()
    near = np.exp(-(places**2).sum(1) / (2 * 4.0**2))
    for _ in range(50):
        plane = np.array([*rng.uniform(-0.006, 0.006, 2), 1 / rng.uniform(0.4, 0.8)])
        z = 1 / (places @ plane[:2] + plane[2]) + rng.normal(0, 0.002, len(places))
        out = rng.random(len(z)) < 0.3
        out[len(z) // 2] = False
        z[out] += rng.uniform(0.02, 0.3, out.sum())
        got = fit_plane(places, z, own=float(z[len(z) // 2]), **OPTIONS)
        terms = np.column_stack([places, np.ones(len(z))])[~out] * np.sqrt(near[~out])[:, None]
        expected = np.linalg.lstsq(terms, np.sqrt(near[~out]) / z[~out], rcond=None)[0]
        assert 1 / got[2] == pytest.approx(1 / expected[2], abs=0.0005)
        assert 1 / got[2] == pytest.approx(1 / plane[2], abs=0.001)
        np.testing.assert_allclose(got[:2], expected[:2], atol=0.0008)


# A step of little more than the noise passes for a slope, so there the plane lies between.
@pytest.mark.parametrize(('step', 'off'), [(0.012, 0.007), (0.02, 0.003), (0.5, 0.001)])
@pytest.mark.parametrize('side', ['front', 'back'])
def test_of_two_surfaces_the_own_one_is_found(rng, step, off, side):
    places = grid()
    front = places[:, 0] < 1 if side == 'front' else places[:, 0] < -1
    z = np.where(front, 0.5, 0.5 + step) + rng.normal(0, 0.001, len(places))
    own = 0.5 if side == 'front' else 0.5 + step
    got = fit_plane(places, z, own=own, **OPTIONS)
    assert 1 / got[2] == pytest.approx(own, abs=off)


def test_too_few_pixels_or_a_row_of_them_make_no_plane(rng):
    places = grid()
    assert fit_plane(places[:8], np.full(8, 0.5), own=0.5, **OPTIONS) is None
    row = places[places[:, 1] == 0]
    assert fit_plane(row, np.full(len(row), 0.5), own=0.5, **OPTIONS) is None
    assert fit_plane(places, np.full(len(places), 0.9), own=0.5, **OPTIONS) is None
    scattered = rng.uniform(0.3, 0.9, len(places))
    fit_plane(places, scattered, own=0.5, **OPTIONS)  # whatever it finds, it ends
