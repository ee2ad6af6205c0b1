# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The evaluation under torchrun and its report in a browser."""

import shutil
import subprocess
import sys

import cv2
import pytest

from tests.conftest import ROOT
from tests.support.agd20k_runs import MODEL
from tests.support.agd20k_runs import results
from tests.support.agd20k_runs import run

BROWSER = shutil.which('chromium') or shutil.which('google-chrome')


@pytest.mark.slow
def test_torchrun_processes_share_the_images(root, tmp_path):
    arguments = ['-m', 'affordance_ros_eval.cli', 'agd20k', '--root', str(root)]
    arguments += ['--workers', '0', '--no-html']
    command = [
        sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2',
        *arguments, *MODEL, '--out', str(tmp_path / 'two'),
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=170)
    assert run(root, tmp_path / 'one', '--no-html') == 0
    one, two = (results(tmp_path / name)['images'] for name in ('one', 'two'))
    # torchrun gives each process one thread, and sums over more threads round differently.
    assert len(two) == len(one)
    for mine, theirs in zip(two, one, strict=True):
        assert mine.keys() == theirs.keys()
        for name, value in theirs.items():
            assert mine[name] == (
                pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            )


@pytest.mark.skipif(not BROWSER, reason='neither chromium nor google-chrome is installed')
def test_the_report_shows_in_a_browser_without_network(root, tmp_path):
    assert run(root, tmp_path / 'out') == 0
    report = tmp_path / 'out/locate/report.html'
    html = report.read_text()
    assert 'src="http' not in html and 'href=' not in html and '<script' not in html
    flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
    flags += [
        f'--disable-{what}' for what in ('background-networking', 'component-update', 'sync')
    ]
    shot = tmp_path / 'shot.png'
    subprocess.run(
        [BROWSER, *flags, f'--user-data-dir={tmp_path / "profile"}', '--window-size=1240,3000',
         f'--screenshot={shot}', report.as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    pixels = cv2.imread(str(shot))
    assert pixels.shape[1] == 1240
    # The photos' red discs are on the page: data URIs were decoded.
    assert ((abs(pixels.astype(int) - (30, 60, 220)) < 25).all(2)).sum() > 200
