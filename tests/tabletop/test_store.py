# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from affordance_ros_tabletop import rendering
from affordance_ros_tabletop.errors import StoreError
from affordance_ros_tabletop.store import DEPTH_UNIT_M
from affordance_ros_tabletop.store import Store
from affordance_ros_tabletop.store import StoreSettings
from tests.support.tabletop_fakes import fake_frame
from tests.support.tabletop_fakes import needs_rendering

SETTINGS = StoreSettings('train', 96, 96, seed=0, shard=4, catalogue='x')


def _frames(index):
    return [fake_frame(4 * index + k) for k in range(4)]


def test_frames_come_back_as_they_went_in(tmp_path):
    store = Store.create(tmp_path, SETTINGS)
    store.write(0, _frames(0))
    for before, after in zip(_frames(0), store.read(0), strict=True):
        assert (before.name, before.objects) == (after.name, after.objects)
        for field in ('rgb', 'instance', 'part', 'matrix', 'pose'):
            assert np.array_equal(getattr(before, field), getattr(after, field)), field
        assert np.abs(before.depth - after.depth).max() <= DEPTH_UNIT_M
        for field in ('owner', 'action', 'position', 'pixel', 'visible'):
            one, two = getattr(before.points, field), getattr(after.points, field)
            assert np.array_equal(one, two), field


def test_count_cuts_the_last_shard(tmp_path):
    store = Store.create(tmp_path, SETTINGS)
    for k in range(2):
        store.write(k, _frames(k))
    names = [f.name for f in store.frames(6)]
    assert names == [f'fake_{k:06d}' for k in range(6)]


def test_a_second_run_renders_only_what_is_missing(tmp_path, monkeypatch):
    rendered = []

    def render(settings, index):
        rendered.append(index)
        return _frames(index)

    monkeypatch.setattr(rendering, 'render_shard', render)
    monkeypatch.setattr(rendering, 'choose_backend', lambda: None)
    options = {'width': 96, 'height': 96, 'seed': 0, 'workers': 1, 'shard': 4}
    store = rendering.render_split(tmp_path, 'train', count=10, **options)
    assert rendered == [0, 1, 2]
    store.shard_path(1).unlink()
    rendering.render_split(tmp_path, 'train', count=14, **options)
    assert rendered == [0, 1, 2, 1, 3]
    with pytest.raises(StoreError, match=r'seed 0 \(asked: 1\).*another folder'):
        rendering.render_split(tmp_path, 'train', count=10, **{**options, 'seed': 1})


def test_a_half_rendered_store_says_how_to_continue(tmp_path):
    store = Store.create(tmp_path, SETTINGS)
    store.write(0, _frames(0))
    with pytest.raises(StoreError, match=r'lacks 1 shard.*run the same render command again'):
        list(store.frames(8))
    with pytest.raises(StoreError, match='not a scene store'):
        Store(tmp_path / 'elsewhere')


def test_a_write_that_fails_leaves_no_shard(tmp_path, monkeypatch):
    store = Store.create(tmp_path, SETTINGS)

    def full(file, **arrays):
        file.write(b'half a shard')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(np, 'savez_compressed', full)
    with pytest.raises(OSError, match='No space left'):
        store.write(0, _frames(0))
    assert [p.name for p in tmp_path.iterdir()] == ['settings.json']
    assert store.missing(4) == [0]


def test_leftovers_of_killed_runs_are_swept_and_those_of_live_ones_kept(tmp_path):
    dead = subprocess.Popen([sys.executable, '-c', ''])
    dead.wait()
    Store.create(tmp_path, SETTINGS)
    left = tmp_path / f'.shard_00000.npz.{dead.pid}.tmp'
    live = tmp_path / f'.shard_00001.npz.{os.getpid()}.tmp'
    for path in (left, live):
        path.write_bytes(b'half')
    Store.create(tmp_path, SETTINGS)
    assert not left.exists()
    assert live.exists()


@needs_rendering
def test_a_killed_run_is_continued_to_the_same_scenes(tmp_path):
    code = (
        'from pathlib import Path\n'
        'from affordance_ros_tabletop.rendering import render_split\n'
        f'root = Path({str(tmp_path)!r})\n'
        'render_split(root, "train", count=6, width=64, height=64, seed=2, workers=1, '
        'shard=2)\n'
    )
    run = subprocess.Popen([sys.executable, '-c', code], stderr=subprocess.DEVNULL)
    start = time.monotonic()
    while not (tmp_path / 'shard_00000.npz').exists() and time.monotonic() - start < 60:
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.wait()
    left = {p.name: os.stat(p).st_mtime_ns for p in tmp_path.glob('shard_*.npz')}
    assert left
    store = rendering.render_split(
        tmp_path, 'train', count=6, width=64, height=64, seed=2, workers=1, shard=2
    )
    frames = list(store.frames(6))
    assert len({f.name for f in frames}) == 6
    for name, when in left.items():
        assert os.stat(tmp_path / name).st_mtime_ns == when
    for expected, frame in zip(rendering.render_shard(store.settings, 2), frames[4:], strict=True):
        assert np.array_equal(expected.rgb, frame.rgb)
