# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from affordance_ros.targets.refine import Quadratics
from affordance_ros.targets.refine import neighbours


def quadratic(top, curvatures, angle):
    """Return a function of x and y with its top at a place, and its value there, 2.0."""
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    form = turn @ np.diag(curvatures) @ turn.T

    def value(x, y):
        d = np.stack([x - top[0], y - top[1]], axis=-1)
        return 2.0 - 0.5 * np.einsum('...i,ij,...j', d, form, d)

    return value


def test_a_quadratics_top_and_value_are_exact(rng):
    """The reference is the function that the samples were taken from."""
    x, y = np.meshgrid(np.arange(9.0), np.arange(7.0))
    for _ in range(200):
        top = 4 + rng.uniform(-0.5, 0.5), 3 + rng.uniform(-0.5, 0.5)
        ratio = rng.uniform(1, 2)
        value = quadratic(top, (1.0, ratio), rng.uniform(0, np.pi))
        maps = value(x, y)[None].astype(np.float32)
        row, column = np.unravel_index(maps[0].argmax(), maps[0].shape)
        near = neighbours(maps, np.array([0]), np.array([row]), np.array([column]))
        fit = Quadratics(near)
        step = fit.tops()
        assert (column + step[0, 0], row + step[0, 1]) == pytest.approx(top, abs=1e-4)
        assert fit.at(step)[0] == pytest.approx(2.0, abs=1e-4)
        aside = np.array([[0.3, -0.2]], np.float32)
        assert fit.at(aside)[0] == pytest.approx(value(column + 0.3, row - 0.2), abs=1e-4)


def test_neighbours_are_the_maps_own_and_nan_off_it(rng):
    maps = rng.normal(size=(3, 4, 5)).astype(np.float32)
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    which, rows, columns = np.indices(maps.shape).reshape(3, -1)
    near = neighbours(maps, which, rows, columns)
    for got, m, r, c in zip(near, which, rows, columns, strict=True):
        np.testing.assert_array_equal(got.reshape(3, 3), padded[m, r : r + 3, c : c + 3])


@pytest.mark.parametrize('kind', ['ridge', 'level', 'saddle'])
def test_where_there_is_no_top_nothing_leaves_the_cell(kind):
    form = {
        'ridge': [[1, 3, 1], [1, 3, 1], [1, 3, 1]],
        'level': [[2, 2, 2], [2, 2, 2], [2, 2, 2]],
        'saddle': [[2.9, 1, 0], [1, 3, 1], [0, 1, 2.9]],
    }[kind]
    fit = Quadratics(np.reshape(form, (1, 9)).astype(np.float32))
    assert np.abs(fit.tops()).max() <= 0.5


def test_on_the_border_a_round_hill_is_found_from_three_sides(rng):
    rows = np.arange(8.0)
    for _ in range(100):
        x, y = rng.uniform(-0.5, 0.5), 4 + rng.uniform(-0.5, 0.5)
        columns = np.arange(6.0)
        hill = -((columns[None] - x) ** 2 + (rows[:, None] - y) ** 2)
        row, column = np.unravel_index(hill.argmax(), hill.shape)
        assert column == 0
        near = neighbours(
            hill[None].astype(np.float32), np.array([0]), np.array([row]), np.array([column])
        )
        ((step_x, step_y),) = Quadratics(near).tops()
        assert (step_x, row + step_y) == pytest.approx((x, y), abs=1e-4)


def test_from_a_cell_below_its_neighbour_the_way_is_up():
    """Cells beyond the image's border are not looked at, but the fit sees them."""
    near = np.array([[0, 2, 0, 0, 1, 0, 0, 0.9, 0]], np.float32)
    ((_, step_y),) = Quadratics(near).tops()
    assert step_y == -1.0
