# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The package's face: what can be imported from it, and what importing it costs."""

import subprocess
import sys

import pytest

import affordance_ros
from tests.conftest import ROOT


def run(code):
    result = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_importing_the_package_is_quick_and_loads_no_library():
    code = (
        'import sys, time; begin = time.process_time(); import affordance_ros\n'
        'took = time.process_time() - begin\n'
        'heavy = {"torch", "cv2", "numpy", "yaml"} & sys.modules.keys()\n'
        'assert not heavy, heavy\n'
        'print(took)\n'
    )
    assert min(float(run(code)) for _ in range(3)) < 0.1


def test_the_predictor_is_imported_without_torch():
    run('import sys; from affordance_ros import Predictor\nassert "torch" not in sys.modules')


def test_every_public_name_is_there_and_listed():
    from affordance_ros.predictor import Predictor

    assert affordance_ros.Predictor is Predictor
    for name in affordance_ros.__all__:
        assert getattr(affordance_ros, name).__name__ == name
        assert name in dir(affordance_ros)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'affordance_ros' has no attribute 'Predicter'"):
        _ = affordance_ros.Predicter
