# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Memory given back to the system, which neither Python nor the C library does by itself."""

import ctypes
import gc
import sys


def release_memory() -> None:
    """Collect garbage and return freed pages to the system.

    glibc keeps freed memory below the top of its heaps for later; after a model has been dropped,
    `malloc_trim` gives it back. Other C libraries don't have it, and there this only collects.
    """
    gc.collect()
    torch = sys.modules.get('torch')
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim is not None:
        trim(0)
