# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Regions are the connected, hot pixels around a target, and no other target's."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.grounding import SizeGate
from affordance_ros.targets.instances import InstanceConfig
from affordance_ros.targets.instances import find_instances
from affordance_ros.targets.mask import draw_mask
from affordance_ros.targets.region import Axis
from affordance_ros.targets.region import BBox
from affordance_ros.targets.region import Region
from affordance_ros.targets.region import restore_window
from affordance_ros.targets.target import Target
from tests.targets.test_instances import LAYOUTS
from tests.targets.test_instances import draw
from tests.targets.test_instances import find
from tests.targets.test_instances import layout
from tests.targets.test_instances import whole


def on_image(target, size):
    """Return a target's region as an image, (H, W) bool."""
    image = np.zeros(size, bool)
    image[target.region.bbox.slices] = target.region.mask
    return image


def random_targets(rng, source, size, shape, stride, **config):
    """Return targets of a smooth random map, and its heatmap."""
    box, cells = layout(source, size, shape, stride)
    noise = rng.normal(0, 2.5, cells).astype(np.float32)
    activation = Activation(4 * cv2.GaussianBlur(noise, (0, 0), 1.5) - 1.5, box)
    (targets,) = find_instances([activation], InstanceConfig(**config))
    return targets, activation.heatmap


@pytest.mark.parametrize(('source', 'size', 'shape', 'stride'), LAYOUTS)
def test_regions_are_connected_hold_their_place_and_never_overlap(
    source, size, shape, stride, rng
):
    targets, _ = random_targets(rng, source, size, shape, stride)
    covered = np.zeros(source, int)
    for target in targets:
        image = on_image(target, source)
        assert image[round(target.y), round(target.x)]
        assert ndimage.label(image, structure=np.ones((3, 3)))[1] == 1
        assert image.sum() == target.region.area_px
        rows, columns = np.nonzero(image)
        assert target.region.bbox == (
            columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1
        )  # fmt: skip
        covered += image
    assert len(targets) > 0 and covered.max() == 1


@pytest.mark.parametrize('share', [0.3, 0.5, 0.8])
@pytest.mark.parametrize(('source', 'size', 'shape', 'stride'), LAYOUTS[:5])
def test_a_lone_things_region_is_the_heatmap_above_a_share_of_its_score(
    source, size, shape, stride, share
):
    """The reference is the published heatmap, at full resolution, and scipy's components."""
    box, cells = layout(source, size, shape, stride)
    x, y = 0.4 * source[1], 0.55 * source[0]
    activation = draw(box, cells, (x, y, 0.9, 2.3))
    (target,) = find(activation, region_share=share)
    expected = activation.heatmap >= share * target.score
    got = on_image(target, source)
    union = (got | expected).sum()
    assert (got & expected).sum() / union > 0.97


def test_the_area_of_a_round_thing_is_a_discs():
    """Where a Gaussian has fallen to a half, its radius is sigma times the root of 2 ln 2."""
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    (target,) = find(draw(box, cells, (320.3, 240.8, 0.6, 2.5), background=1e-4), region_share=0.5)
    radius_px = 2.5 * 16 * np.sqrt(2 * np.log(2))
    assert target.region.area_px == pytest.approx(np.pi * radius_px**2, rel=0.05)


def test_two_touching_things_part_their_heat_at_the_saddle():
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    activation = draw(box, cells, (240, 240, 0.9, 2.2), (340, 240, 0.9, 2.2))
    left, right = sorted(find(activation, region_share=0.3, min_prominence=0.2), key=lambda t: t.x)
    assert (on_image(left, (480, 640)) & on_image(right, (480, 640))).sum() == 0
    edge = left.region.bbox.x + left.region.bbox.width
    assert edge == pytest.approx(290, abs=16)
    assert right.region.bbox.x == pytest.approx(290, abs=16)


def test_a_lower_bump_beyond_a_deep_saddle_is_not_in_the_region():
    """It hangs together with the hill at 0.35 alone, below half the hill's 0.9."""
    heat = np.full((40, 80), 0.01)
    heat[15:25, 10:30] = 0.9
    heat[18:22, 30:50] = 0.35
    heat[15:25, 50:60] = 0.46
    (hill, *_) = find(whole(heat), min_prominence=0.3)
    assert hill.region.bbox.x + hill.region.bbox.width <= 32
    assert hill.region.area_px == pytest.approx(200, abs=60)


