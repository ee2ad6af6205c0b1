# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import ctypes
import gc
import weakref

import psutil
import pytest

from affordance_ros.memory import release_memory


class Cycle:
    def __init__(self):
        self.itself = self


def test_cycles_are_collected():
    gc.disable()
    try:
        gone = weakref.ref(Cycle())
        assert gone() is not None
        release_memory()
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), 'malloc_trim'), reason='needs glibc')
def test_freed_memory_below_what_is_still_used_goes_back_to_the_system():
    chunks = [bytearray(64 * 1024) for _ in range(2000)]  # 125 MiB below the threshold of mmap
    full = psutil.Process().memory_info().rss
    keep = chunks[-1]
    chunks.clear()
    release_memory()
    assert psutil.Process().memory_info().rss < full - 100 * 2**20
    assert len(keep) == 64 * 1024
