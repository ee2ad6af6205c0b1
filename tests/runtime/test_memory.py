# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import ctypes
import gc
import subprocess
import sys
import types
import weakref

import psutil
import pytest

from affordance_ros.runtime.memory import release_memory
from tests.conftest import ROOT


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


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), 'mallopt'), reason='needs glibc')
def test_freed_images_are_kept_for_the_next_ones():
    """In a process of its own, since it can't be undone: no fresh pages once it has run."""
    program = (
        'import resource\n'
        'from affordance_ros.runtime.memory import keep_memory\n'
        'def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n'
        'def use(): return [bytearray(size) for size in (500_000, 500_000, 900_000)]\n'
        'keep_memory(); use(); before = faults()\n'
        'for _ in range(100): use()\n'
        'print(faults() - before)\n'
    )
    run = [sys.executable, '-c']
    counts = [
        int(subprocess.run([*run, text], capture_output=True, text=True, cwd=ROOT).stdout)
        for text in (program, program.replace('keep_memory(); ', ''))
    ]
    assert counts[0] < 100 < 10_000 < counts[1]


def test_memory_is_released_while_torch_is_being_imported(monkeypatch):
    """As a node does that is shut down while its model loads in another thread."""
    monkeypatch.setitem(sys.modules, 'torch', types.ModuleType('torch'))
    release_memory()
