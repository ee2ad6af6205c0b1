# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import gc
import weakref

import pytest

from affordance_ros.model.lru import LruCache


def test_a_value_is_made_once_while_it_is_in_use():
    recent, made = LruCache(2), []

    def get(key):
        return recent.get(key, lambda: made.append(key) or key.upper())

    assert [get(key) for key in 'abacab'] == list('ABACAB')
    assert made == ['a', 'b', 'c', 'b'], 'a was used more lately than b when c came'


def test_what_could_not_be_made_is_tried_again():
    recent = LruCache(1)
    with pytest.raises(ZeroDivisionError):
        recent.get('a', lambda: 1 / 0)
    assert recent.get('a', lambda: 'made') == 'made'


def test_an_owner_is_freed_without_the_garbage_collector():
    class Owner:
        def __init__(self):
            self.recent = LruCache(1)

        def use(self):
            return self.recent.get('key', lambda: str(self)[:0])

    owner = Owner()
    owner.use()
    gone = weakref.ref(owner)
    gc.disable()
    try:
        del owner
        assert gone() is None
    finally:
        gc.enable()
