# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from affordance_ros_eval.cli import main
from affordance_ros_eval.things import SwitchCount
from affordance_ros_eval.things import ThingCount
from affordance_ros_eval.things import thing_at

# Two things, 1 on the left and 2 on the right, in 200x200 pixels: targets may be 3 pixels off.
THINGS = np.zeros((200, 200), np.uint8)
THINGS[50:100, 20:60] = 1
THINGS[50:100, 62:120] = 2


@pytest.mark.parametrize(
    ('place', 'thing'),
    [
        ((40, 75), 1),
        ((80, 75), 2),
        ((17, 75), 1),
        ((15, 75), 0),
        ((60.9, 75), 2),
        ((60.2, 75), 1),
        ((0, 0), 0),
        ((199, 199), 0),
    ],
)
def test_a_target_belongs_to_the_nearest_thing_within_the_tolerance(place, thing):
    assert thing_at(place, THINGS, [1, 2]) == thing


def test_only_what_was_asked_for_counts():
    assert thing_at((40, 75), THINGS, [2]) == 0
    assert thing_at((40, 75), THINGS, []) == 0


def test_things_are_counted_by_how_many_targets_they_got():
    count = ThingCount()
    count.add([(40, 75), (80, 75)], THINGS, [1, 2])
    count.add([(40, 75), (30, 60), (5, 5)], THINGS, [1, 2])
    count.add([], THINGS, [1])
    assert (count.things, count.once, count.missed, count.targets, count.astray) == (5, 2, 2, 5, 1)
    assert count.shares() == {
        'exactly_one': 2 / 5,
        'none': 2 / 5,
        'several': 1 / 5,
        'targets_on_nothing_asked_for': 1 / 5,
    }
    assert set(ThingCount().shares().values()) == {0.0}


def test_a_switch_is_a_thing_whose_number_is_gone():
    count = SwitchCount()
    for targets, numbers in (
        ([(40, 75), (80, 75)], [1, 2]),
        ([(80, 75), (40, 75)], [2, 1]),  # another order
        ([(40, 75), (30, 60), (80, 75)], [7, 1, 2]),  # a second target on the thing
        ([(40, 75)], [1]),  # the other is not seen
        ([(40, 75), (80, 75)], [1, 9]),  # and comes back under another number: a switch
        ([(40, 75), (80, 75)], [9, 1]),  # the two swap: two switches
    ):
        count.add(targets, numbers, THINGS, [1, 2])
    assert (count.frames, count.switches) == (6, 3)
    assert count.per_100_frames == 50.0
    count.begin()  # another sequence: whatever comes is new
    count.add([(40, 75)], [5], THINGS, [1, 2])
    assert count.switches == 3


def test_a_new_number_after_a_gap_is_counted_apart_too():
    count = SwitchCount(gap_s=2.0)
    for stamp_s, number in ((0.0, 1), (1.9, 2), (4.0, 3), (4.1, 3)):
        count.add([(40, 75), (5, 5)], [number, 9], THINGS, [1], stamp_s=stamp_s)
    assert (count.switches, count.after_gap) == (2, 1)
    assert (count.seen, count.targets, count.stray_share) == (4, 8, 0.5)


@pytest.mark.parametrize(
    'wrong',
    [
        ['targets', '--scenes', '0'],
        ['tracks', '--sequences', '-1'],
        ['tracks', '--rate-hz', '0'],
        ['tracks', '--seconds', 'nan'],
    ],
)
def test_an_evaluation_of_nothing_is_refused(wrong, capsys):
    with pytest.raises(SystemExit) as stop:
        main(wrong)
    assert stop.value.code == 2
    assert f'argument {wrong[1]}: {wrong[2]} must be positive' in capsys.readouterr().err
