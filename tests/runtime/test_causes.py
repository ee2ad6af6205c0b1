# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Causes are news once, show their newest text, and go once they are cured."""

import pytest

from affordance_ros.runtime.causes import Causes


class Time:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def causes(clock):
    return Causes(clock=clock)


def test_a_cause_is_news_once_and_shows_its_newest_text(causes):
    assert causes.occurred('depth', 'no depth within 0.1 s', group='3D')
    assert not causes.occurred('depth', 'no depth within 0.3 s', group='3D')
    assert causes.newest == 'no depth within 0.3 s'
    assert causes.occurred('depth', 'no depth at all', group='3D'), 'another problem'
    assert not causes.occurred('depth', 'no depth within 0.2 s', group='3D'), 'told before'
    assert causes.newest == 'no depth within 0.2 s'


def test_the_newest_cause_is_shown_and_the_one_before_when_it_goes(causes):
    causes.occurred('a', 'first', group='x')
    causes.occurred('b', 'second', group='y')
    causes.occurred('a', 'first', group='x')
    assert causes.newest == 'second', 'or two causes would take turns with each frame'
    causes.drop('b', 'unknown')
    assert causes.newest == 'first'
    causes.drop_groups('x')
    assert causes.newest == ''


def test_the_same_words_of_two_causes_are_news_once(causes):
    assert causes.occurred('3D', 'no camera_info', group='3D')
    assert not causes.occurred('silence', 'no camera_info', group='')


def test_a_cause_goes_a_second_after_its_group_works_again(causes, clock):
    causes.occurred('frame', 'bad', group='frames')
    causes.occurred('transform', 'none', group='transform')
    clock.now += 5
    causes.drop_cured()
    assert causes.newest == 'none', 'nothing has worked yet'
    causes.succeeded('frames')
    causes.drop_cured()
    causes.drop('transform')
    assert causes.newest == ''
    assert causes.occurred('frame', 'bad', group='frames'), 'news again'
    clock.now += 0.5
    causes.succeeded('frames')
    causes.drop_cured()
    assert causes.newest == 'bad', 'it occurred half a second ago'
    clock.now += 0.5
    causes.drop_cured()
    assert causes.newest == ''


def test_good_and_bad_in_turn_keep_the_cause(causes, clock):
    for _ in range(20):
        causes.occurred('frame', 'bad', group='frames')
        clock.now += 0.25
        causes.succeeded('frames')
        causes.drop_cured()
        assert causes.newest == 'bad'
        clock.now += 0.25
