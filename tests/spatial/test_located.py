# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Gates by size and distance, and the numbers of located targets over frames."""

import numpy as np
import pytest

from affordance_ros.spatial.follow import Follower
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.located import DepthGate
from affordance_ros.spatial.located import select
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.rgbd import NO_DEPTH
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.targets.grounding import Grounding
from affordance_ros.targets.hysteresis import HysteresisConfig
from affordance_ros.targets.tracks import TrackConfig
from tests.support.depth_damage import as_depth
from tests.support.drawn_targets import target_of

SIZE = (240, 320)
PINHOLE = Pinhole(300.0, 300.0, 159.5, 119.5, SIZE)
IMAGE = np.full((*SIZE, 3), 90, np.uint8)
# Things side by side: column of the middle, half a side in pixels, distance.
NEAR, MIDDLE, FAR = (50, 10, 0.3), (150, 20, 0.6), (260, 25, 1.5)


def scene(*things):
    """Return what shows square things before a far wall."""
    depth = np.full(SIZE, 4.0, np.float32)
    for x, half, z in things:
        depth[120 - half : 120 + half, x - half : x + half] = z
    return Rgbd(as_depth(depth), PINHOLE)


def grounding(*things, max_targets=5, refused=None, min_score=0.0):
    """Return an answer with a target on each of some things, best first: .9, .8, and so on."""
    targets = []
    for rank, (x, half, _) in enumerate(things):
        mask = np.zeros(SIZE, bool)
        mask[120 - half : 120 + half, x - half : x + half] = True
        targets.append(target_of(x, 120, mask, score=0.9 - 0.1 * rank))
    strong = tuple(target for target in targets if target.score >= min_score)
    weak = tuple(targets[len(strong) :])
    return Grounding('cut', strong, None, max_targets, refused or {}, weak, min_score)


def columns(selection):
    return [one.target.x for one in selection.targets]


def test_without_a_gate_all_are_located():
    got = select(grounding(NEAR, MIDDLE, FAR), scene(NEAR, MIDDLE, FAR))
    assert columns(got) == [50, 150, 260] and not got.refused
    for one, (x, half, z) in zip(got.targets, (NEAR, MIDDLE, FAR), strict=True):
        assert isinstance(one.point, SurfacePoint)
        np.testing.assert_allclose(one.point.position, PINHOLE.deproject(x, 120, z), atol=1e-6)
        assert one.extent.distance_m == pytest.approx(z)
        assert one.extent.area_m2 == pytest.approx((2 * half * z / 300) ** 2, rel=1e-4)


@pytest.mark.parametrize(
    ('gate', 'kept', 'refused'),
    [
        (DepthGate(nearest_m=0.5), [150, 260], {'too_near': 1}),
        (DepthGate(farthest_m=1.0), [50, 150], {'too_far': 1}),
        (DepthGate(nearest_m=0.5, farthest_m=1.0), [150], {'too_near': 1, 'too_far': 1}),
        (DepthGate(min_area_m2=0.001), [150, 260], {'too_small': 1}),
        (DepthGate(max_area_m2=0.01), [50, 150], {'too_large': 1}),
        (DepthGate(0.001, 0.01), [150], {'too_small': 1, 'too_large': 1}),
    ],
)
def test_a_gate_refuses_by_what_depth_says_and_counts_by_cause(gate, kept, refused):
    got = select(grounding(NEAR, MIDDLE, FAR), scene(NEAR, MIDDLE, FAR), gate)
    assert columns(got) == kept
    assert got.refused == refused


def test_what_is_refused_makes_room_for_others():
    answer = grounding(NEAR, MIDDLE, FAR, max_targets=2, refused={'too_small': 3})
    assert [t.x for t in answer.targets] == [50, 150]
    got = select(answer, scene(NEAR, MIDDLE, FAR), DepthGate(nearest_m=0.5))
    assert columns(got) == [150, 260]
    assert got.refused == {'too_small': 3, 'too_near': 1}


def test_where_depth_says_nothing_a_target_passes():
    gate = DepthGate(0.001, 0.01, 0.5, 1.0)
    got = select(grounding(NEAR, MIDDLE), NO_DEPTH, gate)
    assert columns(got) == [50, 150]
    assert all(one.point == NoPoint('no_depth') and one.extent is None for one in got.targets)
    holes = Rgbd(as_depth(np.zeros(SIZE, np.float32)), PINHOLE)
    assert columns(select(grounding(NEAR, MIDDLE), holes, gate)) == [50, 150]


