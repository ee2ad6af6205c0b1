# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""One target for each thing, where it is: on smooth maps whose tops are known exactly."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from affordance_ros.targets.activation import Activation
from affordance_ros.targets.activation import sigmoid
from affordance_ros.targets.instances import InstanceConfig
from affordance_ros.targets.instances import find_instances
from tests.support.drawn_heat import cell_px
from tests.support.drawn_heat import draw
from tests.support.drawn_heat import find
from tests.support.drawn_heat import layout
from tests.support.drawn_heat import whole

# Image size, input size, shape, stride: borders above, beside and around, coarse and fine maps.
LAYOUTS = [
    ((480, 640), 320, 'rectangle', 8),
    ((480, 640), 320, 'square', 8),
    ((480, 640), 320, 'rectangle', 16),
    ((480, 640), 320, 'rectangle', 32),
    ((1080, 1920), 416, 'rectangle', 8),
    ((427, 640), 320, 'rectangle', 16),
    ((640, 427), 448, 'square', 32),
    ((150, 200), 320, 'rectangle', 4),
]


@pytest.mark.parametrize(('source', 'size', 'shape', 'stride'), LAYOUTS)
def test_isolated_things_are_found_within_a_fraction_of_a_cell(source, size, shape, stride, rng):
    box, cells = layout(source, size, shape, stride)
    errors = []
    for _ in range(300):
        x, y = rng.uniform(-0.5, source[1] - 0.5), rng.uniform(-0.5, source[0] - 0.5)
        bump = x, y, rng.uniform(0.5, 0.97), rng.uniform(1.5, 3.0)
        (target,) = find(draw(box, cells, bump))
        errors.append(np.hypot(target.x - x, target.y - y) / cell_px(box, cells))
    assert np.median(errors) <= 0.05
    assert np.percentile(errors, 99) <= 0.5


@pytest.mark.parametrize('stride', [8, 16, 32])
def test_several_things_at_once_are_found_where_they_are(stride, rng):
    box, cells = layout((480, 640), 320, 'rectangle', stride)
    cell = cell_px(box, cells)
    errors = []
    for _ in range(100):
        places = []
        while len(places) < 3:
            place = rng.uniform(0, 639), rng.uniform(0, 479)
            if all(np.hypot(*np.subtract(place, p)) > 8 * cell for p in places) or stride == 32:
                places.append(place)
            if stride == 32 and len(places) == 1:
                break
        bumps = [(x, y, rng.uniform(0.5, 0.95), rng.uniform(1.5, 1.8)) for x, y in places]
        targets = find(draw(box, cells, *bumps))
        assert len(targets) == len(bumps)
        for x, y, *_ in bumps:
            errors.append(min(np.hypot(t.x - x, t.y - y) for t in targets) / cell)
    assert np.median(errors) <= 0.15
    assert np.percentile(errors, 99) <= 0.5


def test_the_score_is_the_heat_of_the_thing_wherever_it_lies_between_cells(rng):
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    for _ in range(200):
        height = rng.uniform(0.4, 0.97)
        bump = rng.uniform(100, 540), rng.uniform(100, 380), height, 2.0
        (target,) = find(draw(box, cells, bump, background=1e-4))
        assert target.score == pytest.approx(height, abs=0.01)


def test_a_cliff_beside_a_cell_does_not_raise_its_score():
    """Logits fall off by eight beside some things of real models; heat does not rise for that."""
    logits = np.full((32, 40), -9.0, np.float32)
    logits[12:16, 10:14] = -0.7
    logits[12, 12] = -0.6
    box, _ = layout((480, 640), 320, 'rectangle', 8)
    (target,) = find(Activation(logits, box))
    assert target.score == pytest.approx(float(sigmoid(np.float32(-0.6))), abs=0.05)


def test_two_things_stay_two_and_a_dent_does_not_make_two_of_one():
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    apart = draw(box, cells, (200, 240, 0.9, 2), (330, 240, 0.8, 2))
    assert [round(t.x) for t in find(apart)] == [200, 330]
    merged = draw(box, cells, (200, 240, 0.8, 2), (265, 240, 0.8, 2))
    (one,) = find(merged)
    assert 195 < one.x < 270


