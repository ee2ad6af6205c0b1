# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The model that ships: whole, small, offline, and about something."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from affordance_ros.bag.frames import read_bag
from affordance_ros.model.embedded import EMBEDDED
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.grounding import ModelConfig
from affordance_ros.model.grounding import load_model
from affordance_ros.predictor import Predictor
from tests.conftest import SAMPLES


@pytest.fixture(scope='module')
def household():
    return Predictor(load_model(ModelConfig(model='household', device='cpu')))


def test_it_loads_offline_with_its_neck_and_is_at_most_40_mb(household):
    facts = household.model.describe()
    assert (facts['model'], facts['trained']) == ('household', 'yes')
    assert facts['decoder'].startswith('FPN')
    shipped = EMBEDDED['household']
    assert sum(path.stat().st_size for path in shipped.folder.iterdir()) <= 40_000_000
    card = (shipped.folder / 'README.md').read_text()
    assert facts['weights_sha256'][:12] in card, 'the card must be of these weights'


def test_it_tells_commands_apart_on_the_shipped_sequence(household):
    frame = next(iter(read_bag(SAMPLES / 'tabletop')))
    commands = ['cut with', 'drink with', 'eat']
    household.set_commands(commands)
    heatmaps = [g.heatmap for g in household.predict_all(frame.bgr, channels='bgr')]
    for one in range(3):
        assert np.ptp(heatmaps[one]) > 0.05
        for other in range(one):
            correlation = np.corrcoef(heatmaps[one].ravel(), heatmaps[other].ravel())[0, 1]
            assert correlation < 0.95, (commands[one], commands[other])


def test_own_weights_take_the_place_of_the_shipped_ones_and_leave_the_neck(household):
    """The shipped neck belongs to the shipped trunk alone."""
    model = load_model(ModelConfig(model='household', weights='random', device='cpu'))
    assert model.untrained and model.summary is None


def test_a_broken_installation_is_named(monkeypatch, tmp_path):
    broken = dataclasses.replace(EMBEDDED['household'], folder=tmp_path)
    monkeypatch.setitem(EMBEDDED, 'household', broken)
    with pytest.raises(WeightsError, match=r'trunk\.safetensors is missing: .*install'):
        load_model(ModelConfig(model='household'))


def test_no_file_of_the_model_is_a_link_where_the_package_is_installed_as_links(tmp_path):
    """As by colcon's --symlink-install: OpenVINO reads no external weights through a link."""
    code = "from affordance_ros.model.embedded import EMBEDDED as e; print(e['household'].folder)"
    found = subprocess.run(
        [sys.executable, '-c', code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    files = list(Path(found.stdout.strip()).iterdir())
    assert files and not any(path.is_symlink() for path in files)
