# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pickle
import time
import zipfile

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from affordance_ros.model import weights
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.families import load_trunk
from affordance_ros.model.weight_hash import hash_state_dict
from affordance_ros.model.weights import find_weights
from affordance_ros.model.weights import read_state_dict
from affordance_ros.safe_io.files import sha256_of_file


class _OpenAIArchive(torch.nn.Module):
    """What OpenAI's files look like: fp16 weights in a TorchScript module, and three integers."""

    def __init__(self, clip):
        super().__init__()
        for name, child in clip.named_children():
            setattr(self, name, child)
        for name in ('positional_embedding', 'text_projection', 'logit_scale'):
            setattr(self, name, getattr(clip, name))
        for name, value in (
            ('input_resolution', 224),
            ('context_length', 32),
            ('vocab_size', 49408),
        ):
            self.register_buffer(name, torch.tensor(value))

    def forward(self, x):
        return x


@pytest.fixture(scope='module')
def half_clip(trunk):
    """A random CLIP whose weights are exact in fp16."""
    clip = load_trunk('compact', 'random', seed=5).clip
    clip.load_state_dict(
        {k: v.half() if v.is_floating_point() else v for k, v in clip.state_dict().items()}
    )
    return clip


@pytest.fixture(scope='module')
def files(half_clip, tmp_path_factory):
    """The same weights in OpenAI's form, as safetensors and as a state dict."""
    folder = tmp_path_factory.mktemp('weights')
    state = half_clip.state_dict()
    archive = torch.jit.trace_module(
        _OpenAIArchive(half_clip).half(), {'forward': torch.zeros(1)}, check_trace=False
    )
    archive.save(str(folder / 'openai.pt'))
    half_clip.float()
    save_file({k: v.contiguous() for k, v in state.items()}, folder / 'clip.safetensors')
    torch.save({'state_dict': {f'module.{k}': v for k, v in state.items()}}, folder / 'clip.pth')
    return folder


def test_torchscript_safetensors_and_state_dict_load_to_the_same_outputs(files, pixels):
    digest = sha256_of_file(files / 'openai.pt')
    trunks = [
        load_trunk('compact', str(files / 'openai.pt'), trusted_sha256={digest}),
        load_trunk('compact', str(files / 'clip.safetensors')),
        load_trunk('compact', str(files / 'clip.pth')),
    ]
    outputs = [t(pixels, ('stride8', 'global')) for t in trunks]
    texts = [t.clip.encode_text(torch.arange(32)[None]) for t in trunks]
    for other in (1, 2):
        assert torch.equal(outputs[0]['stride8'], outputs[other]['stride8'])
        assert torch.equal(outputs[0]['global'], outputs[other]['global'])
        assert torch.equal(texts[0], texts[other])
    assert len({t.sha256 for t in trunks}) == 1
    assert not any(t.untrained for t in trunks)


def test_torchscript_of_unknown_sha256_is_refused_and_not_run(files, monkeypatch):
    monkeypatch.setattr(torch.jit, 'load', None)  # running it would fail otherwise
    with pytest.raises(WeightsError, match=r"TorchScript archive with sha256 .* none of OpenAI's"):
        read_state_dict(files / 'openai.pt')


@pytest.mark.parametrize('name', ['RN101', 'ViT-B-16'])
def test_openais_archive_under_a_name_without_quickgelu_is_refused(files, name):
    message = f'were trained with QuickGELU, .* name the model {name}-quickgelu'
    with pytest.raises(WeightsError, match=message):
        load_trunk(name, str(files / 'openai.pt'))


def test_openais_own_digests_are_trusted():
    known = weights._openai_sha256()
    assert '8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599' in known
    assert len(known) >= 5


