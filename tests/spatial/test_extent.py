# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Sizes and distances of regions, against what the geometry of the scene says."""

import numpy as np
import pytest

from affordance_ros.spatial.extent import measure
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.region_mask import mask_of_depth
from affordance_ros.targets.region import Region
from affordance_ros.targets.target import Target
from tests.support.depth_damage import as_depth
from tests.support.drawn_targets import target_of

SIZE = (240, 320)
PINHOLE = Pinhole(290.0, 300.0, 160.7, 118.2, SIZE)


def box_mask(x, y, width, height, size=SIZE):
    mask = np.zeros(size, bool)
    mask[y : y + height, x : x + width] = True
    return mask


@pytest.mark.parametrize(('width', 'height'), [(20, 30), (61, 7), (150, 120)])
@pytest.mark.parametrize('z', [0.4, 0.9])
def test_a_flat_thing_facing_the_camera_has_its_own_size(width, height, z):
    """A pixel measures z / f, so that the box is as wide as its pixels' centres are apart."""
    depth = np.full(SIZE, z, np.float32)
    got = measure(
        target_of(100, 80, box_mask(90, 70, width, height)), depth=as_depth(depth), pinhole=PINHOLE
    )
    step = -(-max(width, height) // 64)
    expected = [(width - 1) * z / 290, (height - 1) * z / 300, 0.0]
    np.testing.assert_allclose(got.size, expected, atol=step * z / 290)
    assert got.distance_m == pytest.approx(z)
    assert got.area_m2 == pytest.approx(width * height * z**2 / (290 * 300), rel=0.06)
    middle = PINHOLE.deproject(90 + (width - 1) / 2, 70 + (height - 1) / 2, z)
    np.testing.assert_allclose(got.centre, middle, atol=step * z / 290)


def test_what_lies_behind_the_thing_does_not_make_it_larger():
    """The region spills over a mug's edge onto a table farther away, as heat does."""
    depth = np.full(SIZE, 0.8, np.float32)
    depth[70:100, 90:110] = 0.5
    got = measure(
        target_of(100, 85, box_mask(80, 60, 40, 50)), depth=as_depth(depth), pinhole=PINHOLE
    )
    np.testing.assert_allclose(got.size, [19 * 0.5 / 290, 29 * 0.5 / 300, 0.0], atol=1e-6)
    assert got.distance_m == pytest.approx(0.5)


def test_where_the_targets_own_pixel_is_a_hole_the_nearest_one_serves():
    depth = np.full(SIZE, 0.5, np.float32)
    depth[80:90, 95:105] = 0
    got = measure(
        target_of(100, 85, box_mask(80, 60, 40, 50)), depth=as_depth(depth), pinhole=PINHOLE
    )
    assert got.distance_m == pytest.approx(0.5)
    assert got.area_m2 == pytest.approx((40 * 50 - 100) * 0.25 / (290 * 300), rel=1e-4)


def test_a_slanted_thing_has_depth_in_its_box():
    columns = np.arange(320)
    depth = np.broadcast_to(0.5 + 0.001 * (columns - 90), SIZE).astype(np.float32)
    got = measure(
        target_of(100, 85, box_mask(90, 60, 41, 30)), depth=as_depth(depth), pinhole=PINHOLE
    )
    assert got.size[2] == pytest.approx(0.04, abs=1e-5)
    assert got.distance_m == pytest.approx(0.52, abs=1e-5)


@pytest.mark.parametrize('size', [(120, 160), (480, 640)])
def test_depth_of_another_size_gives_the_same_extent(size):
    depth = np.full(size, 0.5, np.float32)
    got = measure(
        target_of(100, 85, box_mask(80, 60, 40, 50)), depth=as_depth(depth), pinhole=PINHOLE
    )
    scale = size[1] / 320
    expected = [(40 * scale - 1) * 0.5 / 290 / scale, (50 * scale - 1) * 0.5 / 300 / scale]
    np.testing.assert_allclose(got.size[:2], expected, atol=2 * 0.5 / 290 / scale)
    assert got.area_m2 == pytest.approx(2000 * 0.25 / (290 * 300), rel=0.06)


def test_nothing_known_gives_no_extent():
    empty = as_depth(np.zeros(SIZE, np.float32))
    target = target_of(100, 85, box_mask(80, 60, 40, 50))
    assert measure(target, depth=empty, pinhole=PINHOLE) is None
    full = as_depth(np.full(SIZE, 0.5, np.float32))
    assert measure(Target(100.0, 85.0, 0.9), depth=full, pinhole=PINHOLE) is None
    speck = target_of(100, 85, box_mask(100, 85, 2, 2))
    assert measure(speck, depth=full, pinhole=PINHOLE) is None


def test_a_region_is_looked_up_pixel_by_pixel(rng):
    """At another size, by the pixel whose area holds the other's middle."""
    mask = rng.random((24, 32)) < 0.4
    mask[5, 6] = True
    region = Region.cut(mask)
    rows, columns = np.arange(24), np.arange(32)
    same = mask_of_depth(region, rows, columns, depth_size=(24, 32), image_size=(24, 32))
    assert (same == mask).all()
    half = mask_of_depth(
        region, np.arange(12), np.arange(16), depth_size=(12, 16), image_size=(24, 32)
    )
    assert (half == mask[1::2, 1::2]).all()
    double = mask_of_depth(
        region, np.arange(48), np.arange(64), depth_size=(48, 64), image_size=(24, 32)
    )
    assert (double == np.kron(mask, np.ones((2, 2), bool))).all()
