# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the demo installs: the lock's own versions, without torch, and enough to run."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tools.lock_demo import demo_lock
from tools.lock_demo import needed
from tools.lock_demo import read_lock

FOLDER = ROOT / 'requirements'
# Top-level modules of packages that the demo does without.
ABSENT = (
    'mujoco', 'onnx', 'onnxruntime', 'onnxscript', 'open_clip', 'pycocotools', 'rerun', 'scipy',
    'tensorboard', 'torch', 'torchvision', 'transformers', 'ftfy', 'regex',
)  # fmt: skip


def test_the_file_is_what_the_tool_makes_of_the_lock():
    assert (FOLDER / 'demo.txt').read_text() == demo_lock(), 'run tools/lock_demo.py'


def test_it_is_a_part_of_the_lock_with_hashes_and_without_torch():
    lock = read_lock((FOLDER / 'lock.txt').read_text())
    demo = read_lock((FOLDER / 'demo.txt').read_text())
    for name, entries in demo.items():
        assert entries == lock[name]
        assert all('--hash=sha256:' in entry for entry in entries)
    assert {'ros-rclpy', 'openvino', 'tokenizers', 'numpy'} <= demo.keys()
    for name in ('torch', 'open-clip-torch', 'mujoco', 'onnxruntime'):
        assert name in lock and name not in demo


def test_what_a_package_needs_comes_with_it():
    known = ['tokenizers', 'huggingface-hub', 'filelock', 'torch']
    found = needed(['tokenizers'], known)
    assert {'tokenizers', 'huggingface-hub', 'filelock'} <= found and 'torch' not in found


@pytest.mark.ros
@pytest.mark.usefixtures('ros')
def test_demo_and_node_start_without_the_rest(tmp_path):
    (tmp_path / 'sitecustomize.py').write_text(
        f'import sys\nsys.modules.update(dict.fromkeys({ABSENT!r}))\n'
    )
    code = (
        'import sys, scripts.demo.__main__, affordance_ros.nodes.grounding.node\n'
        'import affordance_ros.nodes.camera, affordance_ros.cli.ground\n'
        'import affordance_ros.backends.openvino_backend, affordance_ros.backends.exported\n'
        'assert sys.modules["torch"] is None\n'
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get('PYTHONPATH', '')])
    subprocess.run(
        [sys.executable, '-c', code], check=True, cwd=ROOT, timeout=120,
        env={**os.environ, 'PYTHONPATH': path},
    )  # fmt: skip
