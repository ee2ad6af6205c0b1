# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Recordings for the rerun viewer, read back by rerun's own reader."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from affordance_ros.cli import ground as cli
from affordance_ros.cli.bag import main as bag_main
from affordance_ros.targets.target import Target
from affordance_ros.viz.rerun_log import RecordingError
from affordance_ros.viz.rerun_log import record
from tests.conftest import ROOT
from tests.conftest import SAMPLES
from tests.support.bag_fixture import START_NS
from tests.support.bag_fixture import read_all
from tests.support.bag_fixture import record as record_bag
from tests.support.bag_fixture import to_array

MODEL = ['--model', 'compact', '--weights', 'random', '--device', 'cpu', '--input-size', '96']
needs_rerun = pytest.mark.skipif(
    sys.version_info < (3, 11), reason='rerun-sdk needs Python 3.11 or later'
)


def read_rrd(path):
    """Return every logged value by 'entity:component': a list of (frame, stamp in ns, value)."""
    from rerun.chunk import RrdReader

    reader = RrdReader(path)
    assert len(reader.blueprints()) == 1
    found = {}
    for chunk in reader.stream(store=reader.recordings()[0]):
        batch = chunk.to_record_batch()
        columns = {
            name: (values.cast('int64') if str(values.type).startswith('timestamp') else values)
            for name, values in zip(batch.schema.names, batch.columns, strict=True)
        }
        columns = {name: values.to_pylist() for name, values in columns.items()}
        frames = columns.get('frame', [None] * chunk.num_rows)
        stamps = columns.get('stamp', [None] * chunk.num_rows)
        for name, values in columns.items():
            for frame, stamp, value in zip(frames, stamps, values, strict=True):
                if value is not None and ':' in name:
                    key = f'{chunk.entity_path}:{name.split(":")[-1]}'
                    found.setdefault(key, []).append((frame, stamp, value))
    return {key: sorted(rows, key=lambda row: row[0] or 0) for key, rows in found.items()}


def decode(value):
    """Return a logged JPEG's pixels."""
    return cv2.imdecode(np.asarray(value[0], np.uint8), cv2.IMREAD_COLOR)


@needs_rerun
def test_what_is_logged_comes_back(tmp_path, photos):
    photo = next(iter(photos.values()))
    heatmap = np.linspace(0, 0.5, photo[..., 0].size, dtype=np.float32).reshape(photo.shape[:2])
    targets = [Target(10.25, 20.0, 0.75), Target(0.0, 0.0, 0.5)]
    with record(tmp_path / 'a.rrd') as recording:
        for stamp_ns in (5_000_000_007, 6_000_000_000):
            recording.log(
                photo, text='cut', targets=targets, overlay_bgr=photo[::-1], heatmap=heatmap,
                stamp_ns=stamp_ns,
            )  # fmt: skip
            targets = []
        assert not (tmp_path / 'a.rrd').exists()
    subprocess.run(['rerun', 'rrd', 'verify', tmp_path / 'a.rrd'], check=True)
    found = read_rrd(tmp_path / 'a.rrd')
    assert [(f, v) for f, _, v in found['/command:text']] == [(0, ['cut'])]
    assert [v for _, _, v in found['/best_score:scalars']] == [[0.75], [0.0]]
    first, second = found['/image/targets:positions']
    assert first[2] == [[10.75, 20.5], [0.5, 0.5]], 'pixels begin at integers in rerun'
    assert second[2] == []
    assert found['/image/targets:labels'][0][2] == ['0.75', '0.50']
    assert (first[1], second[1]) == (5_000_000_007, 6_000_000_000)
    assert np.abs(decode(found['/image:blob'][0][2]).astype(int) - photo).mean() < 3
    assert np.abs(decode(found['/overlay:blob'][0][2]).astype(int) - photo[::-1]).mean() < 3
    kept = np.asarray(found['/heatmap:buffer'][0][2][0], np.uint8).view(np.float32)
    assert np.array_equal(kept, heatmap.ravel())
    assert found['/heatmap:depth_range'][0][2] == [[0.0, 1.0]], 'absolute, never stretched'


@needs_rerun
def test_a_recording_is_whole_or_not_there(tmp_path, photos):
    photo = next(iter(photos.values()))
    with pytest.raises(MemoryError), record(tmp_path / 'a.rrd') as recording:
        recording.log(photo, text='cut', targets=(), overlay_bgr=photo)
        raise MemoryError
    assert list(tmp_path.iterdir()) == []


@needs_rerun
def test_the_bag_tool_records_what_it_writes(tmp_path, photos):
    images = [cv2.resize(photo, (160, 120)) for photo in list(photos.values())[:3]]
    bag = record_bag(tmp_path / 'in', images)
    call = [str(bag), str(tmp_path / 'out'), '-c', 'cut', '--at', '1', '-c', 'pour', '--at', '2']
    assert bag_main([*call, '--rerun', str(tmp_path / 'out.rrd'), *MODEL]) == 0
    written, found = read_all(tmp_path / 'out'), read_rrd(tmp_path / 'out.rrd')
    assert [v for _, _, v in found['/command:text']] == [['cut'], ['pour']]
    for number, (_, _, message) in enumerate(written['/grounding/heatmap']):
        frame, stamp, value = found['/heatmap:buffer'][number]
        assert frame == number
        assert np.array_equal(
            np.asarray(value[0], np.uint8).view(np.float32), to_array(message).ravel()
        )
        # A second apart, and 3 ms before the log time as the headers say.
        assert stamp == START_NS + (number + 1) * 10**9 - 3_000_000
    for number, (_, _, message) in enumerate(written['/grounding/targets']):
        places = [[t.x + 0.5, t.y + 0.5] for t in message.targets]
        assert np.allclose(found['/image/targets:positions'][number][2], places, atol=1e-4)


@needs_rerun
def test_affordance_ground_records_photos_by_name(tmp_path):
    photo = sorted((SAMPLES / 'photos').glob('*.jpg'))[0]
    out = tmp_path / 'new' / 'photos.rrd'
    assert cli.main([str(photo), '-c', 'cut', '-c', 'hold', '--rerun', str(out), *MODEL]) == 0
    found = read_rrd(out)
    names = [f'{photo.stem}: {command}' for command in ('cut', 'hold')]
    assert [v for _, _, v in found['/command:text']] == [[name] for name in names]
    assert len(found['/image:blob']) == len(found['/heatmap:buffer']) == 2


def test_nothing_is_recorded_unless_asked(tmp_path):
    with record(None) as recording:
        assert recording is None


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(RecordingError, match=r'must end in \.rrd'), record(tmp_path / 'a.mp4'):
        pass


def test_without_rerun_it_says_what_to_install(tmp_path):
    code = 'import sys; sys.modules["rerun"] = None\n'
    code += 'from affordance_ros.cli.ground import main; sys.exit(main())'
    photo = next((SAMPLES / 'photos').glob('*.jpg'))
    result = subprocess.run(
        [sys.executable, '-c', code, photo, 'cut', '--rerun', tmp_path / 'a.rrd', *MODEL],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert result.returncode == 2
    assert 'pip install rerun-sdk==0.41.0' in result.stderr
    assert 'Traceback' not in result.stderr
