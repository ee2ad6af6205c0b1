# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file
from safetensors.torch import save_file

from affordance_ros.model import checkpoint
from affordance_ros.model.checkpoint import CheckpointError
from affordance_ros.model.checkpoint import load_checkpoint
from affordance_ros.model.checkpoint import save_checkpoint
from affordance_ros.model.families import load_trunk
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.grounding import ModelConfig
from affordance_ros.model.grounding import load_model
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.model.neck import NeckConfig
from affordance_ros.predictor import Predictor
from affordance_ros.safe_io.atomic import DiskFullError

CONFIG = NeckConfig(channels=32, fusion='concat', scales=('global', 'stride32', 'stride16'))


@pytest.fixture
def saved(trunk, tmp_path):
    decoder = untrained_decoder(trunk, CONFIG)
    path = tmp_path / 'fpn.safetensors'
    save_checkpoint(
        path,
        decoder,
        trunk=trunk,
        prompt_set='verb@1',
        input_size=256,
        training={'data': 'toy', 'steps': 3},
    )
    return path, decoder


def test_round_trip_keeps_weights_and_metadata(trunk, saved, pixels):
    path, decoder = saved
    loaded, summary = load_checkpoint(path, trunk)
    text = torch.nn.functional.normalize(torch.randn(2, trunk.embed_dim), dim=1)
    assert torch.equal(
        GroundingModel(trunk, loaded)(pixels, text), GroundingModel(trunk, decoder)(pixels, text)
    )
    assert summary.neck == CONFIG
    assert summary.trunk == {'name': 'compact', 'sha256': trunk.sha256}
    assert (summary.prompt_set, summary.input_size) == ('verb@1', 256)
    assert summary.training == {'data': 'toy', 'steps': 3}


def test_only_the_trained_part_is_stored(saved):
    path, decoder = saved
    assert load_file(path).keys() == dict(decoder.named_parameters()).keys()


def test_the_predictor_takes_the_checkpoints_size_and_says_that_it_is_in_use(saved):
    path, _ = saved
    config = ModelConfig(model='compact', weights='random', checkpoint=str(path), device='cpu')
    predictor = Predictor(load_model(config))
    assert predictor.input_size == 256
    facts = predictor.model.describe()
    assert facts['decoder'] == 'FPN (concat)'
    assert facts['checkpoint'] == str(path)


def test_another_trunk_is_refused_by_name(trunk, saved):
    path, _ = saved
    with pytest.raises(CheckpointError, match='trained on the trunk compact, and RN50-quickgelu'):
        load_checkpoint(path, load_trunk('RN50-quickgelu', 'random'))
    with pytest.raises(CheckpointError, match=r'trained on compact with weights .* meaningless'):
        load_checkpoint(path, load_trunk('compact', 'random', seed=1))


def test_other_channel_sizes_are_refused_by_name(trunk, saved):
    path, _ = saved
    tensors = load_file(path)
    tensors['neck.project.stride32.weight'] = torch.zeros(32, 100, 1, 1)
    about = {
        'trunk': {'name': trunk.name, 'sha256': trunk.sha256},
        'neck': dataclasses.asdict(CONFIG),
        'prompt_set': 'verb@1',
        'input_size': 256,
        'training': {},
    }
    metadata = {'format': checkpoint.FORMAT, 'format_version': '1', 'about': json.dumps(about)}
    save_file(tensors, path, metadata)
    with pytest.raises(CheckpointError, match=r'stride32.weight is \(32, 100, 1, 1\)'):
        load_checkpoint(path, trunk)


@pytest.mark.parametrize('keep', [0, 5, 100, 10_000])
def test_a_truncated_file_is_refused_by_name(trunk, saved, keep):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r'fpn\.safetensors is not a whole safetensors'):
        load_checkpoint(path, trunk)


def test_missing_foreign_and_newer_files_are_refused(trunk, saved, tmp_path):
    path, _ = saved
    with pytest.raises(CheckpointError, match='does not exist'):
        load_checkpoint(tmp_path / 'none.safetensors', trunk)
    save_file({'x': torch.zeros(1)}, tmp_path / 'foreign.safetensors')
    with pytest.raises(CheckpointError, match='not a checkpoint of this package'):
        load_checkpoint(tmp_path / 'foreign.safetensors', trunk)
    metadata = {'format': checkpoint.FORMAT, 'format_version': '3', 'about': '{}'}
    save_file(load_file(path), path, metadata)
    with pytest.raises(CheckpointError, match='format version 3, and this package reads 2'):
        load_checkpoint(path, trunk)
    metadata = {'format': checkpoint.FORMAT, 'format_version': '1', 'about': '{"trunk": 1}'}
    save_file(load_file(path), path, metadata)
    with pytest.raises(CheckpointError, match='damaged metadata'):
        load_checkpoint(path, trunk)


def test_a_failed_write_leaves_the_old_file(trunk, saved, monkeypatch):
    path, decoder = saved
    before = path.read_bytes()

    def full_disk(file):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.fsync', full_disk)
    with pytest.raises(DiskFullError, match='the disk is full'):
        save_checkpoint(
            path, decoder, trunk=trunk, prompt_set='verb@1', input_size=320, training={}
        )
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
