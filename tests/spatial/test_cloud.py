# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from affordance_ros.spatial.cloud import FIELDS
from affordance_ros.spatial.cloud import POINT_STEP
from affordance_ros.spatial.cloud import make_cloud
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.pinhole import PinholeError
from tests.support.depth_damage import as_depth

SIZE = (24, 32)
PINHOLE = Pinhole(30.0, 31.0, 15.2, 11.8, SIZE)


@pytest.fixture
def scene(rng):
    """Return depth in metres with holes, and heat."""
    depth = rng.uniform(0.3, 2.0, SIZE).astype(np.float32)
    depth[rng.random(SIZE) < 0.2] = np.nan
    return depth, rng.random(SIZE, np.float32)


def reference(depth, heat, min_heat, pinhole=PINHOLE):
    """Lift pixel by pixel; return the valid points by (row, column)."""
    points = {}
    for row, column in np.ndindex(*depth.shape):
        z = float(depth[row, column])
        if z > 0 and heat[row, column] >= min_heat:
            x, y, _ = pinhole.deproject(column, row, z)
            points[row, column] = (x, y, z, heat[row, column])
    return points


@pytest.mark.parametrize('min_heat', [0.0, 0.6, 1.1])
def test_an_organised_cloud_has_every_pixel_and_nan_where_nothing_is(scene, min_heat):
    depth, heat = scene
    cloud = make_cloud(heat, depth=as_depth(depth), pinhole=PINHOLE, min_heat=min_heat)
    assert (cloud.points.shape, cloud.points.dtype) == ((24, 32, 4), np.float32)
    expected = reference(depth, heat, min_heat)
    assert not cloud.is_dense
    for row, column in np.ndindex(*SIZE):
        point = cloud.points[row, column]
        if (row, column) in expected:
            np.testing.assert_allclose(point, expected[row, column], rtol=1e-5, atol=1e-6)
        else:
            assert np.isnan(point[:3]).all()
            assert point[3] == heat[row, column]


@pytest.mark.parametrize('min_heat', [0.0, 0.6, 1.1])
def test_an_unorganised_cloud_has_the_valid_points_alone(scene, min_heat):
    depth, heat = scene
    cloud = make_cloud(
        heat, depth=as_depth(depth), pinhole=PINHOLE, min_heat=min_heat, organised=False
    )
    expected = list(reference(depth, heat, min_heat).values())
    assert cloud.points.shape == (1, len(expected), 4)
    assert cloud.is_dense
    if expected:
        np.testing.assert_allclose(cloud.points[0], expected, rtol=1e-5, atol=1e-6)


def test_a_whole_cloud_says_that_it_is_dense():
    depth = as_depth(np.full(SIZE, 700, np.uint16))
    assert make_cloud(np.zeros(SIZE, np.float32), depth=depth, pinhole=PINHOLE).is_dense


def test_depth_of_another_size_keeps_its_own_points_under_interpolated_heat():
    small = PINHOLE.resized((12, 16))
    heat = np.broadcast_to(np.linspace(0, 1, 32, dtype=np.float32), SIZE)
    depth = as_depth(np.full((12, 16), 0.5, np.float32))
    cloud = make_cloud(np.ascontiguousarray(heat), depth=depth, pinhole=PINHOLE)
    expected = small.deproject(np.arange(16), np.arange(12)[:, None], 0.5)
    np.testing.assert_allclose(cloud.points[..., :3], expected, atol=1e-6)
    between = (heat[0, ::2] + heat[0, 1::2]) / 2  # a pixel of depth covers two of the image
    np.testing.assert_allclose(cloud.points[5, :, 3], between, atol=1e-6)
    with pytest.raises(PinholeError, match='16x16 pixels does not fit'):
        make_cloud(heat, depth=as_depth(np.ones((16, 16), np.float32)), pinhole=PINHOLE)


def test_the_fields_are_float32_side_by_side():
    assert FIELDS == (('x', 0), ('y', 4), ('z', 8), ('heat', 12))
    assert POINT_STEP == 16 == 4 * np.float32().itemsize
