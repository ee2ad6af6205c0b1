# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The process's memory: kept while images come, given back once a model has been dropped."""

import ctypes
import gc
import sys

# glibc's names for mallopt (malloc.h).
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGEST_IMAGE = 32 << 20  # the most that glibc takes for the threshold
_KEPT_FREE = 128 << 20


def keep_memory() -> None:
    """Let the C library keep freed images for the next ones; for the main program to call once.

    By default glibc gives an image's memory back when it is freed and gets fresh pages for the
    next one, which the system hands out zeroed, 4 KB at a time: 0.4 ms for a message of 0.5 MB
    that takes 0.02 ms to fill. Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_IMAGE)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_FREE)


def release_memory() -> None:
    """Collect garbage and return freed pages to the system.

    glibc keeps freed memory below the top of its heaps for later; after a model has been dropped,
    `malloc_trim` gives it back. Other C libraries don't have it, and there this only collects.
    """
    gc.collect()
    # Another thread may be importing torch just now: then it has no such thing yet.
    cuda = getattr(sys.modules.get('torch'), 'cuda', None)
    is_initialized = getattr(cuda, 'is_initialized', None)
    if cuda is not None and is_initialized is not None and is_initialized():
        cuda.empty_cache()
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim is not None:
        trim(0)
