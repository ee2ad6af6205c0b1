# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Everything that only a GPU can show, in one command of 8 minutes at most.

The tests of CUDA graphs and of equality with torch in float32, then speed and tail latency of
three models on every backend that works here. What was told is in out/gpu_check.md.
"""

import subprocess
import sys
import time
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import torch

LIMIT_S = 450.0
_BENCH = ('-m', 'benchmarks.bench_inference', '--device', 'cuda', '--sizes', '320')
_SHORT = ('--rounds', '5', '--frames', '2000', '--skip', 'growth', 'peers', 'load', 'start')
STEPS = {
    'tests': ('-m', 'pytest', '-q', '-rs', 'tests/backends/test_cuda_backend.py'),
    **{
        model: (*_BENCH, '--model', model, '--weights', weights, *_SHORT)
        for model, weights in (
            ('household', ''),
            ('RN101-quickgelu', 'random'),
            ('ViT-B-16-quickgelu', 'random'),
        )
    },
}


def run_steps(
    steps: Mapping[str, Sequence[str]], limit_s: float
) -> tuple[dict[str, str], list[str]]:
    """Run commands of Python one after the other, while there is time.

    Args:
        steps: Arguments of the interpreter, by name.
        limit_s: Seconds for all.

    Returns:
        What each told, and what failed or had no time, a phrase for each.
    """
    end = time.monotonic() + limit_s
    told: dict[str, str] = {}
    failed = []
    for name, arguments in steps.items():
        try:
            ran = subprocess.run(
                [sys.executable, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=max(0.1, end - time.monotonic()),
            )
        except subprocess.TimeoutExpired as error:
            output = error.stdout or b''
            told[name] = output.decode(errors='replace') if isinstance(output, bytes) else output
            failed.append(f'{name}: not finished when the time was over')
            continue
        told[name] = ran.stdout
        if ran.returncode:
            failed.append(f'{name}: ended with {ran.returncode}')
    return told, failed


def main() -> int:
    """Check the GPU; return 0 where all passed, or where there is none, else 1."""
    if not torch.cuda.is_available():
        sys.stdout.write('skipped: torch sees no GPU here, so nothing was checked\n')
        return 0
    card = f'{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, torch {torch.__version__}'
    sys.stdout.write(f'{card}\n')
    sys.stdout.flush()
    told, failed = run_steps(STEPS, LIMIT_S)
    parts = [f'# {card}', *(f'## {name}\n\n{text.strip()}' for name, text in told.items())]
    report = Path('out/gpu_check.md')
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text('\n\n'.join(parts) + '\n', encoding='utf-8')
    sys.stdout.write('\n\n'.join(parts) + '\n')
    sys.stdout.write(''.join(f'FAILED {line}\n' for line in failed) or 'all passed\n')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
