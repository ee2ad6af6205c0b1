# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Nothing of this package tells others that it is used."""

import os
import subprocess
import sys

from tests.conftest import ROOT

CODE = """
import threading
from affordance_ros.backends import openvino_backend
import sys
assert 'openvino' in sys.modules
assert not [name for name, m in sys.modules.items() if m and 'openvino_telemetry' in name]
assert threading.active_count() == 1, threading.enumerate()
"""


def test_openvino_sends_no_usage_report_and_writes_nothing_into_home(tmp_path):
    subprocess.run(
        [sys.executable, '-c', CODE],
        check=True,
        cwd=ROOT,
        env={**os.environ, 'HOME': str(tmp_path)},
        timeout=120,
    )
    assert list(tmp_path.iterdir()) == []
