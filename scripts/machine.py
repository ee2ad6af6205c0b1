# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The machine that a measurement ran on, for its report."""

import platform
from pathlib import Path


def cpu_name() -> str:
    """Return the processor's name as Linux tells it."""
    for line in Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines():
        if line.startswith('model name'):
            return line.split(':', 1)[1].strip()
    return platform.processor() or 'unknown processor'
