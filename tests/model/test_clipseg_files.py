# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Where CLIPSeg's weights come from, and what is refused."""

import json
import shutil
import sys

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from affordance_ros.load import check_files
from affordance_ros.model.clipseg import load
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.families import load_trunk
from affordance_ros.model.fetch import fetch
from tests.support.small_clipseg import NAME
from tests.support.small_clipseg import small_clipseg
from tests.support.small_clipseg import write_clipseg


@pytest.fixture
def folder(tmp_path):
    write_clipseg(tmp_path / 'clipseg')
    return tmp_path / 'clipseg'


def configure(folder, **changes):
    """Change the folder's configuration; a dict changes a part of it."""
    path = folder / 'config.json'
    content = json.loads(path.read_text())
    for name, value in changes.items():
        if isinstance(value, dict):
            content[name].update(value)
        else:
            content[name] = value
    path.write_text(json.dumps(content))


def test_a_state_dict_of_old_versions_loads_to_the_same_weights(folder, tmp_path):
    """They hold position_ids, and lack the configuration's newer keys."""
    state = small_clipseg().state_dict()
    state['clip.text_model.embeddings.position_ids'] = torch.arange(32)[None]
    state['clip.vision_model.embeddings.position_ids'] = torch.arange(197)[None]
    (tmp_path / 'old').mkdir()
    torch.save(state, tmp_path / 'old' / 'pytorch_model.bin')
    shutil.copy(folder / 'config.json', tmp_path / 'old')
    configure(tmp_path / 'old', text_config={'bos_token_id': 0, 'eos_token_id': 2})
    old, new = load_trunk(NAME, str(tmp_path / 'old')), load_trunk(NAME, str(folder))
    assert old.sha256 == new.sha256
    assert not old.untrained
    assert old.weights.endswith('pytorch_model.bin')
    # Where the weights lie in memory changes the last digit.
    text = ['hold the mug']
    torch.testing.assert_close(old.text.encode(text), new.text.encode(text))


def test_random_weights_are_of_the_published_shape_and_of_their_seed():
    trunk = load_trunk('clipseg-rd64-refined', 'random')
    # As the hub counts the published ones: 150.748 million, and a few integers.
    assert sum(p.numel() for p in trunk.parameters()) == 150_747_746
    assert trunk.untrained and trunk.embed_dim == 512 and trunk.input_size == 352
    assert trunk.backbone_stages == ('block4', 'block7', 'block10')
    assert len(trunk.own_decoder.decoder.transposed_convolution) == 5
    assert load_trunk('clipseg-rd64-refined', 'random').sha256 == trunk.sha256
    pixels = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        features = trunk(pixels, trunk.own_decoder.inputs)
        logits = trunk.own_decoder(features, trunk.text.encode(['cut']))
    assert 0.1 < logits.std() < 10, 'a heatmap with more than black and white'


def test_without_transformers_the_name_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'transformers', None)
    message = r"'clipseg-rd64' needs transformers, which is not installed: pip install \"trans"
    for refuse in (lambda: check_files(ModelConfig(NAME)), lambda: load_trunk(NAME, 'random')):
        with pytest.raises(ValueError, match=message) as error:
            refuse()
        assert '\n' not in str(error.value)
    check_files(ModelConfig('RN50-quickgelu'))


def test_weights_of_another_shape_are_refused(folder, tmp_path):
    with pytest.raises(WeightsError, match=r'does not hold the weights of clipseg-rd64: .* shape'):
        load_trunk(NAME, str(folder / 'model.safetensors'))
    state = small_clipseg().state_dict()
    del state['decoder.film_mul.bias']
    save_file(state, folder / 'model.safetensors')
    with pytest.raises(WeightsError, match=r'1 tensors missing.*film_mul\.bias is missing'):
        load_trunk(NAME, str(folder))


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'model_type': 'clip'}, 'is not the configuration of a CLIPSeg'),
        ({'vision_config': {'patch_size': 14}}, 'its patch_size is 14, which does not divide 32'),
        ({'vision_config': {'num_hidden_layers': 10**9}}, 'more layers than the weight file'),
        ({'vision_config': {'hidden_size': 10**7}}, 'can not be used|does not hold'),
        ({'vision_config': {'hidden_size': 'wide'}}, 'can not be used'),
        ({'extract_layers': [1, 2, 6]}, r'extract_layers \[1, 2, 6\] are not layers'),
        ({'extract_layers': [1, 1, 4]}, 'they must be different'),
        ({'text_config': {'vocab_size': 1024}}, 'its vocab_size is 1024'),
    ],
)  # fmt: skip
def test_a_configuration_that_can_not_be_used_is_refused_by_name(folder, changes, reason):
    configure(folder, **changes)
    with pytest.raises(WeightsError, match=reason) as error:
        load_trunk(NAME, str(folder))
    assert str(folder) in str(error.value) and '\n' not in str(error.value)


def test_what_is_not_there_is_named(folder, tmp_path, monkeypatch):
    with pytest.raises(WeightsError, match="weights '/nope' of clipseg-rd64: it does not exist"):
        load_trunk(NAME, '/nope')
    with pytest.raises(WeightsError, match="'openai' of clipseg-rd64: it is not a path, and it"):
        load_trunk(NAME, 'openai')
    monkeypatch.chdir(folder.parent)
    with pytest.raises(WeightsError, match=r'as \./folder'):
        load_trunk(NAME, folder.name)
    assert not load_trunk(NAME, f'./{folder.name}').untrained
    (tmp_path / 'empty').mkdir()
    with pytest.raises(WeightsError, match=r'neither model\.safetensors nor pytorch_model\.bin'):
        load_trunk(NAME, str(tmp_path / 'empty'))
    (folder / 'config.json').write_text('{')
    with pytest.raises(WeightsError, match=r'config\.json can not be read'):
        load_trunk(NAME, str(folder))


def test_the_published_weights_are_asked_for_by_their_own_name(monkeypatch):
    def offline(config, files):
        raise load.FetchError(f'tried {config["hf_hub"]} for {" or ".join(files)}')

    monkeypatch.setattr(load, 'fetch', offline)
    message = (
        'no weights for clipseg-rd64-refined: tried CIDAS/clipseg-rd64-refined for '
        r'model\.safetensors or pytorch_model\.bin\. Either connect .* give their folder'
    )
    with pytest.raises(WeightsError, match=message):
        load_trunk('clipseg-rd64-refined', '')


def test_the_hub_is_asked_for_safetensors_and_then_for_the_other_file(monkeypatch, tmp_path):
    # The hub's cache names a file by its sha256: here, that of no bytes.
    blob = tmp_path / 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    blob.touch()
    asked = []

    def download(config):
        asked.append(config['hf_hub'])
        if asked[-1].endswith('safetensors'):
            raise FileNotFoundError('not at the hub')
        return str(blob)

    monkeypatch.setattr('huggingface_hub.try_to_load_from_cache', lambda *a, **k: None)
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_OFFLINE', True)  # no look at its size
    monkeypatch.setattr(open_clip, 'download_pretrained', download)
    assert fetch({'hf_hub': 'CIDAS/x'}, load._FILES) == blob
    assert asked == ['CIDAS/x/model.safetensors', 'CIDAS/x/pytorch_model.bin']
