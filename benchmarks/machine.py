# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The machine that a measurement ran on and what a process took of it, for reports."""

import platform
import re
from pathlib import Path


def cpu_name() -> str:
    """Return the processor's name as Linux tells it."""
    for line in Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines():
        if line.startswith('model name'):
            return line.split(':', 1)[1].strip()
    return platform.processor() or 'unknown processor'


def peak_memory_mb(process: int | str = 'self') -> float:
    """Return the most memory that a process has had; getrusage would count its parent's too."""
    status = Path(f'/proc/{process}/status').read_text(encoding='utf-8')
    found = re.search(r'VmHWM:\s+(\d+) kB', status)
    return int(found[1]) * 1024 / 1e6 if found else float('nan')
