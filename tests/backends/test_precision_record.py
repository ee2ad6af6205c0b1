# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""`auto` takes a faster precision only on evidence of the same kind of model."""

import pytest

from affordance_ros.backends import openvino_backend
from affordance_ros.backends import precision_record
from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.openvino_backend import processor_has_bf16
from affordance_ros.backends.precision_record import PrecisionRecord
from affordance_ros.backends.precision_record import find_record
from affordance_ros.backends.precision_record import read_record
from affordance_ros.backends.select import choose_backend
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.families import load_trunk
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.grounding import load_model
from affordance_ros.model.grounding import untrained_decoder
from tests.support.household_folder import NAME
from tests.support.household_folder import write_model

CANVAS = (64, 64)
needs_bf16 = pytest.mark.skipif(not processor_has_bf16(), reason='the processor lacks bfloat16')


@pytest.fixture(scope='module')
def household(tmp_path_factory):
    folder = tmp_path_factory.mktemp('household')
    return load_model(ModelConfig(NAME, str(folder), str(write_model(folder)), 'cpu'))


@pytest.fixture(scope='module')
def compiled(tmp_path_factory):
    """Return where networks are kept: writing one takes 10 s."""
    return tmp_path_factory.mktemp('compiled')


@pytest.fixture
def evidence(monkeypatch):
    """Let the record hold one entry, which passes, and return a function that sets its family."""

    def hold(family):
        record = PrecisionRecord(
            *('openvino', 'bf16', family, 'FPN', 'measured', 1000), *(0.0, 0.0, 0.0, 0.0)
        )
        monkeypatch.setattr(precision_record, 'read_record', lambda: [record])

    return hold


def choose(model, folder):
    return choose_backend(model, BackendConfig(cache_dir=str(folder), num_threads=1), CANVAS)


def test_bfloat16_of_another_family_of_trunks_is_no_evidence(
    household, evidence, compiled, monkeypatch
):
    evidence('clip')
    monkeypatch.setattr(openvino_backend, 'processor_has_bf16', lambda: True)
    chosen = choose(household, compiled)
    assert chosen.backend.description == 'openvino f32 on cpu'
    assert 'nobody has measured bf16 with a household trunk and a FPN decoder' in chosen.reason


@needs_bf16
def test_bfloat16_of_its_own_family_is_evidence(household, evidence, compiled):
    evidence('household')
    chosen = choose(household, compiled)
    assert chosen.backend.description == 'openvino bf16 on cpu'
    assert 'bf16 keeps the answers' in chosen.reason


def test_an_entry_is_found_by_all_that_it_was_measured_with(evidence):
    evidence('clip')
    assert find_record('openvino', 'bf16', 'clip', 'FPN').model == 'measured'
    for other in (
        ('torch', 'bf16', 'clip', 'FPN'),
        ('openvino', 'f16', 'clip', 'FPN'),
        ('openvino', 'bf16', 'household', 'FPN'),
        ('openvino', 'bf16', 'clip', 'training-free maskclip'),
    ):
        assert find_record(*other) is None


def test_every_entry_is_of_a_family_and_a_decoder_that_exist(trunk, household):
    models = [household, GroundingModel(trunk, untrained_decoder(trunk))]
    families = {model.family for model in models}
    assert families == {'clip', 'household'}
    kinds = {model.decoder_kind for model in models}
    for record in read_record():
        assert record.family in families and record.decoder in kinds
    assert len({record.key for record in read_record()}) == len(read_record())


def test_an_exported_model_tells_the_family_of_its_trunk(tmp_path, household):
    from affordance_ros.backends.exported import ExportedModel
    from affordance_ros.cli import export as export_cli

    source = household.trunk.folder
    arguments = ['--model', NAME, '--weights', str(source)]
    arguments += ['--checkpoint', str(household.summary.path)]
    assert export_cli.main([str(tmp_path / 'out'), *arguments]) == 0
    exported = ExportedModel(tmp_path / 'out')
    assert (exported.family, exported.decoder_kind) == ('household', 'FPN')
    assert load_trunk(NAME, str(source)).family == exported.family
