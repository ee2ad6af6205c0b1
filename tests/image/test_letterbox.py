# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from affordance_ros.image.letterbox import Letterbox
from tests.support.letterbox_points import to_canvas

SIZES = [(480, 640), (640, 480), (365, 365), (1, 1000), (33, 17), (1080, 1920)]


@pytest.mark.parametrize('source', SIZES)
@pytest.mark.parametrize('shape', ['rectangle', 'square'])
def test_the_canvas_is_a_multiple_of_32_and_holds_the_image(source, shape):
    box = Letterbox.fit(source, size=320, shape=shape)
    assert box.canvas[0] % 32 == 0 and box.canvas[1] % 32 == 0
    assert max(box.inner) == 320 and max(box.canvas) == 320
    assert 0 <= box.top <= box.canvas[0] - box.inner[0]
    assert 0 <= box.left <= box.canvas[1] - box.inner[1]
    if shape == 'square':
        assert box.canvas == (320, 320)


def test_the_rectangle_wastes_less_than_a_stride():
    box = Letterbox.fit((480, 640), size=320)
    assert (box.inner, box.canvas, box.top, box.left) == ((240, 320), (256, 320), 8, 0)


@pytest.mark.parametrize('shape', ['rectangle', 'square'])
def test_a_map_of_the_canvas_comes_back_in_place(shape):
    """A smooth bump drawn on the canvas has its top at the mapped point of the image."""
    box = Letterbox.fit((480, 640), size=320, shape=shape)
    x, y = 403.0, 222.0
    canvas_x, canvas_y = to_canvas(box, x, y)
    rows, columns = np.mgrid[: box.canvas[0], : box.canvas[1]]
    bump = np.exp(-((columns - canvas_x) ** 2 + (rows - canvas_y) ** 2) / 2 / 10.0**2)
    restored = box.restore(bump.astype(np.float32))
    assert restored.shape == (480, 640)
    row, column = np.unravel_index(restored.argmax(), restored.shape)
    assert (column, row) == pytest.approx((x, y), abs=1.0)


def test_a_constant_map_stays_constant_up_to_the_border():
    box = Letterbox.fit((480, 640), size=320)
    assert np.array_equal(
        box.restore(np.full((1, 1), 0.25, np.float32)), np.full((480, 640), 0.25)
    )


def test_shrinking_averages_areas_and_keeps_the_mean(rng):
    image = rng.integers(0, 255, (480, 640, 3), np.uint8)
    box = Letterbox.fit((480, 640), size=320)
    blocks = image.reshape(240, 2, 320, 2, 3).mean(axis=(1, 3))
    assert np.abs(box.shrink(image) - blocks).max() <= 0.51


@pytest.mark.parametrize(
    ('source', 'size', 'shape', 'message'),
    [
        ((0, 10), 320, 'square', 'nothing to look at'),
        ((10, 10), 300, 'square', '300 must be a positive multiple of 32'),
        ((10, 10), 0, 'square', '0 must be a positive multiple of 32'),
        ((10, 10), 320, 'circle', "'circle' is unknown; known are rectangle, square"),
    ],
)
def test_impossible_layouts_are_refused(source, size, shape, message):
    with pytest.raises(ValueError, match=message):
        Letterbox.fit(source, size=size, shape=shape)
