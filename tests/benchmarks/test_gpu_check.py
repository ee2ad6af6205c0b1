# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""make gpu-check keeps its time, tells what failed, and says so where there is no GPU."""

import subprocess
import sys
import time

import pytest
import torch

from benchmarks.gpu_check import LIMIT_S
from benchmarks.gpu_check import STEPS
from benchmarks.gpu_check import run_steps
from tests.conftest import ROOT


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_without_a_gpu_it_is_skipped_with_a_line():
    arguments = [sys.executable, '-m', 'benchmarks.gpu_check']
    ran = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0
    assert ran.stdout == 'skipped: torch sees no GPU here, so nothing was checked\n'


def test_what_fails_is_told_and_the_others_run():
    steps = {'bad': ('-c', 'print("so"); raise SystemExit(3)'), 'good': ('-c', 'print("well")')}
    told, failed = run_steps(steps, 60.0)
    assert told == {'bad': 'so\n', 'good': 'well\n'}
    assert failed == ['bad: ended with 3']


def test_the_time_is_kept_and_what_was_told_by_then_is_kept():
    steps = {
        'long': ('-c', 'print("begun", flush=True); import time; time.sleep(60)'),
        'late': ('-c', 'print("never")'),
    }
    begin = time.monotonic()
    told, failed = run_steps(steps, 10.0)
    assert time.monotonic() - begin < 40
    assert told['long'] == 'begun\n'
    assert next(iter(failed)).startswith('long: not finished')


def test_it_asks_for_eight_minutes_at_most():
    assert LIMIT_S <= 480 and list(STEPS) == [
        'tests', 'household', 'RN101-quickgelu', 'ViT-B-16-quickgelu',
    ]  # fmt: skip