def test_pickled_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / 'ran'), 'w'))

    torch.save({'state_dict': {'x': Evil()}}, tmp_path / 'evil.pt')
    (tmp_path / 'plain.pt').write_bytes(pickle.dumps(Evil()))
    for name in ('evil.pt', 'plain.pt'):
        with pytest.raises(WeightsError, match=name):
            read_state_dict(tmp_path / name)
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('name', ['clip.safetensors', 'clip.pth', 'openai.pt'])
def test_a_truncated_file_is_refused_by_name(files, tmp_path, name):
    data = (files / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(WeightsError, match=name):
        read_state_dict(tmp_path / name)


def test_weights_of_another_model_are_refused(files, tmp_path):
    with pytest.raises(WeightsError, match=r'does not hold the weights of RN50.*missing'):
        load_trunk('RN50-quickgelu', str(files / 'clip.safetensors'))
    state = read_state_dict(files / 'clip.safetensors')
    state['text_projection'] = state['text_projection'][:, :100].contiguous()
    save_file(state, tmp_path / 'narrow.safetensors')
    with pytest.raises(WeightsError, match=r'text_projection is \(96, 100\), not \(96, 256\)'):
        load_trunk('compact', str(tmp_path / 'narrow.safetensors'))


def test_without_weights_the_error_names_what_was_tried_and_both_ways_out(tmp_path, monkeypatch):
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_CACHE', str(tmp_path))
    monkeypatch.setattr('huggingface_hub.try_to_load_from_cache', lambda *a, **k: None)

    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_OFFLINE', True)

    def no_network(config):
        raise OSError('no route to the hub')

    monkeypatch.setattr(open_clip, 'download_pretrained', no_network)
    with pytest.raises(WeightsError) as error:
        find_weights('RN101-quickgelu', 'openai')
    text = str(error.value)
    for part in (
        'the local hub cache',
        'a download of',
        'no route to the hub',
        'connect this machine',
        'RN101.pt',
        '`weights`',
    ):
        assert part in text


def test_the_hub_cache_is_used_before_the_network(tmp_path, monkeypatch):
    # The cache keeps a link to a file that is named by its sha256: here, that of no bytes.
    blob = tmp_path / 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    blob.touch()
    cached = tmp_path / 'open_clip_model.safetensors'
    cached.symlink_to(blob)
    monkeypatch.setattr('huggingface_hub.try_to_load_from_cache', lambda *a, **k: str(cached))
    monkeypatch.setattr(open_clip, 'download_pretrained', None)
    assert find_weights('RN101-quickgelu', 'openai') == cached


def test_a_given_path_is_used_before_everything(tmp_path, monkeypatch):
    monkeypatch.setattr('huggingface_hub.try_to_load_from_cache', None)
    path = tmp_path / 'w.pt'
    path.touch()
    assert find_weights('RN101-quickgelu', str(path)) == path
    with pytest.raises(WeightsError, match=r'nowhere.pt.* does not exist'):
        find_weights('RN101-quickgelu', str(tmp_path / 'nowhere.pt'))


def test_gelu_mix_up_and_unknown_tags_are_refused():
    with pytest.raises(WeightsError, match=r"QuickGELU.*name the model 'RN101-quickgelu'"):
        find_weights('RN101', 'openai')
    with pytest.raises(WeightsError, match=r"no weights tagged 'best'.*openai"):
        find_weights('RN101-quickgelu', 'best')


def test_the_hash_sees_every_value_and_not_the_storage():
    state = {'a': torch.tensor([0.5, 1.0]), 'n': torch.tensor(3)}
    same = {'n': torch.tensor(3, dtype=torch.int32), 'a': torch.tensor([0.5, 1.0]).half()}
    other = {'a': torch.tensor([0.5, 1.5]), 'n': torch.tensor(3)}
    assert hash_state_dict(state) == hash_state_dict(same)
    assert hash_state_dict(state) != hash_state_dict(other)


def test_a_zip_that_is_no_archive_of_torch_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / 'any.pt', 'w') as archive:
        archive.writestr('hello', 'world')
    with pytest.raises(WeightsError, match=r'any\.pt'):
        read_state_dict(tmp_path / 'any.pt')


def test_without_a_network_the_download_fails_at_once(monkeypatch):
    """The hub's client retries for a minute; here nothing answers on the server's port."""
    import socket

    from huggingface_hub import constants

    from affordance_ros.model import fetch

    with socket.socket() as closed:
        closed.bind(('127.0.0.1', 0))  # and does not listen
        port = closed.getsockname()[1]
        monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', False)
        monkeypatch.setattr(constants, 'ENDPOINT', f'https://127.0.0.1:{port}')
        monkeypatch.setattr(open_clip, 'download_pretrained', None)
        begin = time.monotonic()
        with pytest.raises(fetch.FetchError, match=r'failed with .*refused'):
            fetch.fetch({'hf_hub': 'nobody/nothing/', 'url': ''})
        assert time.monotonic() - begin < 5
