# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The same thing keeps its number, another one gets another."""

import cv2
import numpy as np
import pytest

from affordance_ros.sources import open_source
from affordance_ros.targets.motion import Motion
from affordance_ros.targets.target import Target
from affordance_ros.targets.tracks import Place
from affordance_ros.targets.tracks import TrackConfig
from affordance_ros.targets.tracks import Tracker
from tests.conftest import SAMPLES
from tests.support.drawn_targets import target_of

GREY = np.full((480, 640, 3), 90, np.uint8)


def numbers(tracker, places, *, at=0.0, command='cut', image=GREY, depths=None, weak=()):
    """Show targets at places (x, y), some of them weak, to a tracker; return their numbers."""
    scores = [0.4 if k in weak else 0.9 for k in range(len(places))]
    targets = [Target(float(x), float(y), s) for (x, y), s in zip(places, scores, strict=True)]
    spots = None if depths is None else [d and Place(d, d / 500.0) for d in depths]
    got = tracker.update(
        targets, min_score=0.5, command=command, image=image, stamp_s=at, places=spots
    )
    assert [(t.x, t.y, t.score) for t in got] == [(t.x, t.y, t.score) for t in targets]
    return [t.track_id for t in got]


def test_things_that_move_a_little_keep_their_numbers_in_whatever_order_they_come():
    tracker = Tracker()
    assert numbers(tracker, [(100, 100), (300, 200), (500, 300)]) == [1, 2, 3]
    assert numbers(tracker, [(505, 304), (104, 103), (303, 196)], at=0.1) == [3, 1, 2]


def test_a_new_thing_gets_a_new_number_and_no_number_is_given_twice():
    tracker = Tracker(TrackConfig(gap_s=0.5))
    assert numbers(tracker, [(100, 100)]) == [1]
    assert numbers(tracker, [(100, 100), (400, 400)], at=0.1) == [1, 2]
    assert numbers(tracker, [(400, 400)], at=0.2) == [2]
    assert numbers(tracker, [(100, 100), (400, 400)], at=5.0) == [3, 4]


def test_a_gap_is_bridged_as_long_as_it_says_and_no_longer():
    for gap_s, expected in ((0.45, 1), (0.55, 2)):
        tracker = Tracker(TrackConfig(gap_s=0.5))
        numbers(tracker, [(100, 100)])
        numbers(tracker, [], at=gap_s / 2)
        assert numbers(tracker, [(100, 100)], at=gap_s) == [expected]


def test_a_weak_target_has_a_number_only_where_it_was_more_before():
    tracker = Tracker(TrackConfig(gap_s=0.5))
    one, other = (100, 100), (300, 200)
    assert numbers(tracker, [one, other], weak=[1]) == [1, 0]
    assert numbers(tracker, [one, other], at=0.1, weak=[0, 1]) == [1, 0]
    assert numbers(tracker, [other, one], at=0.2, weak=[1]) == [2, 1]
    assert numbers(tracker, [other], at=0.3, weak=[0]) == [2]
    assert numbers(tracker, [other, one], at=0.9, weak=[0, 1]) == [0, 0]  # after the gap


def test_a_higher_least_score_acts_at_once_and_numbers_outlast_it():
    tracker, target = Tracker(), Target(100.0, 100.0, 0.6)
    found = [
        tracker.update([target], command='cut', image=GREY, stamp_s=0.1 * k, min_score=least)
        for k, least in enumerate((0.5, 0.7, 0.5))
    ]
    assert [one.track_id for (one,) in found] == [1, 0, 1]


def test_another_command_starts_anew_and_the_same_text_does_not():
    tracker = Tracker()
    assert numbers(tracker, [(100, 100)]) == [1]
    assert numbers(tracker, [(100, 100)], at=0.1) == [1]
    assert numbers(tracker, [(100, 100)], at=0.2, command='hold') == [2]
    assert numbers(tracker, [(100, 100)], at=0.3, command='cut') == [3]


def test_time_that_goes_back_starts_anew():
    tracker = Tracker()
    assert numbers(tracker, [(100, 100)], at=10.0) == [1]
    assert numbers(tracker, [(100, 100)], at=9.0) == [2]


def test_stamps_that_stand_still_do_not_keep_a_thing_for_ever():
    tracker = Tracker()
    assert numbers(tracker, [(100, 100)]) == [1]
    for _ in range(301):
        numbers(tracker, [])
    assert numbers(tracker, [(100, 100)]) == [2]


def test_another_scene_starts_anew(photos):
    first, second = (cv2.resize(photo, (640, 480)) for photo in list(photos.values())[:2])
    tracker = Tracker()
    assert numbers(tracker, [(100, 100)], image=first) == [1]
    assert numbers(tracker, [(100, 100)], at=0.1, image=first) == [1]
    assert numbers(tracker, [(100, 100)], at=0.2, image=second) == [2]
    assert numbers(tracker, [(100, 100)], at=0.3, image=cv2.resize(second, (320, 240))) == [3]


def test_a_camera_that_turns_to_grey_sees_the_same_scene(photos):
    colour = cv2.resize(next(iter(photos.values())), (640, 480))
    grey = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)
    tracker = Tracker()
    assert numbers(tracker, [(100, 100)], image=grey) == [1]
    assert numbers(tracker, [(100, 100)], image=np.dstack([grey] * 3), at=0.1) == [1]
    assert numbers(tracker, [(100, 100)], image=colour, at=0.2) == [1]


