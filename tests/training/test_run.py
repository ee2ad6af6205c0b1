# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Promises of a training run: its loss, its resuming, what is left when it is killed."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from affordance_ros.model.checkpoint import load_checkpoint
from affordance_ros.model.families import load_trunk
from affordance_ros.safe_io.atomic import DiskFullError
from affordance_ros_training.journal import read_journal
from affordance_ros_training.run import TrainingRun
from affordance_ros_training.run_state import ResumeError
from affordance_ros_training.yaml_config import ConfigError
from tests.support import training_runs as tr
from tests.support.refer_fixture import write_dataset

_ENV = {**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2]), 'OMP_NUM_THREADS': '1'}


@pytest.fixture
def root(tmp_path):
    write_dataset(tmp_path)
    return tmp_path


def _write_yaml(root: Path, **changes) -> Path:
    path = root / 'run.yaml'
    path.write_text(yaml.safe_dump(tr.mapping(root, **changes)))
    return path


def _command(path: Path, *more: str) -> list[str]:
    return [sys.executable, '-m', 'affordance_ros_training.train', '--config', str(path), *more]


def test_a_fixed_tiny_set_is_learned_to_below_a_twentieth(root):
    run = tr.run(
        root,
        neck={'channels': 64, 'smooth': True, 'norm': 'group'},
        augment=tr.PLAIN,
        data={'input_size': 224, 'max_images': 1},
        optim={
            'epochs': 200,
            'learning_rate': 2e-3,
            'weight_decay': 0.0,
            'schedule': 'cosine',
        },
        validation={'every_epochs': 1000},
        run={'save_every_s': 1000},
    )
    assert np.mean(tr.losses(run.folder.path)[-4:]) < 0.05


def test_a_resumed_run_has_the_same_losses_to_the_bit(root):
    changes = {'optim': {'epochs': 3, 'ema_decay': 0.9}, 'data': {'workers': 1}}
    whole = tr.run(root, **changes)
    out = str(root / 'broken')
    broken = TrainingRun(tr.config(root, run={'out': out}, **changes), tr.ALONE)
    step = broken._step

    def interrupted(batch, *, steps_per_epoch):
        broken._request.asked = broken.place.step == 3  # in the middle of the second epoch
        return step(batch, steps_per_epoch=steps_per_epoch)

    broken._step = interrupted
    broken.train()
    assert broken.place.step == 4
    resumed = tr.run(root, resume=True, run={'out': out}, **changes)
    assert tr.losses(Path(out)) == tr.losses(whole.folder.path)
    for one, two in zip(
        whole.average.state_dict().values(), resumed.average.state_dict().values(), strict=True
    ):
        assert torch.equal(one, two)


