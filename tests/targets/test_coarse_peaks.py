# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What is found on small maps equals what is found on the heatmaps themselves."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.activation import restoring_weights
from affordance_ros.targets.activation import sigmoid
from affordance_ros.targets.coarse_peaks import find_all_targets
from affordance_ros.targets.peaks import find_targets

# Image size, input size, shape, stride: cameras, borders on either side, tall and tiny images.
LAYOUTS = [
    ((480, 640), 320, 'rectangle', 8),
    ((480, 640), 320, 'square', 8),
    ((360, 480), 320, 'rectangle', 8),
    ((1080, 1920), 416, 'rectangle', 8),
    ((427, 640), 320, 'rectangle', 8),
    ((640, 427), 320, 'rectangle', 32),
    ((240, 320), 320, 'rectangle', 8),
    ((150, 200), 320, 'rectangle', 8),
    ((60, 80), 320, 'rectangle', 8),
    ((7, 500), 320, 'rectangle', 8),
    ((1, 1), 64, 'square', 8),
]


def random_maps(rng, box, stride, count, *, blur):
    size = (count, box.canvas[0] // stride, box.canvas[1] // stride)
    maps = rng.normal(0, 2.5, size).astype(np.float32)
    if blur:
        maps = np.stack([3 * cv2.GaussianBlur(one, (0, 0), blur) for one in maps])
    return maps


def both_ways(maps, box, *, min_score, **options):
    """Return targets found on the maps and targets found on the whole restored logits."""
    activations = [Activation(one, box) for one in maps]
    least = np.log(min_score / (1 - min_score)) if min_score else -np.inf
    whole = [
        [
            replace(target, score=float(sigmoid(np.float32(target.score))))
            for target in find_targets(activation.restore(), min_score=least, **options)
        ]
        for activation in activations
    ]
    return find_all_targets(activations, min_score=min_score, **options), whole


def assert_same(found, whole, *, within_px=0.5):
    for some, others in zip(found, whole, strict=True):
        assert len(some) == len(others)
        for one, other in zip(some, others, strict=True):
            assert abs(one.x - other.x) < within_px and abs(one.y - other.y) < within_px
            assert abs(one.score - other.score) < 1e-5


@pytest.mark.parametrize(('source', 'size', 'shape', 'stride'), LAYOUTS)
@pytest.mark.parametrize('blur', [0, 1.5])
@pytest.mark.parametrize(('min_score', 'max_targets'), [(0.3, 5), (0.0, 1000)])
def test_targets_equal_those_of_the_whole_heatmap(
    source, size, shape, stride, blur, min_score, max_targets, rng
):
    box = Letterbox.fit(source, size=size, shape=shape)
    maps = random_maps(rng, box, stride, 12, blur=blur)
    options = {'min_score': min_score, 'min_distance_px': 20.0, 'max_targets': max_targets}
    found, whole = both_ways(maps, box, **options)
    assert_same(found, whole)


def test_no_heatmap_is_made_for_common_cameras(rng, monkeypatch):
    box = Letterbox.fit((480, 640), size=320)
    maps = random_maps(rng, box, 8, 4, blur=1.5)
    maps[0, 0, 5] = maps[1, 7, -1] = maps[2, 0, 0] = 9.0  # on the border, where it is level
    maps[3] *= 100.0  # where float32's heat is 1
    monkeypatch.setattr(Letterbox, 'restore', lambda *_: pytest.fail('restored'))
    activations = [Activation(one, box) for one in maps]
    found = find_all_targets(activations, min_score=0.3, min_distance_px=20, max_targets=5)
    assert all(found)
    with pytest.raises(pytest.fail.Exception, match='restored'):
        _ = activations[0].heatmap


@pytest.mark.parametrize('kind', ['flat', 'two equal points', 'saturated', 'rounded'])
def test_flat_tops_have_the_middle_that_the_whole_heatmap_shows(kind, rng):
    """Where points are equal, peaks are not at points; where only heat is equal, they are."""
    box = Letterbox.fit((480, 640), size=320)
    maps = random_maps(rng, box, 8, 6, blur=2.0)
    if kind == 'flat':
        maps[:] = 1.0
    elif kind == 'two equal points':
        maps[:, 10, 20:22] = maps.max() + 1
    elif kind == 'saturated':
        maps *= 20
    else:
        maps = np.round(maps * 4) / 4
    found, whole = both_ways(maps, box, min_score=0.3, min_distance_px=20.0, max_targets=5)
    assert_same(found, whole, within_px=1e-3)
    assert all(found)


@pytest.mark.parametrize('corner', [(0, 0), (0, -1), (-1, 0), (-1, -1)])
def test_peaks_on_the_border_and_beyond_it_are_found(corner):
    """On a square canvas the map rises towards points that lie outside the image."""
    box = Letterbox.fit((480, 640), size=320, shape='square')
    maps = np.full((1, 40, 40), -3.0, np.float32)
    maps[0][corner] = 30.0
    rows, columns = np.indices((40, 40))
    away = np.hypot(rows - corner[0] % 40, columns - corner[1] % 40)
    maps[0] = 7.0 - 0.3 * away
    found, whole = both_ways(maps, box, min_score=0.0, min_distance_px=20.0, max_targets=5)
    assert len(found[0]) == len(whole[0]) >= 1
    assert found[0][0].y in (0, 479)
    assert abs(found[0][0].x - whole[0][0].x) < 0.5


@pytest.mark.parametrize(('source', 'size', 'shape', 'stride'), LAYOUTS)
def test_the_weights_restore_as_the_letterbox_does(source, size, shape, stride, rng):
    box = Letterbox.fit(source, size=size, shape=shape)
    (one,) = random_maps(rng, box, stride, 1, blur=0)
    rows, columns = restoring_weights(box, one.shape)
    assert np.abs(rows @ one @ columns.T - box.restore(one)).max() < 1e-4
