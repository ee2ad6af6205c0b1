# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from scipy import ndimage

from affordance_ros.targets.peaks import find_targets

OPTIONS = {'min_score': 0.3, 'min_distance_px': 10.0, 'max_targets': 100}


def bumps(shape, *centres, sigma=6.0, tilt=0.0):
    """Draw Gaussians (x, y, height), stretched along a diagonal by `tilt`."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    image = np.zeros(shape)
    for x, y, height in centres:
        dx, dy = columns - x, rows - y
        form = (dx**2 + dy**2 - 2 * tilt * dx * dy) / (1 - tilt**2)
        image = np.maximum(image, height * np.exp(-form / (2 * sigma**2)))
    return image.astype(np.float32)


def reference(heatmap, min_score, min_distance_px):
    """Find peaks with scipy and greedy suppression over all pixels; unique maxima only."""
    top = ndimage.maximum_filter(heatmap, size=3, mode='constant', cval=-np.inf)
    rows, columns = np.nonzero((heatmap == top) & (heatmap >= min_score))
    order = np.argsort(-heatmap[rows, columns], kind='stable')
    kept = []
    for row, column in zip(rows[order], columns[order], strict=True):
        if all(np.hypot(row - r, column - c) >= min_distance_px for r, c in kept):
            kept.append((row, column))
    return kept


def test_peaks_equal_scipys_on_random_maps(rng):
    for _ in range(20):
        heatmap = ndimage.gaussian_filter(rng.random((70, 90)), 2.0)
        heatmap = ((heatmap - heatmap.min()) / np.ptp(heatmap)).astype(np.float32)
        targets = find_targets(heatmap, **OPTIONS)
        expected = reference(heatmap, 0.3, 10.0)
        assert [t.score for t in targets] == [heatmap[row, column] for row, column in expected]
        for target, (row, column) in zip(targets, expected, strict=True):
            assert abs(target.x - column) <= 1.0 and abs(target.y - row) <= 1.0


@pytest.mark.parametrize('tilt', [0.0, 0.6, -0.6])
def test_sub_pixel_position_is_right_within_a_twentieth(rng, tilt):
    for _ in range(50):
        x, y = rng.uniform(20, 60), rng.uniform(20, 40)
        (target,) = find_targets(bumps((60, 80), (x, y, 0.9), tilt=tilt), **OPTIONS)
        assert (target.x, target.y) == pytest.approx((x, y), abs=0.05)


@pytest.mark.parametrize(
    ('x', 'y'), [(0, 0), (79, 59), (0, 30), (79, 30), (40, 0), (40, 59), (1, 1), (78, 58)]
)
def test_border_peak_is_found_and_never_leaves_the_image(x, y):
    (target,) = find_targets(bumps((60, 80), (x, y, 0.9)), **OPTIONS)
    assert (target.x, target.y) == pytest.approx((x, y), abs=0.01)


def test_a_peak_beyond_the_border_is_reported_on_the_border():
    (target,) = find_targets(bumps((60, 80), (-3.0, 30.4, 0.9)), **OPTIONS)
    assert target.x == 0.0
    assert target.y == pytest.approx(30.4, abs=0.05)


def test_nothing_above_the_least_score_gives_an_empty_result():
    assert find_targets(bumps((60, 80), (40, 30, 0.29)), **OPTIONS) == ()
    assert find_targets(np.zeros((60, 80), np.float32), **OPTIONS) == ()
    assert len(find_targets(bumps((60, 80), (40, 30, 0.31)), **OPTIONS)) == 1


def test_least_distance_keeps_the_better_of_two_close_peaks():
    heatmap = bumps((60, 80), (30, 30, 0.8), (44, 30, 0.9), sigma=3.0)
    assert len(find_targets(heatmap, **OPTIONS)) == 2
    (best,) = find_targets(heatmap, **{**OPTIONS, 'min_distance_px': 20.0})
    assert best.x == pytest.approx(44, abs=0.05)


def test_no_more_than_max_targets():
    heatmap = bumps((60, 80), (10, 30, 0.7), (40, 30, 0.9), (70, 30, 0.8), sigma=3.0)
    targets = find_targets(heatmap, **{**OPTIONS, 'max_targets': 2})
    assert [round(t.x) for t in targets] == [40, 70]


def test_a_flat_top_gives_one_target_in_its_middle():
    heatmap = np.zeros((60, 80), np.float32)
    heatmap[20:31, 40:61] = 1.0
    (target,) = find_targets(heatmap, **OPTIONS)
    assert (target.x, target.y) == (50.0, 25.0)


def test_a_flat_ring_gives_a_target_on_the_ring():
    heatmap = np.zeros((60, 80), np.float32)
    heatmap[20:31, 40:51] = 1.0
    heatmap[24:27, 44:47] = 0.0
    (target,) = find_targets(heatmap, **{**OPTIONS, 'min_distance_px': 30.0})
    assert heatmap[round(target.y), round(target.x)] == 1.0


def test_a_constant_map_gives_its_middle():
    (target,) = find_targets(np.full((61, 81), 0.5, np.float32), **OPTIONS)
    assert (target.x, target.y, target.score) == (40.0, 30.0, 0.5)


def test_tiny_maps_work():
    (target,) = find_targets(np.full((1, 1), 0.5, np.float32), **OPTIONS)
    assert (target.x, target.y) == (0.0, 0.0)
    (target,) = find_targets(np.array([[0.1, 0.9]], np.float32), **OPTIONS)
    assert (target.x, target.y) == (1.0, 0.0)


@pytest.mark.parametrize('shape', [(0, 5), (3,), (2, 2, 2)])
def test_what_is_no_map_is_refused(shape):
    with pytest.raises(ValueError, match='heatmap must be'):
        find_targets(np.zeros(shape, np.float32), **OPTIONS)


@pytest.mark.parametrize('wide', [1, 2, 7])
def test_a_level_shoulder_is_no_target(wide):
    """Beside a border, interpolation leaves pixels equal that look up to the inside."""
    rise, fall = np.linspace(0.5, 0.9, 40), np.linspace(0.9, 0, 40)
    profile = np.concatenate([np.full(wide, 0.5), rise, fall])
    heatmap = np.outer(np.hanning(32)[1:-1], profile).astype(np.float32)
    (target,) = find_targets(heatmap, **{**OPTIONS, 'min_distance_px': 1.0})
    assert target.x == pytest.approx(wide + 39.5, abs=1.0)
