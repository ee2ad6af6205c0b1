# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The package builds as a robot's workspace would build it, without links into the source."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.mark.parametrize('options', [[], ['--symlink-install']])
def test_colcon_builds_and_the_installed_node_starts(tmp_path, options):
    source = tmp_path / 'ws' / 'src' / 'affordance_ros'
    tracked = subprocess.run(
        ['git', 'ls-files', '-z'], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split('\0')
    for name in filter(None, tracked):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, source / name)
    workspace = source.parents[1]
    prefix = Path(sys.prefix)
    hidden = ('PYTHONPATH', 'COLCON_PREFIX_PATH')
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    environment.update(AMENT_PREFIX_PATH=str(prefix), CMAKE_PREFIX_PATH=str(prefix))
    subprocess.run(
        ['colcon', 'build', *options, '--cmake-args', '-DBUILD_TESTING=OFF'],
        cwd=workspace,
        env=environment,
        check=True,
    )
    installed = workspace / 'install' / 'affordance_ros'
    if not options:
        links = [path for path in installed.rglob('*') if path.is_symlink()]
        assert not links
        shutil.rmtree(source)
    # -I would hide the overlay too; the editable installation is hidden by the overlay's order.
    code = (
        'from affordance_ros.nodes.grounding import node as grounding; '
        'from affordance_ros.text.prompts import *; '
        'print(grounding.__file__, shipped_prompt_sets())'
    )
    # What the wheels lack is built in this checkout.
    built = ' '.join(
        f'source {ROOT}/install/{one.name}/share/{one.name}/package.bash;'
        for one in (ROOT / 'interfaces').iterdir()
    )
    result = subprocess.run(
        ['bash', '-c', f'{built} source {workspace}/install/setup.bash && python -c "{code}"'],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert str(installed) in result.stdout
    assert 'ensemble' in result.stdout
    for name in ('config/grounding.yaml', 'launch/grounding.launch.py', 'rviz/grounding.rviz'):
        assert (installed / 'share' / 'affordance_ros' / name).is_file()
    assert os.access(installed / 'lib' / 'affordance_ros' / 'grounding', os.X_OK)