def _hills(heat, min_score, min_prominence):
    """Count hills by lowering a threshold step by step: an independent reference with scipy.

    Two hills that meet are one if either of their tops is not higher than the level at which they
    meet by the prominence.
    """
    levels = np.unique(heat)[::-1]
    tops = {}  # label of a hill (its highest cell) -> height
    owner = np.full(heat.shape, -1)
    for level in levels:
        pieces, count = ndimage.label(heat >= level, structure=np.ones((3, 3)))
        for piece in range(1, count + 1):
            cells = pieces == piece
            owners = {int(o) for o in np.unique(owner[cells]) if o >= 0}
            if not owners:
                new = len(tops)
                tops[new] = heat[cells].max()
                owner[cells] = new
                continue
            # Only hills that could not be told apart become one.
            ranked = sorted(owners, key=lambda o: -tops[o])
            best = ranked[0]
            for low in ranked[1:]:
                if level > (1 - min_prominence) * tops[low]:
                    owner[owner == low] = best
            fresh = cells & (owner < 0)
            near = ndimage.maximum_filter(np.where(owner >= 0, owner, -1), size=3)
            owner[fresh] = np.where(near[fresh] >= 0, near[fresh], best)
    return sum(tops[o] >= min_score for o in {int(o) for o in np.unique(owner) if o >= 0})


def test_hills_are_counted_as_by_lowering_a_threshold(rng):
    """On maps with clear hills, where the order of merging leaves no choice."""
    for _ in range(15):
        heat = np.full((24, 30), 0.01)
        rows, columns = np.mgrid[:24, :30]
        for _ in range(4):
            y, x = rng.uniform(2, 21), rng.uniform(2, 27)
            bump = rng.uniform(0.3, 0.9) * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)
            heat = np.maximum(heat, bump)
        got = find(whole(heat), min_distance_px=0.0, min_score=0.35, min_prominence=0.25)
        # The score is read between cells, so the reference's limit may be missed by a little.
        low, high = (_hills(heat, least, 0.25) for least in (0.37, 0.33))
        assert low <= len(got) <= high


def test_least_distance_keeps_the_better_of_two():
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    activation = draw(box, cells, (200, 240, 0.8, 1.5), (330, 240, 0.9, 1.5))
    assert len(find(activation)) == 2
    (best,) = find(activation, min_distance_px=140.0)
    assert best.x == pytest.approx(330, abs=2)


def test_many_maps_at_once_give_what_each_gives_alone(rng):
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    activations = [
        Activation(3 * cv2.GaussianBlur(noise, (0, 0), 1.5) - 2.0, box)
        for noise in rng.normal(0, 2.5, (30, *cells)).astype(np.float32)
    ]
    together = find_instances(activations)
    alone = [find_instances([activation])[0] for activation in activations]
    assert together == alone
    assert sum(map(len, together)) > 30
    for some, others in zip(together, alone, strict=True):
        for one, other in zip(some, others, strict=True):
            assert one.region.bbox == other.region.bbox
            assert (one.region.mask == other.region.mask).all()
    assert [list(t) for t in together] == [sorted(t, key=lambda one: -one.score) for t in together]


def test_without_a_least_score_every_hill_is_a_target(rng):
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    activation = Activation(rng.normal(-20, 3, cells).astype(np.float32), box)
    everything = find(activation, min_score=0.0, min_distance_px=0.0)
    assert len(everything) > 20
    assert all(target.region.area_px >= 1 for target in everything[:20])


def test_no_maps_give_no_answers():
    assert find_instances([]) == []


@pytest.mark.parametrize('size', [(1, 1), (1, 7), (7, 1), (2, 2)])
def test_tiny_maps_work(size):
    heat = np.linspace(0.4, 0.9, size[0] * size[1]).reshape(size)
    (target,) = find(whole(heat), min_distance_px=0.0)
    assert 0 <= target.x <= size[1] - 1 and 0 <= target.y <= size[0] - 1
    assert target.region.area_px >= 1


@pytest.mark.parametrize(
    ('wrong', 'text'),
    [
        ({'min_score': 1.5}, r'min_score 1.5 must lie in \[0, 1\]'),
        ({'min_prominence': -0.1}, r'min_prominence -0.1 must lie in \[0, 1\]'),
        ({'region_share': 0.0}, r'region_share 0.0 must lie in \[0.05, 0.95\]'),
        ({'min_distance_px': -1.0}, 'min_distance_px -1.0 must not be negative'),
    ],
)
def test_values_out_of_range_are_refused(wrong, text):
    with pytest.raises(ValueError, match=text):
        InstanceConfig(**wrong)