@pytest.mark.parametrize('turned', [False, True])
def test_the_region_of_a_thin_slanting_thing_is_whole(turned):
    """Its cells touch by their corners alone, between which bilinear heat is cold."""
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    logits = np.full(cells, -7.0, np.float32)
    along = np.arange(5, 20)
    logits[along, along + 5] = 0.3
    logits[12, 17] = 0.6
    logits = logits[:, ::-1].copy() if turned else logits
    (target,) = find(Activation(logits, box))
    bbox = target.region.bbox
    assert bbox.width == pytest.approx(14 * 16, abs=16)
    assert bbox.height == pytest.approx(14 * 16, abs=16)
    image = on_image(target, (480, 640))
    # Halfway between two cells of 16 pixels, of which the first row lies above the image.
    for cell in along[:-1]:
        row, column = 16 * (cell + 0.5) - 8, 16 * (cell + 5.5) + 7.5
        assert image[int(row), int(639 - column if turned else column)]


def test_interpolation_that_keeps_ridges_is_never_lower_than_bilinear(rng):
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    logits = rng.normal(0, 2, cells).astype(np.float32)
    axes = tuple(Axis.of(box, k, cells[k], 0, cells[k] - 1) for k in (0, 1))
    places = np.meshgrid(*(axis.below + axis.share for axis in axes), indexing='ij')
    window = slice(0, 480), slice(0, 640)
    bilinear = ndimage.map_coordinates(logits, places, order=1, mode='nearest')
    got = restore_window(logits, axes, window)
    assert (got >= bilinear - 1e-4).all() and (got > bilinear + 0.1).any()
    assert got.max() <= logits.max() + 1e-4
    plane = np.add.outer(np.arange(cells[0]), 2.0 * np.arange(cells[1])).astype(np.float32)
    np.testing.assert_allclose(
        restore_window(plane, axes, window), places[0] + 2 * places[1], atol=1e-3
    )


def test_a_region_at_the_images_border_reaches_it():
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    (target,) = find(draw(box, cells, (0, 479, 0.9, 2.0)))
    assert target.region.bbox.x == 0
    assert target.region.bbox.y + target.region.bbox.height == 480


def test_a_region_is_drawn_once_and_only_if_it_is_asked_for(monkeypatch):
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    calls = []
    cut = Region.cut.__func__
    monkeypatch.setattr(
        Region, 'cut', classmethod(lambda cls, *a: (calls.append(1), cut(cls, *a))[1])
    )
    (target,) = find(draw(box, cells, (300, 200, 0.9, 2.0)))
    assert not calls
    assert target.region is target.region
    assert len(calls) == 1


def test_a_mask_numbers_the_targets_and_the_better_one_covers():
    square = np.ones((4, 4), bool)

    class Drawn:
        def __init__(self, x, y):
            self.region = Region(BBox(x, y, 4, 4), square)

        def draw(self, *_):
            return self.region

    targets = [
        Target(3, 3, 0.9, regions=Drawn(2, 2)),
        Target(6, 6, 0.8, regions=Drawn(4, 4)),
        Target(0, 0, 0.7),
    ]
    mask = draw_mask(targets, (10, 12))
    assert mask.shape == (10, 12) and mask.dtype == np.uint8
    assert (mask == 1).sum() == 16 and (mask == 2).sum() == 12
    assert mask[5, 5] == 1 and mask[7, 7] == 2 and mask[0, 0] == 0


def test_the_size_gate_counts_what_it_refuses_by_cause():
    box, cells = layout((480, 640), 320, 'rectangle', 8)
    targets = find(
        draw(box, cells, (100, 100, 0.9, 1.5), (300, 300, 0.8, 2.5), (550, 120, 0.7, 4.0))
    )
    areas = [t.region.area_px for t in targets]
    assert areas == sorted(areas) and len(areas) == 3
    assert SizeGate().split(targets) == (targets, {})
    passed, refused = SizeGate(min_area_px=areas[0] + 1, max_area_px=areas[2] - 1).split(targets)
    assert passed == targets[1:2]
    assert refused == {'too_small': 1, 'too_large': 1}
    assert SizeGate(areas[0], areas[2]).split(targets) == (targets, {})  # the limits pass


@pytest.mark.parametrize(
    ('gate', 'text'),
    [
        ((-1, 0), 'must not be negative'),
        ((10, 5), r'no target has between min_area_px 10 and max_area_px 5 pixels: raise'),
    ],
)
def test_a_gate_that_nothing_passes_is_refused(gate, text):
    with pytest.raises(ValueError, match=text):
        SizeGate(*gate)


def test_a_letterbox_whose_image_is_a_sliver_works():
    box = Letterbox.fit((7, 500), size=320)
    cells = tuple(side // 8 for side in box.canvas)
    (target,) = find(draw(box, cells, (250, 3, 0.9, 2.0)))
    assert target.x == pytest.approx(250, abs=6)
    assert target.region.bbox.height == 7
