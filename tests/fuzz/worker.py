# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""One target's inputs in a process of their own, which may be killed by any of them.

python -m tests.fuzz.worker TARGET SEED START END PROGRESS

Each input is made by a generator seeded with target, seed and number, so that a number is all that
is needed to see it again.
"""

import importlib
import json
import mmap
import os
import resource
import shutil
import signal
import struct
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.target import Target

NAMES = ('images', 'commands', 'checkpoints', 'refs', 'agd20k', 'launch')
MEMORY_BYTES = 1 << 31
TIME_S = 10.0
_MAX_FAILURES = 20
_REPORT_EVERY = 500


def target(name: str) -> Target:
    """Return a target by its name."""
    found: Target = importlib.import_module(f'tests.fuzz.{name}').TARGET
    return found


def generator(name: str, seed: int, number: int) -> Random:
    """Return what makes one input."""
    return Random(f'{name} {seed} {number}')


def work(name: str, seed: int, start: int, end: int, progress: Path) -> None:
    """Feed inputs start to end; print a line of JSON now and then.

    The number of the input under way stands in the file `progress`, wherever the process ends.
    """
    # Beyond it, allocations fail. RLIMIT_AS would count libraries that are mapped and never read.
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    # The default action ends the process, also within C code that never returns.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    folder = Path(tempfile.mkdtemp(dir=_fast_folder(), prefix='fuzz-'))
    try:
        _feed_all(target(name), name, seed, range(start, end), progress, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _feed_all(
    tried: Target, name: str, seed: int, numbers: range, progress: Path, folder: Path
) -> None:
    feed = tried.prepare(folder)
    outcomes: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    failed = 0
    with progress.open('r+b') as file, mmap.mmap(file.fileno(), 8) as shared:
        for count, number in enumerate(numbers, start=1):
            struct.pack_into('<q', shared, 0, number)
            rng = generator(name, seed, number)
            signal.setitimer(signal.ITIMER_REAL, TIME_S)
            try:
                feed(rng)
                outcomes['accepted'] += 1
            except tried.declared as error:
                outcomes[type(error).__name__] += 1
            except Exception as error:
                outcomes['FAILED'] += 1
                trace = traceback.format_exc()
                failures.append({'number': number, 'why': repr(error)[:300], 'trace': trace})
            signal.setitimer(signal.ITIMER_REAL, 0)
            failed += len(failures)
            if count % _REPORT_EVERY == 0 or failures or number == numbers[-1]:
                _report(number + 1, outcomes, failures)
            if failed >= _MAX_FAILURES:
                sys.exit('too many failures')


def _report(done: int, outcomes: Counter[str], failures: list[dict[str, Any]]) -> None:
    peak = _peak_bytes()
    sys.stdout.write(
        json.dumps({'next': done, 'outcomes': outcomes, 'failures': failures, 'peak': peak}) + '\n'
    )
    sys.stdout.flush()
    outcomes.clear()
    failures.clear()


def _peak_bytes() -> int:
    """Return the most memory that was resident; getrusage would count the parent's at the fork."""
    status = Path('/proc/self/status').read_text()
    return int(status.split('VmHWM:')[1].split()[0]) << 10


def _fast_folder() -> str | None:
    """Return a folder in memory where there is one: most targets write files."""
    return '/dev/shm' if os.access('/dev/shm', os.W_OK) else None


if __name__ == '__main__':
    first, last = int(sys.argv[3]), int(sys.argv[4])
    work(sys.argv[1], int(sys.argv[2]), first, last, Path(sys.argv[5]))
