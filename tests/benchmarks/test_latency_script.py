# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The latency table, as `make latency` prints it but over fewer frames."""

import os
import re
import subprocess
import sys

import pytest

from affordance_ros.runtime.latency import STAGES
from tests.conftest import ROOT

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def test_the_table_holds_both_and_every_stage():
    # A domain of its own: other tests' nodes use the same relative names in namespaces alone.
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(1 + (os.getpid() + 50) % 100)}
    options = ['--model', 'compact', '--weights', 'random', '--num-threads', '1', '--rounds', '1']
    result = subprocess.run(
        [sys.executable, '-m', 'benchmarks.latency', *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert result.returncode == 0, result.stderr
    assert 'Traceback' not in result.stderr
    rows = {
        name: (float(p50), float(p95))
        for name, p50, p95 in re.findall(
            r'^\| ([^|]+) \| ([\d.]+) \| ([\d.]+) \|$', result.stdout, re.M
        )
    }
    alone = rows.pop('image stamp to targets heard, the node alone')
    stamp_to_targets = rows.pop('the same, in turn with the next two')
    bare = rows.pop('bare predict(), in a thread as in the node')
    in_main = rows.pop('bare predict(), in the main thread')
    assert tuple(rows) == (*STAGES, 'total')
    for p50, p95 in (alone, stamp_to_targets, bare, in_main, *rows.values()):
        assert 0 < p50 <= p95
    assert 0 < rows['model'][0] < stamp_to_targets[0]
    share = re.search(r"the node's own share .* \| (-?[\d.]+), ", result.stdout)
    assert float(share[1]) == pytest.approx(stamp_to_targets[0] - bare[0], abs=0.15)
    assert ' cores, load ' in result.stdout
