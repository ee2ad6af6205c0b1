# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What is wrong with a model's configuration at first sight, and the list of models."""

import open_clip
import pytest

from affordance_ros.load import check_files
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.errors import CheckpointError
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.known import CLIPSEGS
from affordance_ros.model.known import COMPACT_NAME
from affordance_ros.model.known import COMPACT_VIT_NAME
from affordance_ros.model.known import KNOWN
from affordance_ros.predictor import Predictor


def test_the_list_has_what_ships_all_resnets_of_open_clip_and_nothing_unknown():
    published = set(open_clip.list_models())
    assert {name for name in published if name.startswith('RN')} <= set(KNOWN)
    assert set(KNOWN) - published == {'household', COMPACT_NAME, COMPACT_VIT_NAME, *CLIPSEGS}
    assert KNOWN[0] == 'household', 'first what needs no download'


@pytest.mark.parametrize('name', KNOWN)
def test_known_models_pass(name):
    check_files(ModelConfig(name, 'openai'))


def test_an_exported_folder_passes_and_another_folder_does_not(tmp_path):
    with pytest.raises(ValueError, match='and the folder of an exported model'):
        check_files(ModelConfig(str(tmp_path)))
    (tmp_path / 'model.json').write_text('{}')
    check_files(ModelConfig(str(tmp_path)))


@pytest.mark.parametrize(
    ('config', 'error', 'text'),
    [
        (
            ModelConfig('tabletop', '/nope'),
            ValueError,
            "'tabletop' is unknown; known are household",
        ),
        (ModelConfig('compact', '/nope'), WeightsError, "'/nope' of compact: there is no such"),
        (
            ModelConfig('household', 'x.safetensors'),
            WeightsError,
            'of household: there is no such',
        ),
        (ModelConfig('RN50', 'none.pt'), WeightsError, 'of RN50: there is no such file'),
        (ModelConfig(checkpoint='none.safetensors'), CheckpointError, 'does not exist'),
        (ModelConfig(head='naclip'), ValueError, "'naclip' can not be used with household"),
    ],
)
def test_what_is_not_there_is_named_before_anything_is_loaded(config, error, text):
    with pytest.raises(error, match=text):
        check_files(config)


def test_a_head_is_not_passed_over_where_the_model_has_its_own():
    with pytest.raises(ValueError, match="head 'naclip' can not be used with household"):
        Predictor.load(ModelConfig(head='naclip', device='cpu'))
