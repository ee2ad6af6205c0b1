# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Promises of the feature cache."""

import errno
import os

import pytest
import torch

from affordance_ros.model.families import load_trunk
from affordance_ros_training.feature_cache import FeatureCache
from affordance_ros_training.features import FeatureSource
from affordance_ros_training.journal import read_journal
from affordance_ros_training.samples import EpochSamples
from tests.support import training_runs as tr
from tests.support.refer_fixture import write_dataset

OUTPUTS = ('global', 'stride32', 'stride16', 'stride8')


@pytest.fixture(scope='module')
def trunk():
    return load_trunk('compact', 'random')


def _cache(folder, trunk, *, max_bytes=1e9, **changes):
    arguments = {'outputs': OUTPUTS, 'input_size': 64, 'precision': 'fp32', **changes}
    return FeatureCache(folder, trunk, max_bytes=max_bytes, **arguments)


def _features(trunk, seed=0):
    pixels = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
    return {name: value[0] for name, value in trunk(pixels, OUTPUTS).items()}


def _key(number):
    return f'{number:032x}'


def test_what_is_read_is_what_was_written_within_fp16(tmp_path, trunk):
    cache = _cache(tmp_path, trunk)
    for number in range(3):
        cache.write(_key(number), _features(trunk, number))
    for number in range(3):
        found = cache.read(_key(number))
        for name, value in _features(trunk, number).items():
            assert found[name].dtype == torch.float16
            assert torch.allclose(found[name].float(), value, rtol=1e-3, atol=1e-4)


def test_a_later_run_reads_what_an_earlier_one_wrote(tmp_path, trunk):
    first = _cache(tmp_path, trunk)
    first.write(_key(1), _features(trunk))
    first.close()
    second = _cache(tmp_path, trunk)
    assert second.keys == {_key(1)}
    assert torch.equal(second.read(_key(1))['stride8'], _features(trunk)['stride8'].half())


def test_two_processes_write_apart_and_read_each_other(tmp_path, trunk):
    one, two = _cache(tmp_path, trunk), _cache(tmp_path, trunk)
    one.write(_key(1), _features(trunk, 1))
    two.write(_key(2), _features(trunk, 2))
    one.refresh()
    two.refresh()
    assert one.keys == two.keys == {_key(1), _key(2)}
    assert torch.equal(one.read(_key(2))['global'], two.read(_key(2))['global'])


def test_its_size_is_bounded(tmp_path, trunk, caplog):
    size = _cache(tmp_path / 'probe', trunk).record_bytes
    cache = _cache(tmp_path / 'bounded', trunk, max_bytes=2.5 * size)
    for number in range(5):
        cache.write(_key(number), _features(trunk))
    assert len(cache.keys) == 2
    assert sum(p.stat().st_size for p in cache.folder.glob('*.f16')) <= 2.5 * size
    assert 'has reached its size limit with 2 images' in caplog.text


def test_another_trunk_or_size_has_another_cache(tmp_path, trunk):
    cache = _cache(tmp_path, trunk)
    cache.write(_key(1), _features(trunk))
    other = load_trunk('compact', 'random', seed=1)
    assert not _cache(tmp_path, other).keys
    assert not _cache(tmp_path, trunk, input_size=96).keys
    assert not _cache(tmp_path, trunk, precision='bf16').keys


def test_what_a_killed_process_left_half_written_is_cut(tmp_path, trunk):
    cache = _cache(tmp_path, trunk)
    for number in range(2):
        cache.write(_key(number), _features(trunk, number))
    cache.close()
    records, index = (next(cache.folder.glob(f'*.{suffix}')) for suffix in ('f16', 'index'))
    with records.open('ab') as file:
        file.write(b'half a record')
    with index.open('ab') as file:
        file.write(b'0000')
    again = _cache(tmp_path, trunk)
    again.write(_key(2), _features(trunk, 2))
    assert again.keys == {_key(0), _key(1), _key(2)}
    assert torch.equal(again.read(_key(2))['stride32'], _features(trunk, 2)['stride32'].half())


def test_a_full_disk_ends_caching_and_not_training(tmp_path, trunk, monkeypatch, caplog):
    cache = _cache(tmp_path, trunk)

    def full(*arguments):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'pwrite', full)
    cache.write(_key(1), _features(trunk))
    assert not cache.keys
    assert 'has filled the disk' in caplog.text


def test_huge_values_stay_finite(tmp_path, trunk):
    cache = _cache(tmp_path, trunk)
    cache.write(_key(1), {name: value * 1e9 for name, value in _features(trunk).items()})
    assert cache.read(_key(1))['stride8'].isfinite().all()


def test_training_with_and_without_it_agree_within_fp16(tmp_path):
    write_dataset(tmp_path)
    changes = {'optim': {'epochs': 3}, 'augment': tr.PLAIN}
    without = tr.run(tmp_path, **changes)
    folder = {'folder': str(tmp_path / 'features')}
    cold = tr.run(tmp_path, **changes, feature_cache=folder, run={'out': str(tmp_path / 'cold')})
    warm = tr.run(tmp_path, **changes, feature_cache=folder, run={'out': str(tmp_path / 'warm')})
    expected = tr.losses(without.folder.path)
    assert tr.losses(cold.folder.path) == pytest.approx(expected, rel=2e-3)
    assert tr.losses(warm.folder.path) == tr.losses(cold.folder.path)
    kinds = [
        [r for r in read_journal(run.folder.path / 'metrics.jsonl') if r['kind'] == 'validation']
        for run in (cold, warm)
    ]
    assert kinds[0] == kinds[1]


def test_a_hit_needs_no_pixels_and_variants_take_turns(tmp_path, trunk):
    write_dataset(tmp_path)
    config = tr.config(tmp_path, feature_cache={'folder': str(tmp_path / 'f'), 'variants': 2})
    run = tr.TrainingRun(config, tr.ALONE)
    cache = _cache(tmp_path / 'f', trunk, input_size=96)
    source = FeatureSource(trunk, outputs=OUTPUTS, precision='fp32', cache=cache)
    keys = []
    for epoch in range(4):
        samples = EpochSamples(
            run.train_images,
            config,
            epoch=epoch,
            normalization=source.normalization,
            cached=source.cached,
        )
        batch = [samples[i] for i in range(len(samples))]
        assert all((s.pixels is None) == (epoch >= 2) for s in batch)
        source(batch)
        keys.append([s.key for s in batch])
    assert keys[0] == keys[2] != keys[1] == keys[3]
