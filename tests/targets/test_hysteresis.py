# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from affordance_ros.sources import open_source
from affordance_ros.targets.hysteresis import HysteresisConfig
from affordance_ros.targets.hysteresis import HysteresisFilter
from affordance_ros.targets.peaks import Target
from tests.conftest import SAMPLES

CONFIG = HysteresisConfig(frames=3, margin=0.1, max_distance_px=20.0)
IMAGE = np.full((48, 64, 3), 90, np.uint8)


def targets(**scores):
    """Make targets at fixed places far from each other, best first."""
    places = {'a': (100.0, 100.0), 'b': (300.0, 100.0), 'c': (500.0, 100.0)}
    made = [Target(*places[name], score) for name, score in scores.items()]
    return tuple(sorted(made, key=lambda target: -target.score))


def name(target):
    return {100.0: 'a', 300.0: 'b', 500.0: 'c'}[target.x]


def play(steady, frames, *, command_id=1, image=IMAGE):
    """Return the name of the best target of each frame."""
    got = []
    for scores in frames:
        given = targets(**scores)
        answer = steady.update(given, command_id=command_id, image=image)
        assert sorted(answer, key=id) == sorted(given, key=id)  # only the order may change
        got.append(name(answer[0]) if answer else '')
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
        steady = HysteresisFilter(HysteresisConfig(frames=frames))
        got = play(steady, [A, *[B] * 10])
        assert got.index('b') - 1 == frames - 1


def test_a_target_that_is_gone_gives_way_at_once():
    assert play(HysteresisFilter(CONFIG), [A, {'b': 0.5, 'c': 0.4}, A]) == 'abb'


def test_nothing_found_is_answered_with_nothing():
    assert play(HysteresisFilter(CONFIG), [A, {}, B]) == 'ab'
    assert HysteresisFilter(CONFIG).update((), command_id=1, image=IMAGE) == ()


def test_a_new_command_starts_anew():
    steady = HysteresisFilter(CONFIG)
    assert play(steady, [A, B]) == 'aa'
    assert play(steady, [B], command_id=2) == 'b'


def test_the_others_stay_best_first():
    steady = HysteresisFilter(CONFIG)
    play(steady, [A])
    answer = steady.update(targets(a=0.3, b=0.9, c=0.5), command_id=1, image=IMAGE)
    assert [name(target) for target in answer] == ['a', 'b', 'c']


def test_a_moving_target_is_followed_and_a_jump_is_not():
    other = Target(400.0, 300.0, 0.9)
    steady = HysteresisFilter(HysteresisConfig(frames=100, max_distance_px=20.0))
    steady.update((Target(100.0, 100.0, 0.95), other), command_id=1, image=IMAGE)
    for x in (119.0, 138.0, 157.0, 150.0):
        moved = Target(x, 100.0, 0.5)
        assert steady.update((other, moved), command_id=1, image=IMAGE) == (moved, other)
    jumped = Target(171.0, 100.0, 0.5)
    assert steady.update((other, jumped), command_id=1, image=IMAGE) == (other, jumped)


def test_another_scene_starts_anew(photos):
    first, second = list(photos.values())[:2]
    steady = HysteresisFilter(CONFIG)
    assert play(steady, [A], image=first) == 'a'
    assert play(steady, [B], image=second) == 'b'


def test_another_size_or_kind_of_image_starts_anew():
    steady = HysteresisFilter(CONFIG)
    assert play(steady, [A]) == 'a'
    assert play(steady, [B], image=IMAGE[..., 0]) == 'b'


def test_a_camera_that_moves_or_adapts_its_exposure_sees_the_same_scene():
    steady = HysteresisFilter(HysteresisConfig(frames=1000))
    frames = [frame.bgr for frame in open_source(str(SAMPLES / 'tabletop'), loop=False)]
    assert play(steady, [A], image=frames[0]) == 'a'
    for number, frame in enumerate(frames):
        brighter = np.clip(frame * (1.0 + 0.2 * (number % 2)), 0, 255).astype(np.uint8)
        assert play(steady, [B], image=brighter) == 'a'


@pytest.mark.parametrize(
    ('field', 'value'),
    [('frames', -1), ('margin', -0.1), ('max_distance_px', 0.0), ('scene_change', 0.0)],
)
def test_a_configuration_out_of_range_is_refused(field, value):
    with pytest.raises(ValueError, match=f'{field} {value}'):
        HysteresisConfig(**{field: value})
