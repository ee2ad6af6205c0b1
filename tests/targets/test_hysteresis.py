# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pytest

from affordance_ros.targets.hysteresis import HysteresisConfig
from affordance_ros.targets.hysteresis import HysteresisFilter
from affordance_ros.targets.target import Target

CONFIG = HysteresisConfig(frames=3, margin=0.1)
NUMBERS = {'a': 1, 'b': 2, 'c': 3}


def targets(**scores):
    """Make numbered targets, best first."""
    made = [Target(0.0, 0.0, score, NUMBERS[name]) for name, score in scores.items()]
    return sorted(made, key=lambda target: -target.score)


def play(best, frames):
    """Return the name of the best target of each frame."""
    got = []
    for scores in frames:
        given = targets(**scores)
        order = best.order(given)
        assert sorted(order) == list(range(len(given)))  # only the order may change
        names = {number: name for name, number in NUMBERS.items()}
        got.append(names[given[order[0]].track_id] if order else '')
    return ''.join(got)


A, B, CLOSE = {'a': 0.9, 'b': 0.5}, {'a': 0.5, 'b': 0.9}, {'a': 0.5, 'b': 0.59}


def test_off_by_default():
    assert play(HysteresisFilter(), [A, B, A, B]) == 'abab'


def test_a_best_target_that_flickers_is_held():
    assert play(HysteresisFilter(CONFIG), [A, B, B, A, B, B, A]) == 'aaaaaaa'


def test_it_gives_way_once_it_was_beaten_by_the_margin_in_so_many_frames_in_a_row():
    assert play(HysteresisFilter(CONFIG), [A, B, B, B, B, A]) == 'aaabbb'


def test_without_the_margin_it_never_gives_way():
    assert play(HysteresisFilter(CONFIG), [A, *[CLOSE] * 20]) == 'a' * 21


def test_the_stated_latency_is_frames_less_one():
    for frames in (1, 2, 5):
        got = play(HysteresisFilter(HysteresisConfig(frames=frames)), [A, *[B] * 10])
        assert got.index('b') - 1 == frames - 1


def test_a_target_that_is_gone_gives_way_at_once():
    assert play(HysteresisFilter(CONFIG), [A, {'b': 0.5, 'c': 0.4}, A]) == 'abb'


def test_nothing_found_is_answered_with_nothing():
    assert play(HysteresisFilter(CONFIG), [A, {}, B]) == 'ab'
    assert HysteresisFilter(CONFIG).order([]) == []


def test_the_others_stay_best_first():
    best = HysteresisFilter(CONFIG)
    play(best, [A])
    given = targets(a=0.3, b=0.9, c=0.5)
    assert [given[k].track_id for k in best.order(given)] == [1, 2, 3]


@pytest.mark.parametrize('wrong', [{'frames': -1}, {'margin': -0.1}])
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match='must not be negative'):
        HysteresisConfig(**wrong)
