# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A fuzz campaign: all targets, input by input, to be resumed, and what came of it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from tests.fuzz.worker import MEMORY_BYTES
from tests.fuzz.worker import TIME_S
from tests.fuzz.worker import target

_ROOT = Path(__file__).parents[2]
# Cheap targets get more of a million.
SHARES = {
    'images': 0.25, 'commands': 0.25, 'checkpoints': 0.125, 'refs': 0.125, 'agd20k': 0.125,
    'launch': 0.125,
}  # fmt: skip
_MAX_FAILURES = 20


@dataclass
class Progress:
    """What has become of one target.

    Attributes:
        next: The number of the next input.
        outcomes: Inputs by what became of them: accepted, a declared error class, FAILED.
        failures: What must not have happened, each with the number of its input.
        peak_bytes: Most memory that was resident.
        seconds: Time spent.
    """

    next: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)
    peak_bytes: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """True if nothing crashed, hung, escaped or took more memory than allowed."""
        return not self.failures and self.peak_bytes <= MEMORY_BYTES


@dataclass
class Campaign:
    """Progress of all targets, kept in a file.

    Attributes:
        path: The JSON file.
        seed: What all inputs are drawn from.
        targets: Progress by target.
    """

    path: Path
    seed: int
    targets: dict[str, Progress]

    @classmethod
    def open(cls, path: Path, seed: int) -> 'Campaign':
        """Go on with the campaign in a file, if that is of the same seed, or begin one."""
        targets = {name: Progress() for name in SHARES}
        if path.is_file():
            kept = json.loads(path.read_text())
            if kept['seed'] == seed:
                for name, fields in kept['targets'].items():
                    fields['outcomes'] = Counter(fields['outcomes'])
                    targets[name] = Progress(**fields)
        return cls(path, seed, targets)

    def run(self, name: str, end: int) -> None:
        """Feed one target's inputs up to a number, each death of a worker being a failure."""
        progress = self.targets[name]
        while progress.next < end and len(progress.failures) < _MAX_FAILURES:
            begin = time.monotonic()
            with tempfile.NamedTemporaryFile() as shared:
                shared.write(bytes(8))
                shared.flush()
                code = self._run_worker(name, end, shared.name)
                current = int.from_bytes(Path(shared.name).read_bytes(), 'little')
            progress.seconds += time.monotonic() - begin
            if code not in (0, 1):
                progress.failures.append({'number': current, 'why': _death(code), 'trace': ''})
                progress.outcomes['FAILED'] += 1
                # Fed since the worker's last report, which its end has swallowed.
                progress.outcomes['accepted or refused'] += current - progress.next
                progress.next = current + 1
            if code == 1 and not progress.failures:
                why = 'its worker could not begin'
                progress.failures.append({'number': progress.next, 'why': why, 'trace': ''})
            self.save()
            if code == 1:
                break  # it has reported what is wrong, often enough

    def _run_worker(self, name: str, end: int, shared: str) -> int:
        progress = self.targets[name]
        command = [sys.executable, '-m', 'tests.fuzz.worker', name, str(self.seed)]
        with subprocess.Popen(
            [*command, str(progress.next), str(end), shared],
            cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, 'OMP_NUM_THREADS': '1', 'OPENCV_LOG_LEVEL': 'SILENT'},
        ) as process:  # fmt: skip
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    self._take(progress, json.loads(line))
            except KeyboardInterrupt:
                process.terminate()
                self.save()
                raise
        return process.returncode

    def _take(self, progress: Progress, report: Mapping[str, Any]) -> None:
        progress.next = report['next']
        progress.outcomes.update(report['outcomes'])
        progress.failures += report['failures']
        progress.peak_bytes = max(progress.peak_bytes, report['peak'])
        self.save()

    def save(self) -> None:
        """Write the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {'seed': self.seed, 'targets': {n: vars(p) for n, p in self.targets.items()}}
        self.path.write_text(json.dumps(content, indent=1))

    @property
    def ok(self) -> bool:
        """True if all targets are."""
        return all(progress.ok for progress in self.targets.values())

    def table(self) -> str:
        """Return the outcomes as Markdown."""
        lines = [
            '| reads | inputs | accepted | refused by name | failed | peak MiB | inputs/s |',
            '|---|---|---|---|---|---|---|',
        ]
        for name, progress in self.targets.items():
            outcomes = progress.outcomes
            refused = ', '.join(
                f'{kind} {count:,}'
                for kind, count in sorted(outcomes.items())
                if kind not in ('accepted', 'FAILED')
            )
            rate = outcomes.total() / progress.seconds if progress.seconds else 0.0
            lines.append(
                f'| {target(name).reads} | {outcomes.total():,} | {outcomes["accepted"]:,} | '
                f'{refused} | {outcomes["FAILED"]} | {progress.peak_bytes >> 20} | {rate:,.0f} |'
            )
        total = sum(progress.outcomes.total() for progress in self.targets.values())
        lines.append(f'\n{total:,} inputs, seed {self.seed}')
        return '\n'.join(lines)


def _death(code: int) -> str:
    if code == -signal.SIGALRM:
        return f'hang: more than {TIME_S:g} s'
    if code < 0:
        return f'crash: {signal.Signals(-code).name}'
    return f'the worker ended with code {code}'
