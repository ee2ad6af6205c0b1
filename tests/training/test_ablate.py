# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Promises of the ablation."""

from pathlib import Path

import pytest
import yaml

from affordance_ros_training import ablate
from affordance_ros_training.config import TrainConfig
from affordance_ros_training.yaml_config import load_config
from tests.support import training_runs as tr
from tests.support.refer_fixture import write_dataset

_CONFIGS = sorted((Path(ablate.__file__).parent / 'configs').glob('*.yaml'))


def test_the_table_has_every_variant_and_goes_on_after_a_break(tmp_path, monkeypatch):
    write_dataset(tmp_path, splits={'train': 2, 'val': 1})
    path = tmp_path / 'base.yaml'
    path.write_text(yaml.safe_dump(tr.mapping(tmp_path, optim={'epochs': 1})))
    arguments = ['--config', str(path), '--out', str(tmp_path / 'ablation'), '--seeds', '0', '1']
    document = tmp_path / 'docs' / 'ablation.md'
    assert ablate.main([*arguments, '--document', str(document)]) == 0
    text = document.read_text()
    rows = [line for line in text.splitlines() if line.startswith('| F_S')]
    assert [row.split(' | ')[0][2:] for row in rows] == list(ablate.VARIANTS)
    assert '±' in rows[0]
    assert 'affordance-ablate --config' in text
    monkeypatch.setattr(ablate, 'TrainingRun', None)  # nothing is trained twice
    assert ablate.main([*arguments, '--document', str(document)]) == 0
    assert document.read_text() == text


@pytest.mark.parametrize('path', _CONFIGS, ids=lambda p: p.stem)
def test_every_shipped_configuration_loads(path):
    assert load_config(TrainConfig, path)
