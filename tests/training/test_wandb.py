# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The numbers of a run at W&B: by what it is told, and by what it keeps without a network."""

import importlib.machinery
import sys
import types

import pytest

import tests.support.training_runs as tr
from affordance_ros_training.journal import read_journal
from affordance_ros_training.run import TrainingRun
from affordance_ros_training.yaml_config import ConfigError
from tests.support.refer_fixture import write_dataset

pytest.importorskip('pycocotools')
SHORT = {'epochs': 1}


@pytest.fixture
def root(tmp_path):
    write_dataset(tmp_path)
    return tmp_path


class Recorder(types.ModuleType):
    """Stands where W&B's client does, at the edge of the network, and keeps what it is told."""

    class Error(Exception):
        """As W&B's own."""

    def __init__(self):
        super().__init__('wandb')
        self.__spec__ = importlib.machinery.ModuleSpec('wandb', None)
        self.runs, self.logged, self.finished, self.refusal = [], [], 0, ''

    def init(self, **arguments):
        if self.refusal:
            raise self.Error(self.refusal)
        self.runs.append(arguments)
        return self

    def log(self, values, *, step):
        self.logged.append((step, values))

    def finish(self):
        self.finished += 1


@pytest.fixture
def recorder(monkeypatch):
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, 'wandb', recorder)
    return recorder


def test_it_is_told_what_the_journal_holds(root, recorder):
    run = tr.run(root, optim=SHORT, run={'wandb': 'affordance'})
    (arguments,) = recorder.runs
    assert (arguments['project'], arguments['name']) == ('affordance', run.folder.path.name)
    assert arguments['config']['optim']['epochs'] == 1
    expected = [
        (record.pop('step'), {f'{kind}/{k}': v for k, v in record.items()})
        for record in read_journal(run.folder.path / 'metrics.jsonl')
        for kind in [record.pop('kind')]
    ]
    assert recorder.logged == expected
    assert {next(iter(values)).split('/')[0] for _, values in expected} >= {'step', 'validation'}
    assert recorder.finished == 1


def test_a_resumed_run_is_the_same_run_there_and_a_new_one_another(root, recorder):
    short = tr.run(root, optim=SHORT, run={'wandb': 'affordance'})
    TrainingRun(
        tr.config(root, optim=SHORT, run={'wandb': 'affordance'}), tr.ALONE, resume=True
    ).train()
    short.folder.state.unlink()
    tr.run(root, optim=SHORT, run={'wandb': 'affordance'})
    first, resumed, afresh = (arguments['id'] for arguments in recorder.runs)
    assert first == resumed != afresh
    assert {arguments['resume'] for arguments in recorder.runs} == {'allow'}


def test_nothing_goes_there_unless_it_is_asked_for(root, recorder):
    tr.run(root, optim=SHORT)
    assert not recorder.runs and not (root / 'run' / 'wandb_id.txt').exists()


def test_without_it_a_project_is_refused_before_anything_is_loaded(root, monkeypatch):
    monkeypatch.setitem(sys.modules, 'wandb', None)
    message = "run.wandb is 'affordance', and wandb is not installed: pip install wandb"
    with pytest.raises(ConfigError, match=message):
        tr.config(root, run={'wandb': 'affordance'})


def test_what_it_refuses_is_told_in_one_line(root, recorder):
    recorder.refusal = 'api_key not configured (no-tty)\ncall wandb.login(key=...)'
    message = (
        r'run\.wandb: api_key not configured \(no-tty\) \(WANDB_MODE=offline needs no login\)'
    )
    with pytest.raises(ConfigError, match=message) as error:
        tr.run(root, optim=SHORT, run={'wandb': 'affordance'})
    assert '\n' not in str(error.value)


def test_offline_it_keeps_the_run_in_the_folder(root, monkeypatch):
    pytest.importorskip('wandb')
    monkeypatch.setenv('WANDB_MODE', 'offline')
    run = tr.run(root, optim=SHORT, run={'wandb': 'affordance'})
    (kept,) = run.folder.path.glob('wandb/offline-run-*/run-*.wandb')
    assert kept.stat().st_size > 1000
    assert (run.folder.path / 'wandb_id.txt').read_text() in kept.name