@pytest.mark.parametrize(
    ('values', 'text'),
    [
        ({'nearest_m': -1.0}, 'nearest_m -1.0 and farthest_m 0.0 must not be negative'),
        ({'nearest_m': 2.0, 'farthest_m': 1.0}, 'no target lies between nearest_m 2.0 and'),
        ({'min_area_m2': 2.0, 'max_area_m2': 1.0}, 'raise max_area_m2, or set it to 0 for any'),
    ],
)
def test_a_gate_that_nothing_passes_is_refused(values, text):
    with pytest.raises(ValueError, match=text):
        DepthGate(**values)


def follow(follower, *things, at=0.0, rgbd=None):
    """Show a frame; return column and number of its targets, in the order that comes back."""
    rgbd = scene(*things) if rgbd is None else rgbd
    selection = select(grounding(*things), rgbd)
    got = follower.update(selection, command='cut', image=IMAGE, stamp_s=at, rgbd=rgbd)
    assert sorted(one.target.x for one in got) == sorted(columns(selection))
    return [(one.target.x, one.target.track_id) for one in got]


def test_numbers_stay_with_their_things_with_depth_and_without():
    for rgbd in (None, NO_DEPTH):
        follower = Follower()
        assert follow(follower, NEAR, MIDDLE, rgbd=rgbd) == [(50, 1), (150, 2)]
        moved = [(x + 4, half, z) for x, half, z in (MIDDLE, NEAR)]
        assert follow(follower, *moved, at=0.1, rgbd=rgbd) == [(154, 2), (54, 1)]


def test_points_and_extents_stay_with_their_targets_when_the_best_is_held():
    follower = Follower(hysteresis=HysteresisConfig(frames=3, margin=0.05))
    assert follow(follower, NEAR, MIDDLE) == [(50, 1), (150, 2)]
    rgbd = scene(NEAR, MIDDLE)
    selection = select(grounding(MIDDLE, NEAR), rgbd)
    first, second = follower.update(selection, command='cut', image=IMAGE, stamp_s=0.1, rgbd=rgbd)
    assert (first.target.x, second.target.x) == (50, 150)
    assert first.point.position[2] == pytest.approx(0.3)
    assert second.extent.distance_m == pytest.approx(0.6)


def test_another_way_to_follow_acts_from_the_next_frame_on_and_keeps_the_numbers():
    follower = Follower()
    assert follow(follower, NEAR, MIDDLE) == [(50, 1), (150, 2)]
    follower.configure(TrackConfig(gap_s=0.2), HysteresisConfig(frames=3, margin=0.05))
    assert follow(follower, MIDDLE, NEAR, at=0.1) == [(150, 2), (50, 1)]
    assert follow(follower, NEAR, MIDDLE, at=0.2) == [(150, 2), (50, 1)]  # held by now
    assert follow(follower, NEAR, at=1.0) == [(50, 3)]  # the gap is shorter than a second now


def test_candidates_below_the_least_score_are_no_targets_but_are_located():
    answer = grounding(NEAR, MIDDLE, FAR, max_targets=1, min_score=0.75)
    assert [target.x for target in answer.targets] == [50]
    got = select(answer, scene(NEAR, MIDDLE, FAR), DepthGate(nearest_m=0.5))
    assert columns(got) == [150] and [one.target.x for one in got.weak] == [260]
    assert got.refused == {'too_near': 1}
    assert select(answer, scene(NEAR, MIDDLE, FAR), DepthGate(farthest_m=1.0)).weak == ()


def test_a_thing_that_was_a_target_stays_one_while_it_is_weak():
    follower, rgbd, followed = Follower(), scene(NEAR, MIDDLE, FAR), []
    for k, things in enumerate(((NEAR, MIDDLE), (MIDDLE, NEAR), (FAR, NEAR, MIDDLE))):
        selection = select(grounding(*things, min_score=0.85), rgbd)  # the first alone has it
        located = follower.update(
            selection, command='cut', image=IMAGE, stamp_s=0.1 * k, rgbd=rgbd
        )
        followed.append([(one.target.x, one.target.track_id) for one in located])
    assert followed == [[(50, 1)], [(150, 2), (50, 1)], [(260, 3), (50, 1), (150, 2)]]


def test_no_more_targets_are_followed_than_are_wanted():
    follower, rgbd = Follower(), scene(NEAR, MIDDLE)
    assert follow(follower, NEAR, MIDDLE) == [(50, 1), (150, 2)]
    answer = grounding(MIDDLE, NEAR, max_targets=1, min_score=0.85)
    selection = select(answer, rgbd)
    assert len(selection.targets + selection.weak) == 2
    located = follower.update(selection, command='cut', image=IMAGE, stamp_s=0.1, rgbd=rgbd)
    assert [one.target.track_id for one in located] == [2]
