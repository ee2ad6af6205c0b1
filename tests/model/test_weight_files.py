# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Weight files and checkpoints that somebody has made to do harm."""

import copy
import json
import os
import pickletools
import zipfile

import open_clip
import psutil
import pytest
import torch
from safetensors.torch import save_file

from affordance_ros.model.checkpoint import CheckpointError
from affordance_ros.model.checkpoint import load_checkpoint
from affordance_ros.model.checkpoint import save_checkpoint
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.model.torch_file import TorchFileError
from affordance_ros.model.torch_file import read_torch_file
from affordance_ros.model.weights import find_weights
from affordance_ros.model.weights import read_state_dict
from affordance_ros.safe_io.files import sha256_of_file

OPENAI = '8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599'


@pytest.fixture
def file(tmp_path):
    """A state dict with a view, a shared storage and several types, as torch.save writes it."""
    path = tmp_path / 'w.pt'
    grid = torch.arange(12.0).reshape(3, 4)
    values = {'a': grid, 'view': grid.T, 'half': grid.half(), 'n': torch.tensor(3), 'e': grid[:0]}
    torch.save({'state_dict': values, 'epoch': 3, 'name': 'x', 'lr': [0.5, None, True]}, path)
    return path


def rewrite(path, change, compression=zipfile.ZIP_STORED):
    """Change the records of a file; `change` takes name and bytes."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, 'w', compression) as archive:
        for name, data in records.items():
            archive.writestr(name, change(name.partition('/')[2], data))


def test_torch_files_are_read_as_torch_reads_them(file):
    ours, theirs = read_torch_file(file), torch.load(file, weights_only=True)
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs['state_dict'].items():
        assert torch.equal(ours['state_dict'][name], tensor)
        assert ours['state_dict'][name].dtype == tensor.dtype
    assert (ours['epoch'], ours['name'], ours['lr']) == (3, 'x', [0.5, None, True])


def test_a_modules_state_dict_and_parameters_are_read(tmp_path):
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    for name, content in (('s', module.state_dict()), ('p', dict(module.named_parameters()))):
        torch.save(content, tmp_path / f'{name}.pth')
        state = read_state_dict(tmp_path / f'{name}.pth')
        for key, value in content.items():
            assert torch.equal(state[key], value.detach())


def test_a_zip_bomb_is_refused(file):
    rewrite(file, lambda name, data: bytes(1 << 26) if name == 'data/0' else data,
            compression=zipfile.ZIP_DEFLATED)  # fmt: skip
    with pytest.raises(WeightsError, match=r'w\.pt was refused: its records are compressed'):
        read_state_dict(file)


def test_records_that_overlap_are_refused(file):
    with zipfile.ZipFile(file, 'a') as archive:
        archive.writestr('w/data/large', bytes(1 << 20))
        for number in range(20):  # so many names for the one record
            again = copy.copy(archive.getinfo('w/data/large'))
            again.filename = f'w/data/large{number}'
            archive.filelist.append(again)
    with pytest.raises(TorchFileError, match='overlap'):
        read_torch_file(file)


def test_a_damaged_record_is_noticed(file):
    data = bytearray(file.read_bytes())
    at = data.index(torch.arange(12.0).numpy().tobytes())
    data[at + 9] ^= 1
    file.write_bytes(data)
    with pytest.raises(WeightsError, match='CRC'):
        read_state_dict(file)


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        (b'K\x0ct', b'J\xff\xff\xff\x7ft', r'record size \(48 bytes\) does not match'),
        (b'K\x03K\x04\x86', b'J\xff\xff\xff\x7fK\x04\x86', 'not as torch.save'),
        (b'K\x04K\x01\x86', b'K\x00K\x00\x86', ''),
        (b'K\x00K\x03K\x04\x86', b'K\x63K\x03K\x04\x86', 'not as torch.save'),
        (b'torch\nFloatStorage', b'torch\nload', r'names the global torch\.load'),
        (b'torch._utils\n_rebuild_tensor_v2', b'builtins\nbytearray', 'global builtins.bytearray'),
    ],
)  # fmt: skip
def test_tensors_that_claim_what_is_not_there_are_refused(tmp_path, old, new, message):
    path = tmp_path / 'w.pt'
    torch.save({'a': torch.arange(12.0).reshape(3, 4)}, path)

    def change(name, data):
        if name != 'data.pkl':
            return data
        assert data.count(old) == 1
        return data.replace(old, new)

    def strip_memo(name, data):
        """Take out the memo's opcodes, so that the shape's numbers follow each other."""
        return data if name != 'data.pkl' else b''.join(_without_memo(data))

    rewrite(path, strip_memo)
    assert read_torch_file(path)['a'].shape == (3, 4)
    rewrite(path, change)
    if not message:  # every element in one place is within the storage, so torch itself allows it
        assert read_torch_file(path)['a'].shape == (3, 4)
        return
    with pytest.raises(WeightsError, match=message):
        read_state_dict(path)


def test_a_view_that_repeats_its_storage_without_end_is_refused(tmp_path):
    path = tmp_path / 'w.pt'
    torch.save({'a': torch.zeros(1).expand(1 << 40)}, path)
    with pytest.raises(WeightsError, match='in a storage of 1 numbers'):
        read_state_dict(path)


def test_a_sparse_tensor_is_refused(tmp_path):
    path = tmp_path / 'w.pt'
    torch.save({'a': torch.eye(3).to_sparse()}, path)
    with pytest.raises(WeightsError, match=r'names the global .*sparse'):
        read_state_dict(path)


def _without_memo(data):
    positions = [(code.name, at) for code, _, at in pickletools.genops(data)]
    for (name, at), (_, end) in zip(positions, [*positions[1:], ('', len(data))], strict=True):
        if name not in ('BINPUT', 'LONG_BINPUT'):
            yield data[at:end]


def test_an_old_format_of_torch_is_refused_by_name(tmp_path):
    path = tmp_path / 'old.pth'
    torch.save({'a': torch.zeros(3)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(WeightsError, match=r'not a whole zip file of torch 1\.6 or newer'):
        read_state_dict(path)


@pytest.mark.parametrize('length', [2**64 - 1, 2**40, 99_000_000, 9_000_000])
def test_a_gigantic_safetensors_header_is_refused(tmp_path, trunk, length):
    path = tmp_path / 'w.safetensors'
    path.write_bytes(length.to_bytes(8, 'little') + b'{' + b' ' * 100)
    os.truncate(path, min(length + 1000, 100_000_000))
    for read in (read_state_dict, lambda p: load_checkpoint(p, trunk)):
        with pytest.raises((WeightsError, CheckpointError), match='header claims'):
            read(path)


def test_files_larger_than_any_model_are_refused_unread(tmp_path, trunk):
    path = tmp_path / 'w.safetensors'
    path.touch()
    os.truncate(path, 1 << 40)
    for read in (read_state_dict, lambda p: load_checkpoint(p, trunk)):
        with pytest.raises((WeightsError, CheckpointError), match='at most'):
            read(path)


def forge(tmp_path, trunk, about=None, change=None):
    """Return a checkpoint with other metadata or tensors."""
    from safetensors import safe_open

    path = tmp_path / 'c.safetensors'
    save_checkpoint(
        path, untrained_decoder(trunk), trunk=trunk, prompt_set='verb@1', input_size=320,
        training={},
    )  # fmt: skip
    with safe_open(path, framework='pt') as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    metadata['about'] = json.dumps({**json.loads(metadata['about']), **(about or {})})
    if change:
        change(tensors)
    save_file(tensors, path, metadata)
    return path


@pytest.mark.parametrize(
    ('about', 'message'),
    [
        ({'neck': {'channels': 10**12}}, 'neck that can not be|does not fit'),
        ({'neck': {'channels': 100_000}}, 'does not fit this trunk'),
        (
            {'neck': {'refine': 10**9}},
            'refine is 1000000000|damaged metadata|neck that can not be',
        ),
        ({'neck': {'channels': 1.5}}, 'neck that can not be|damaged metadata'),
        ({'neck': {'channels': 'x'}}, 'damaged metadata'),
        ({'input_size': 320_000_000}, 'damaged metadata.*at most 2048'),
        ({'input_size': float('inf')}, 'damaged metadata'),
        ({'trunk': []}, 'damaged metadata'),
    ],
)
def test_checkpoints_that_claim_gigantic_models_are_refused(tmp_path, trunk, about, message):
    path = forge(tmp_path, trunk, about)
    before = psutil.Process().memory_info().rss
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path, trunk)
    assert psutil.Process().memory_info().rss - before < 100e6


def test_a_checkpoint_with_numbers_that_are_none_is_refused(tmp_path, trunk):
    def spoil(tensors):
        next(t for t in tensors.values() if t.ndim)[0] = float('nan')

    with pytest.raises(CheckpointError, match='not finite'):
        load_checkpoint(forge(tmp_path, trunk, change=spoil), trunk)


def hub_cache(folder, data, name):
    """Return a file as the hub's cache keeps it: a link to a blob named by its announced hash."""
    (folder / 'blobs').mkdir()
    (folder / 'blobs' / name).write_bytes(data)
    link = folder / 'open_clip_model.safetensors'
    link.symlink_to(folder / 'blobs' / name)
    return link