def test_a_jump_of_the_camera_is_taken_off(photos):
    """Things farther apart than they may move are told apart after a shift of all by 90 pixels."""
    photo = cv2.resize(next(iter(photos.values())), (1000, 750))
    tracker = Tracker()
    before, after = photo[100:580, 100:740], photo[130:610, 190:830]  # moved by -90, -30
    assert numbers(tracker, [(400, 200), (490, 230)], image=before) == [1, 2]
    assert numbers(tracker, [(310, 170), (400, 200)], at=0.1, image=after) == [1, 2]
    without = Tracker()
    numbers(without, [(400, 200), (490, 230)])
    assert numbers(without, [(310, 170), (400, 200)], at=0.1) != [1, 2], 'told nothing'


def test_depth_tells_things_apart_that_lie_in_one_line_of_sight():
    tracker = Tracker()
    assert numbers(tracker, [(300, 200), (310, 205)], depths=[0.5, 0.9]) == [1, 2]
    assert numbers(tracker, [(311, 204), (301, 201)], at=0.1, depths=[0.51, 0.89]) == [1, 2]
    # What comes into the line of sight at another depth is another thing.
    assert numbers(tracker, [(300, 200)], at=0.2, depths=[0.7]) == [3]


def with_box(x, y, left, top, width, height):
    """Make a target whose region fills a box."""
    mask = np.zeros((480, 640), bool)
    mask[top : top + height, left : left + width] = True
    return target_of(x, y, mask, score=0.9)


def test_the_hottest_place_of_a_long_thing_may_jump_to_its_other_end():
    """With depth too, which rises by 10 cm along it; something as far off beside it is another."""
    for depths in (None, (0.5, 0.6)):
        near, far = (None if d is None else Place(d, d / 500.0) for d in depths or (None, None))
        tracker = Tracker()
        asked = {'command': 'hold', 'image': GREY}
        before = with_box(120, 200, 100, 190, 200, 20)
        (first,) = tracker.update([before], **asked, stamp_s=0.0, places=[near])
        other_end, beside = (
            with_box(290, 205, 100, 190, 200, 20),
            with_box(120, 420, 110, 410, 20, 20),
        )
        end, aside = tracker.update([other_end, beside], **asked, stamp_s=0.1, places=[far, near])
        assert end.track_id == first.track_id != aside.track_id


def test_a_thing_that_had_two_targets_for_a_while_is_the_old_one_again():
    tracker = Tracker()

    def see(*targets, at):
        got = tracker.update(targets, command='hold', image=GREY, stamp_s=at)
        return [target.track_id for target in got]

    whole = with_box(120, 200, 100, 190, 200, 20)
    left, right = with_box(120, 200, 100, 190, 90, 20), with_box(280, 200, 210, 190, 90, 20)
    assert see(whole, at=0.0) == [1]
    assert see(left, right, at=0.1) == [1, 2]
    # A target on the right alone that does not reach over the left stays what it was.
    assert see(right, at=0.2) == [2]
    # One that does is the thing that was seen first.
    assert see(with_box(280, 200, 100, 190, 200, 20), at=0.3) == [1]
    assert see(with_box(270, 200, 100, 190, 200, 20), at=0.4) == [1]


def test_where_depth_fails_for_a_moment_the_image_serves():
    tracker = Tracker()
    assert numbers(tracker, [(300, 200), (500, 205)], depths=[0.5, 0.9]) == [1, 2]
    assert numbers(tracker, [(500, 204), (301, 201)], at=0.1, depths=[None, 0.5]) == [2, 1]


def test_motion_measures_how_the_image_has_shifted(photos, rng):
    photo = cv2.resize(next(iter(photos.values())), (1000, 750))
    errors = []
    for _ in range(20):
        motion = Motion()
        x, y = rng.integers(-50, 50, 2)
        motion.update(photo[100:580, 150:790])
        shift = motion.update(photo[100 - y : 580 - y, 150 - x : 790 - x])
        assert shift.same_scene
        errors.append(np.hypot(shift.x - x, shift.y - y))
    assert np.median(errors) < 4.0 and max(errors) < 12.0


def test_a_camera_that_moves_or_adapts_its_exposure_sees_the_same_scene():
    motion = Motion()
    frames = [frame.bgr for frame in open_source(str(SAMPLES / 'tabletop'), loop=False)]
    motion.update(frames[0])
    for number, frame in enumerate(frames):
        brighter = np.clip(frame * (1.0 + 0.2 * (number % 2)), 0, 255).astype(np.uint8)
        assert motion.update(brighter).same_scene


@pytest.mark.parametrize(
    ('wrong', 'text'),
    [
        ({'gap_s': -1.0}, 'gap_s -1.0 must not be negative'),
        ({'reach_m': 0.0}, 'reach_m 0.0 must be positive'),
        ({'reach_share': 0.0}, 'reach_share 0.0 must be positive'),
    ],
)
def test_values_out_of_range_are_refused(wrong, text):
    with pytest.raises(ValueError, match=text):
        TrackConfig(**wrong)


def test_a_share_of_change_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r'scene_change 0 must lie in \(0, 1\]'):
        Motion(0)
