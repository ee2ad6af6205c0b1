# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pytest

from affordance_ros.backends.cache import DiskCache


@pytest.fixture
def made():
    return []


@pytest.fixture
def load(tmp_path, made):
    def load(facts, *, read=bytes.decode, folder=tmp_path):
        def make():
            made.append(facts)
            return str(facts).encode()

        return DiskCache(folder).load('some model/x', facts, read=read, make=make)

    return load


def test_what_was_made_once_is_read_from_then_on(load, made, tmp_path):
    facts = {'weights': 'a', 'version': '1'}
    assert load(facts) == load(facts) == str(facts)
    assert len(made) == 1
    (file,) = tmp_path.iterdir()
    assert file.name.startswith('some_model_x-')


@pytest.mark.parametrize('change', [{'version': '2'}, {'weights': 'b'}, {'size': '1x2x3'}])
def test_other_facts_are_never_answered_from_the_cache(change, load, made):
    facts = {'weights': 'a', 'version': '1'}
    load(facts)
    assert load({**facts, **change}) == str({**facts, **change})
    assert len(made) == 2


@pytest.mark.parametrize('damage', ['cut off', 'one bit', 'empty'])
def test_a_damaged_file_is_made_anew(damage, load, made, tmp_path, caplog):
    facts = {'weights': 'a'}
    load(facts)
    (file,) = tmp_path.iterdir()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes({'cut off': data[:-3], 'one bit': data, 'empty': b''}[damage])
    assert load(facts) == str(facts)
    assert len(made) == 2
    assert 'is damaged and is made anew' in caplog.text
    assert load(facts) == str(facts)
    assert len(made) == 2


def test_what_a_backend_can_not_read_is_made_anew(load, made, caplog):
    facts = {'weights': 'a'}
    load(facts)
    refusals = [RuntimeError('of another version')]

    def read(data):
        if refusals:
            raise refusals.pop()
        return data.decode()

    assert load(facts, read=read) == str(facts)
    assert len(made) == 2
    assert 'of another version' in caplog.text


def test_a_folder_that_can_not_be_written_only_costs_time(load, made, tmp_path, caplog):
    file = tmp_path / 'file'
    file.write_text('not a folder')
    for _ in range(2):
        assert load({}, folder=file) == '{}'
    assert len(made) == 2
    assert 'the compiled model is not kept' in caplog.text


def test_off_keeps_nothing_and_the_default_is_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    for cache_dir in ('off', ''):
        DiskCache.at(cache_dir).load('x', {}, read=bytes, make=lambda: b'1')
        kept = list((tmp_path / 'affordance_ros').glob('*'))
        assert len(kept) == (0 if cache_dir == 'off' else 1)