def test_kill_9_leaves_checkpoints_that_load_and_resume(root):
    changes = {'optim': {'epochs': 4}, 'run': {'save_every_s': 0.0}}
    path = _write_yaml(root, **changes)
    out = root / 'run'
    trunk = load_trunk('compact', 'random')
    process = subprocess.Popen(
        _command(path), env=_ENV, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while not (out / 'last.safetensors').is_file():
        assert process.poll() is None, 'the run ended before it could be killed'
        time.sleep(0.02)
    time.sleep(0.15)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    load_checkpoint(out / 'last.safetensors', trunk)
    resumed = tr.run(root, resume=True, **changes)
    whole = tr.run(root, **{**changes, 'run': {'out': str(root / 'whole')}})
    assert tr.losses(out) == tr.losses(whole.folder.path)
    assert not list(out.glob('.*.tmp'))
    assert resumed.place.epoch == 4


def test_sigterm_finishes_the_step_and_saves(root):
    path = _write_yaml(root, optim={'epochs': 2000}, validation={'every_epochs': 2000})
    process = subprocess.Popen(_command(path), env=_ENV, stderr=subprocess.PIPE, text=True)
    while not (root / 'run' / 'state.safetensors').is_file():
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert 'go on with --resume' in errors
    run = TrainingRun(
        tr.config(root, optim={'epochs': 2000}, validation={'every_epochs': 2000}),
        tr.ALONE,
        resume=True,
    )
    assert run.place.step == len(tr.losses(root / 'run'))


def test_a_full_disk_says_so_and_keeps_what_was_saved(root, monkeypatch):
    changes = {'optim': {'epochs': 1}}
    run = tr.run(root, **changes)
    before = run.folder.state.read_bytes(), run.folder.last.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr('os.fsync', full)
    with pytest.raises(DiskFullError, match=r'the disk is full.*goes on with --resume'):
        run._save_state()
    assert (run.folder.state.read_bytes(), run.folder.last.read_bytes()) == before
    assert not list(run.folder.path.glob('.*.tmp'))


def test_a_run_is_not_overwritten(root):
    tr.run(root, optim={'epochs': 1})
    with pytest.raises(ResumeError, match='go on with --resume, or name another folder'):
        tr.run(root, optim={'epochs': 1})


def test_another_configuration_is_not_resumed(root):
    tr.run(root, optim={'epochs': 1})
    with pytest.raises(ResumeError, match=r'optim\.batch_size was 2 and is 3'):
        tr.run(root, resume=True, optim={'epochs': 1, 'batch_size': 3})


def test_nothing_to_resume_says_so(root):
    with pytest.raises(ResumeError, match='leave --resume out'):
        tr.run(root, resume=True)


def test_an_unknown_key_lists_the_known_ones(root):
    with pytest.raises(ConfigError, match=r'unknown key optim\.lr; known are optim\.epochs'):
        tr.config(root, optim={'lr': 1})
    with pytest.raises(ConfigError, match=r"data\.input_size is 'big', expected int"):
        tr.config(root, data={'input_size': 'big'})


def test_two_processes_have_the_losses_of_one(root):
    changes = {'optim': {'epochs': 2, 'batch_size': 4}}
    alone = tr.run(root, **changes)
    path = _write_yaml(root, **{**changes, 'run': {'out': str(root / 'two')}})
    result = subprocess.run(
        [
            sys.executable, '-m', 'torch.distributed.run', '--nproc-per-node=2', '--standalone',
            *_command(path)[1:],
        ],
        env=_ENV,
        timeout=120,
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert tr.losses(root / 'two') == pytest.approx(tr.losses(alone.folder.path), rel=1e-4)


def test_a_sheet_and_best_model_are_written(root):
    run = tr.run(root, optim={'epochs': 1}, validation={'sheet_rows': 2})
    assert run.folder.sheet(1).stat().st_size > 10_000
    _, summary = load_checkpoint(run.folder.best, run.trunk)
    assert summary.input_size == 96
    assert summary.training['config']['optim']['batch_size'] == 2
    assert 0 <= summary.training['validation']['overall_iou'] <= 1


def test_where_no_pixel_is_lit_the_best_model_is_that_of_the_lowest_loss(root):
    """So slow a run that the IoU is 0 throughout, while the loss falls."""
    run = tr.run(root, optim={'epochs': 3, 'learning_rate': 1e-5, 'warmup_steps': 0})
    rows = [
        r for r in read_journal(run.folder.path / 'metrics.jsonl') if r['kind'] == 'validation'
    ]
    assert [row['overall_iou'] for row in rows] == [0, 0, 0]
    losses = [row['loss'] for row in rows]
    assert losses == sorted(losses, reverse=True) and losses[0] > losses[2]
    _, best = load_checkpoint(run.folder.best, run.trunk)
    assert best.training['epoch'] == 3
    table = (run.folder.path / 'validation.csv').read_text().splitlines()
    assert len(table) == 4 and table[0].startswith('step,epoch,overall_iou,')


@pytest.mark.slow
def test_rn101_at_416_trains_end_to_end_on_cpu(root):
    path = _write_yaml(
        root,
        model='RN101-quickgelu',
        data={'input_size': 416, 'max_images': 4},
        optim={'epochs': 1, 'batch_size': 2},
        validation={'max_images': 1},
        neck={'channels': 256},
        run={'precision': 'bf16', 'threads': 2},
    )
    subprocess.run(_command(path), env=_ENV, check=True, capture_output=True, timeout=170)
    assert len(tr.losses(root / 'run')) == 2


def test_scale_and_bias_have_a_rate_of_their_own(root):
    changes = {'optim': {'epochs': 1, 'warmup_steps': 0}}
    slow = tr.run(root, **changes)
    changes['optim']['head_rate_factor'] = 20.0
    fast = tr.run(root, **changes, run={'out': str(root / 'fast')})
    moved = [abs(run.decoder.bias.item() + 3.0) for run in (slow, fast)]
    assert 0 < moved[0] < 0.0031  # three steps of at most 1e-3
    assert moved[1] > 5 * moved[0]
