# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np

from affordance_ros.targets.target import Target
from affordance_ros.viz.overlay import draw_overlay

GREY = np.full((120, 160, 3), 90, np.uint8)


def test_where_there_is_no_heat_the_image_stays():
    overlay = draw_overlay(GREY, np.zeros((120, 160), np.float32), targets=(), caption='')
    assert np.array_equal(overlay, GREY)


def test_heat_is_absolute_and_grows_with_the_value():
    def change(value):
        heatmap = np.full((120, 160), value, np.float32)
        return np.abs(draw_overlay(GREY, heatmap, targets=(), caption='').astype(int) - GREY).max()

    assert change(0.02) < change(0.3) < change(1.0)
    assert change(0.02) < 5, 'a faint map must not be stretched to its own maximum'


def test_targets_at_every_border_are_drawn_inside():
    cold = np.zeros((120, 160), np.float32)
    for x, y in [(0, 0), (159, 0), (0, 119), (159, 119), (80, 60)]:
        overlay = draw_overlay(GREY, cold, targets=(Target(x, y, 0.5),), caption='')
        rows, columns = np.nonzero((overlay != GREY).any(axis=2))
        near = (np.abs(rows - y) <= 8) & (np.abs(columns - x) <= 8)
        assert near.sum() > 20
        assert (overlay >= 200).all(axis=2).any()


def test_any_caption_is_drawn_and_the_input_is_left_alone():
    image = GREY.copy()
    for caption in ('hold the mug', '切る', '%s {} \\n'):
        overlay = draw_overlay(
            image, np.zeros((120, 160), np.float32), targets=(), caption=caption
        )
        assert (overlay != GREY).any()
    assert np.array_equal(image, GREY)
