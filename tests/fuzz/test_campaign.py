# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A short fuzz campaign; `make fuzz` runs the long one."""

import json
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.campaign import SHARES
from tests.fuzz.campaign import Campaign
from tests.fuzz.mutate import mutate_tree

INPUTS = 4000


@pytest.mark.ros  # the launch arguments go to rcl
@pytest.mark.parametrize('name', SHARES)
def test_odd_input_is_refused_by_declared_errors_alone(tmp_path, name):
    campaign = Campaign.open(tmp_path / 'fuzz.json', seed=1)
    count = round(INPUTS * SHARES[name])
    campaign.run(name, count)
    progress = campaign.targets[name]
    assert progress.ok, progress.failures
    assert progress.outcomes.total() == count
    assert progress.outcomes['accepted'] > count / 50, 'most are refused too early to try much'
    assert len(progress.outcomes) > 1


BROKEN = {
    'escape': "raise LookupError('undeclared')",
    'crash': 'os.abort()',
    'hang': 'signal.setitimer(signal.ITIMER_REAL, 0.1); re.match("(a+)+b", "a" * 40)',
    'memory': 'bytearray(3 << 30)',
}
FOUND = {
    'escape': "LookupError('undeclared')",
    'crash': 'crash: SIGABRT',
    'hang': 'hang: more than',
    'memory': 'MemoryError()',
}


@pytest.mark.parametrize('kind', BROKEN)
def test_a_reader_that_breaks_is_found_and_the_others_go_on(tmp_path, monkeypatch, kind):
    """The campaign must see each kind of failure, name the input, and feed the next one."""
    package = tmp_path / 'broken'
    package.mkdir()
    (package / 'sitecustomize.py').write_text(
        'import os, re, signal, sys, types\n'
        'from tests.fuzz.target import Target\n'
        'def feed(rng):\n'
        '    if rng.random() < 0.2:\n'
        f'        {BROKEN[kind]}\n'
        'module = types.ModuleType("tests.fuzz.images")\n'
        'module.TARGET = Target("broken", (ValueError,), lambda folder: feed)\n'
        'sys.modules["tests.fuzz.images"] = module\n'
    )
    root = Path(__file__).parents[2]
    monkeypatch.setenv('PYTHONPATH', f'{package}:{root}')
    campaign = Campaign.open(tmp_path / 'fuzz.json', seed=0)
    campaign.run('images', 10)
    progress = campaign.targets['images']
    expected = [n for n in range(10) if Random(f'images 0 {n}').random() < 0.2]
    assert [failure['number'] for failure in progress.failures] == expected != []
    assert all(FOUND[kind] in failure['why'] for failure in progress.failures)
    assert progress.outcomes.total() == progress.next == 10
    assert not progress.ok and not campaign.ok


def test_a_campaign_goes_on_where_it_was_stopped(tmp_path):
    path = tmp_path / 'fuzz.json'
    campaign = Campaign.open(path, seed=3)
    campaign.run('images', 100)
    again = Campaign.open(path, seed=3)
    assert again.targets == campaign.targets
    again.run('images', 150)
    whole = Campaign.open(tmp_path / 'other.json', seed=3)
    whole.run('images', 150)
    assert again.targets['images'].outcomes == whole.targets['images'].outcomes
    assert Campaign.open(path, seed=4).targets['images'].next == 0
    assert json.loads(path.read_text())['targets']['images']['next'] == 150


def test_a_mutated_tree_leaves_the_original_as_it_was():
    tree = {'a': [1, {'b': 'x'}], 'c': 0.5}
    for seed in range(200):
        mutate_tree(Random(seed), tree)
    assert tree == {'a': [1, {'b': 'x'}], 'c': 0.5}
