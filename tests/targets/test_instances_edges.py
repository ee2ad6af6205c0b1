# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Level tops, borders of the image, and tops between cells."""

import numpy as np
import pytest

from affordance_ros.targets.activation import Activation
from affordance_ros.targets.activation import sigmoid
from tests.support.drawn_heat import cell_px
from tests.support.drawn_heat import draw
from tests.support.drawn_heat import find
from tests.support.drawn_heat import layout
from tests.support.drawn_heat import whole
from tests.support.letterbox_points import to_source


def test_a_level_top_gives_one_target_in_its_middle():
    heat = np.full((60, 80), 0.01)
    heat[20:31, 40:61] = 0.9
    (target,) = find(whole(heat))
    assert (target.x, target.y) == (50.0, 25.0)
    heat[20:32, 40:62] = 0.9  # an even number of cells: its middle lies between two
    (target,) = find(whole(heat))
    assert (target.x, target.y) == (50.5, 25.5)


def test_a_level_ring_gives_one_target_on_the_ring():
    heat = np.full((60, 80), 0.01)
    heat[20:31, 40:51] = 0.9
    heat[24:27, 44:47] = 0.01
    (target,) = find(whole(heat))
    assert heat[round(target.y), round(target.x)] == 0.9


def test_a_constant_map_gives_its_middle():
    (target,) = find(whole(np.full((61, 81), 0.5)))
    assert (target.x, target.y) == (40.0, 30.0)
    assert target.score == pytest.approx(0.5, abs=1e-6)
    assert target.region.area_px == 61 * 81


def test_a_saturated_map_gives_one_target():
    """Where heat is 1 to the last digit, logits still differ: that is not a second thing."""
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    logits = np.full(cells, -4.0, np.float32)
    logits[10:20, 10:20] = np.random.default_rng(0).uniform(20, 30, (10, 10))
    assert len(find(Activation(logits, box))) == 1


@pytest.mark.parametrize('wide', [1, 2, 7])
def test_a_level_shoulder_is_no_target(wide):
    rise, fall = np.linspace(0.5, 0.9, 40), np.linspace(0.9, 0.01, 40)
    profile = np.concatenate([np.full(wide, 0.5), rise, fall])
    heat = np.outer(np.hanning(32)[1:-1], profile)
    (target,) = find(whole(heat), min_distance_px=0.0)
    assert target.x == pytest.approx(wide + 39.5, abs=1.0)


@pytest.mark.parametrize('x', [0, 1, 300, 638, 639])
@pytest.mark.parametrize('y', [0, 1, 240, 478, 479])
def test_things_on_the_border_are_found_and_never_leave_the_image(x, y):
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    (target,) = find(draw(box, cells, (x, y, 0.9, 2.0)))
    assert 0 <= target.x <= 639 and 0 <= target.y <= 479
    assert (target.x, target.y) == pytest.approx((x, y), abs=0.5 * cell_px(box, cells))


def test_a_thing_beyond_the_border_is_reported_on_the_border_with_the_heat_there():
    box, cells = layout((480, 640), 320, 'square', 8)
    away_px = -30.0
    (target,) = find(draw(box, cells, (300.0, away_px, 0.9, 2.0)))
    assert target.y == 0.0
    assert target.x == pytest.approx(300.0, abs=2.0)
    cells_away = -away_px / cell_px(box, cells)
    assert target.score == pytest.approx(0.9 * np.exp(-(cells_away**2) / 8), abs=0.08)


def test_heat_on_the_border_of_the_canvas_alone_is_no_target():
    box, cells = layout((480, 640), 320, 'square', 8)
    logits = np.full(cells, -5.0, np.float32)
    logits[:3] = 5.0
    assert find(Activation(logits, box)) == ()


def test_nothing_above_the_least_score_gives_nothing():
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    assert find(draw(box, cells, (300, 200, 0.28, 2)), min_score=0.3) == ()
    assert find(draw(box, cells, background=1e-6)) == ()
    assert len(find(draw(box, cells, (300, 200, 0.32, 2)), min_score=0.3)) == 1


def test_a_thing_whose_top_lies_between_cells_is_not_missed():
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    between = to_source(box, 12 * 8 + 7.5, 12 * 8 + 7.5)  # between four cells
    activation = draw(box, cells, (*between, 0.31, 1.5), background=1e-4)
    assert sigmoid(activation.logits).max() < 0.3
    assert len(find(activation, min_score=0.3)) == 1
