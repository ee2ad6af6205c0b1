# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What colcon installs beside the nodes: tools on the PATH, the demo, samples and examples."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ros


@pytest.fixture
def prefix():
    from ament_index_python.packages import get_package_prefix

    return Path(get_package_prefix('affordance_ros'))


@pytest.mark.parametrize('name', ['affordance-bag', 'affordance-export', 'affordance-ground'])
def test_the_tools_are_on_the_path_that_ament_sets(prefix, name, tmp_path):
    found = shutil.which(name, path=os.environ['PATH'])
    assert found == str(prefix / 'bin' / name)
    result = subprocess.run(
        [sys.executable, found, '--help'], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert name in result.stdout


def test_ros2_run_finds_the_demo(prefix, tmp_path):
    """As `ros2 run` does: an executable file in lib/<package>."""
    demo = prefix / 'lib' / 'affordance_ros' / 'demo'
    assert os.access(demo, os.X_OK)
    result = subprocess.run(
        [sys.executable, str(demo), '--help'],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert 'usage: demo' in result.stdout


def test_samples_and_examples_are_installed(prefix):
    share = prefix / 'share' / 'affordance_ros'
    assert (share / 'samples' / 'commands.yaml').is_file()
    assert list((share / 'samples' / 'photos').glob('*.jpg'))
    assert (share / 'samples' / 'tabletop' / 'metadata.yaml').is_file()
    assert {path.name for path in (share / 'examples').glob('*.py')} >= {'pregrasp.py'}