def test_a_file_in_the_hub_cache_must_have_the_hash_that_the_hub_announced(tmp_path, monkeypatch):
    link = hub_cache(tmp_path, b'damaged', '5' * 64)
    monkeypatch.setattr('huggingface_hub.try_to_load_from_cache', lambda *a, **k: str(link))
    with pytest.raises(WeightsError, match=r'has sha256 .*, and 5555.* was published'):
        find_weights('RN101-quickgelu', 'openai')


@pytest.mark.parametrize('downloaded', ['RN101.pt', 'other.pt'])
def test_a_download_must_have_the_published_hash(tmp_path, monkeypatch, downloaded):
    path = tmp_path / downloaded
    path.write_bytes(b'something else')
    monkeypatch.setattr('huggingface_hub.try_to_load_from_cache', lambda *a, **k: None)
    monkeypatch.setattr('affordance_ros.model.fetch._reach', lambda origin: None)
    monkeypatch.setattr(open_clip, 'download_pretrained', lambda config: str(path))
    expected = f'and {OPENAI} was published' if downloaded == 'RN101.pt' else 'can not be checked'
    with pytest.raises(WeightsError, match=expected):
        find_weights('RN101-quickgelu', 'openai')


def test_a_published_file_is_taken(tmp_path, monkeypatch):
    config = {'url': '', 'hf_hub': '', 'quick_gelu': True}
    path = tmp_path / 'x.pt'
    path.write_bytes(b'weights')
    digest = sha256_of_file(path)
    monkeypatch.setattr(open_clip, 'get_pretrained_cfg', lambda *a: config)
    monkeypatch.setattr('affordance_ros.model.fetch._reach', lambda origin: None)
    monkeypatch.setattr(open_clip, 'download_pretrained', lambda config: str(path))
    for url in (f'https://host/{digest}/x.pt', f'https://host/rn-{digest[:8]}.pt'):
        config['url'] = url
        path = path.rename(tmp_path / url.rpartition('/')[2])
        assert find_weights('RN101-quickgelu', 'any') == path
    config['url'] = f'http://host/{digest}/x.pt'
    with pytest.raises(WeightsError, match='over TLS alone'):
        find_weights('RN101-quickgelu', 'any')


def test_the_hub_must_be_reached_over_tls(monkeypatch):
    monkeypatch.setattr('huggingface_hub.try_to_load_from_cache', lambda *a, **k: None)
    monkeypatch.setattr('huggingface_hub.constants.ENDPOINT', 'http://mirror.local')
    monkeypatch.setattr(open_clip, 'download_pretrained', None)
    with pytest.raises(WeightsError, match=r'http://mirror\.local is not https'):
        find_weights('RN101-quickgelu', 'openai')
