"""The demo, as `make demo` runs it but shorter: processes, DDS, and the sheet that it leaves."""

import os
import subprocess
import sys

import cv2
import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.ros]


def test_the_demo_leaves_a_sheet_and_a_table(tmp_path):
    # A domain of its own: other tests' nodes use the same relative names in namespaces alone.
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(1 + (os.getpid() + 50) % 100)}
    options = ['--rows', '2', '--out', tmp_path, '--commands', 'hold the mug', 'drink_with']
    result = subprocess.run(
        [sys.executable, ROOT / 'scripts' / 'demo.py', *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert sum(line.startswith('hold the mug') for line in lines) == 2
    assert sum(line.startswith('drink with') for line in lines) == 2
    assert 'tabletop (' in result.stdout and 'UNTRAINED' not in result.stdout
    assert 'Traceback' not in result.stderr
    sheet = cv2.imread(str(tmp_path / 'contact_sheet.png'))
    # Two rows of a frame and two overlays, each 180x240 with a gap of 4 between.
    assert sheet.shape == (44 + 2 * 184 + 4, 3 * 244 + 4, 3)
    assert (sheet[44:224, 4:244] != sheet[44:224, 248:488]).any()
