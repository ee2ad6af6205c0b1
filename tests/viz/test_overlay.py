# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np

from affordance_ros.targets.target import Target
from affordance_ros.viz import overlay as overlay_module
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


def test_no_label_covers_another_nor_anothers_ring_while_there_is_room(monkeypatch):
    written = []
    write = overlay_module._write
    monkeypatch.setattr(
        overlay_module, '_write', lambda *a, **k: written.append(write(*a, **k)) or written[-1]
    )
    cold = np.zeros((120, 160), np.float32)
    rows = [Target(70.0, 40.0 + 12 * k, 0.9 - 0.1 * k, track_id=k + 1) for k in range(4)]
    beside = [Target(40.0, 60.0, 0.9, track_id=1), Target(56.0, 60.0, 0.8, track_id=2)]
    crowd = [Target(80.0 + k % 5, 60.0 + k // 5, 0.9, track_id=k + 1) for k in range(40)]
    for targets in (rows, beside, crowd):
        written.clear()
        draw_overlay(GREY, cold, targets=tuple(targets), caption='hold')
        labels = list(written)
        for number, label in enumerate(labels):
            assert not any(label.meets(other) for other in labels[:number])
        if targets is crowd:
            assert 3 < len(labels) < 41, 'there is room for some'
            continue
        assert len(labels) == len(targets) + 1
        for own, label in enumerate(labels[1:]):
            for other, target in enumerate(targets):
                ring = overlay_module._Box(
                    round(target.x) - 4, round(target.y) - 4, round(target.x) + 4,
                    round(target.y) + 4,
                )  # fmt: skip
                assert other == own or not label.meets(ring)


def test_any_caption_is_drawn_and_the_input_is_left_alone():
    image = GREY.copy()
    for caption in ('hold the mug', '切る', '%s {} \\n'):
        overlay = draw_overlay(
            image, np.zeros((120, 160), np.float32), targets=(), caption=caption
        )
        assert (overlay != GREY).any()
    assert np.array_equal(image, GREY)
