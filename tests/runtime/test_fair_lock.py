# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""FairLock go round in the order in which they were asked for."""

import threading
from collections import Counter

import pytest

from affordance_ros.runtime.fair_lock import FairLock


def test_who_comes_again_and_again_gets_every_nth_turn():
    turns, order, done = FairLock(), [], threading.Event()
    ready = threading.Barrier(4)

    def work(name):
        ready.wait()
        while not done.is_set():
            with turns:
                order.append(name)
                threading.Event().wait(0.001)  # the others come and wait meanwhile
                if len(order) >= 200:
                    done.set()

    threads = [threading.Thread(target=work, args=(name,)) for name in 'abcd']
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = Counter(order[20:200])
    assert counts.keys() == set('abcd')
    assert max(counts.values()) - min(counts.values()) <= 0.1 * 180


def test_one_at_a_time_and_an_error_passes_the_turn_on():
    turns, inside, most = FairLock(), [], []

    def work():
        for _ in range(300):
            try:
                with turns:
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
                    raise KeyError
            except KeyError:
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 1200 and max(most) == 1
    with pytest.raises(ValueError), turns:  # and it is free again
        raise ValueError
