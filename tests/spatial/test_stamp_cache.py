# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import math
import threading

import numpy as np
import pytest

from affordance_ros.spatial.stamp_cache import StampCache
from affordance_ros.spatial.stamp_cache import StampCounters

SECOND = 1_000_000_000


def filled(*stamps, capacity=10, tolerance_s=0.0):
    cache = StampCache(capacity, tolerance_s)
    for stamp in stamps:
        cache.add(stamp, f'at {stamp}')
    return cache


def test_zero_tolerance_means_exactly_equal_stamps():
    cache = filled(10, 20, 30)
    assert cache.match(20) == 'at 20'
    assert cache.match(21) is None


def test_the_nearest_within_the_tolerance_equals_brute_force(rng):
    for _ in range(200):
        stamps = rng.choice(SECOND // 2, int(rng.integers(1, 9)), replace=False)
        tolerance_s = float(rng.uniform(0, 0.1))
        cache = filled(*(int(s) for s in stamps), tolerance_s=tolerance_s)
        wanted = int(rng.integers(0, SECOND // 2))
        nearest = stamps[np.argmin(np.abs(stamps - wanted))]
        near = abs(nearest - wanted) <= tolerance_s * 1e9
        assert cache.match(wanted) == (f'at {nearest}' if near else None)


def test_an_infinite_tolerance_gives_the_nearest_whatever_its_stamp():
    cache = filled(5, tolerance_s=math.inf)
    assert cache.match(10**18) == 'at 5'
    assert StampCache(2, math.inf).match(1) is None


def test_it_is_bounded_and_the_first_that_came_goes_first():
    cache = filled(1, 3, 2, 4, capacity=3)
    assert [cache.match(s) for s in (1, 2, 3, 4)] == [None, 'at 2', 'at 3', 'at 4']


def test_an_equal_stamp_replaces_what_it_had():
    cache = filled(1, 2, capacity=2)
    cache.add(1, 'again')
    cache.add(3, 'new')
    assert [cache.match(s) for s in (1, 2, 3)] == ['again', None, 'new']


def test_time_that_jumps_back_forgets_the_future():
    cache = filled(100 * SECOND, 101 * SECOND, tolerance_s=math.inf)
    cache.add(5 * SECOND, 'restarted')
    assert cache.match(100 * SECOND) == 'restarted'
    assert cache.counters.cleared == 1


def test_messages_out_of_order_do_not_clear():
    cache = filled(100 * SECOND, 100 * SECOND - SECOND // 2)
    assert cache.match(100 * SECOND) and cache.match(100 * SECOND - SECOND // 2)
    assert cache.counters.cleared == 0


def test_counters_tell_matched_from_unmatched_and_how_far_off_the_nearest_was():
    cache = StampCache(4, 0.01)
    assert cache.match(1) is None
    assert cache.counters == StampCounters(0, 0, 1, 0, None)
    cache.add(SECOND, 'depth')
    assert cache.match(SECOND + 33_000_000) is None
    assert cache.match(SECOND + 9_000_000) == 'depth'
    assert cache.counters == StampCounters(1, 1, 2, 0, 0.033)
    cache.clear()
    assert cache.match(SECOND) is None
    assert cache.counters == StampCounters(1, 1, 3, 0, None)


def test_a_look_up_waits_for_what_is_still_to_come():
    cache = filled(1)
    waiting = threading.Event()

    def come():
        waiting.wait()
        cache.add(2, 'other')  # wakes it, and is not what it waits for
        cache.add(3, 'late')

    thread = threading.Thread(target=come)
    thread.start()
    waiting.set()
    assert cache.match(3, wait_s=30.0) == 'late'
    thread.join()
    assert cache.match(4, wait_s=0.01) is None
    assert cache.counters == StampCounters(3, 1, 1, 0, pytest.approx(1e-9))


def test_threads_that_add_and_match_lose_nothing():
    cache = StampCache(50, 0.0)
    found = []

    def add(offset):
        for k in range(500):
            cache.add(10 * k + offset, k)

    def match():
        for k in range(500):
            found.append(cache.match(10 * k))

    threads = [threading.Thread(target=add, args=(o,)) for o in (0, 1)]
    threads += [threading.Thread(target=match) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counters = cache.counters
    assert (counters.received, counters.matched + counters.unmatched) == (1000, 1000)
    assert counters.matched == sum(item is not None for item in found)
    assert len({s for s in range(5000) if cache.match(s) is not None}) == 50


@pytest.mark.parametrize(
    ('capacity', 'tolerance_s', 'text'),
    [(0, 0.0, 'capacity 0'), (1, -0.1, 'tolerance_s -0.1'), (1, math.nan, 'tolerance_s nan')],
)
def test_what_makes_no_sense_is_refused(capacity, tolerance_s, text):
    with pytest.raises(ValueError, match=text):
        StampCache(capacity, tolerance_s)
