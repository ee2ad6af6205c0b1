# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The demo, as `make demo` runs it but shorter: processes, DDS, and the sheets that it leaves."""

import os
import subprocess
import sys

import cv2
import pytest

from affordance_ros.safe_io.yaml import read_yaml
from tests.conftest import ROOT
from tests.viz.test_rerun_log import read_rrd

pytestmark = [pytest.mark.ros]


def test_the_demo_leaves_sheets_and_a_table(tmp_path):
    # A domain of its own: other tests' nodes use the same relative names in namespaces alone.
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(1 + (os.getpid() + 50) % 100)}
    options = ['--rows', '2', '--out', tmp_path, '--commands', 'hold the mug', 'drink_with']
    recorded = sys.version_info >= (3, 11)  # what rerun-sdk needs
    options += ['--rerun', tmp_path / 'demo.rrd'] if recorded else []
    result = subprocess.run(
        [sys.executable, '-m', 'scripts.demo', *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert sum(line.startswith('hold the mug') for line in lines) == 2
    assert sum(line.startswith('drink with') for line in lines) == 2
    assert 'household (' in result.stdout and 'UNTRAINED' not in result.stdout
    assert 'Traceback' not in result.stderr
    asked = read_yaml(ROOT / 'samples' / 'commands.yaml')
    for photo, command in asked.items():
        assert [line for line in lines if line.startswith(command) and photo in line]
    panels = cv2.imread(str(tmp_path / 'photos.png'))
    # Four in a row, each 400x300 under a title of 34, with a gap of 4 between.
    rows = -(-len(asked) // 4)
    assert panels.shape == (22 + rows * 338, 4 * 404 + 4, 3)
    sheet = cv2.imread(str(tmp_path / 'sequence.png'))
    # Two rows of a frame and two overlays, each 180x240 with a gap of 4 between.
    assert sheet.shape == (44 + 2 * 184 + 4, 3 * 244 + 4, 3)
    assert (sheet[44:224, 4:244] != sheet[44:224, 248:488]).any()
    if recorded:
        found = read_rrd(tmp_path / 'demo.rrd')
        commands = [v for _, _, v in found['/command:text']]
        assert commands == [[c] for c in asked.values()] + [['hold the mug'], ['drink with']]
        answers = len(found['/overlay:blob'])
        assert answers >= len(asked) + 4
        assert len(found['/image/targets:positions']) == answers
        assert 0 < len(found['/heatmap:buffer']) <= answers
        assert any(places for _, _, places in found['/scene/targets:positions'])
        assert found['/scene/camera/depth:buffer']
        assert found['/scene/target_pose:quaternion']
