# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""affordance-bag: a recording in, the node's answers out."""

import json
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores
from rosbags.typesys import get_types_from_msg
from rosbags.typesys import get_typestore

from affordance_ros.bag import run as bag_run
from affordance_ros.bag.messages import DEFINITIONS
from affordance_ros.bag.messages import TARGETS
from affordance_ros.bag.messages import OutputMessages
from affordance_ros.bag.vision_definitions import VISION_DEFINITIONS
from affordance_ros.cli.bag import main
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros.targets.mask import draw_mask
from affordance_ros.targets.smoothing import HeatSmoother
from affordance_ros.viz.overlay import draw_overlay
from tests.conftest import ROOT
from tests.support.bag_fixture import SENSOR_QOS
from tests.support.bag_fixture import START_NS
from tests.support.bag_fixture import read_all
from tests.support.bag_fixture import record
from tests.support.bag_fixture import to_array

MODEL = ['--model', 'compact', '--weights', 'random', '--device', 'cpu', '--input-size', '96']


@pytest.fixture
def frames(photos):
    """Return four photos of different sizes, small."""
    return [
        cv2.resize(photo, (160 - 8 * number, 120))
        for number, photo in enumerate(list(photos.values())[:4])
    ]


def run(source, out, *more):
    return main([str(source), str(out), *MODEL, *map(str, more)])


@pytest.mark.parametrize(
    ('folder', 'definitions'),
    [('msg', DEFINITIONS), ('interfaces/vision_msgs/msg', VISION_DEFINITIONS)],
)
def test_the_message_definitions_are_those_of_the_files(folder, definitions):
    """By the hashes of their types, which cover the names and types of all fields."""
    files = get_typestore(Stores.LATEST)
    for name in definitions:
        text = (ROOT / folder / f'{name.split("/")[-1]}.msg').read_text()
        files.register(get_types_from_msg(text, name))
    for name in definitions:
        assert OutputMessages().store.hash_rihs01(name) == files.hash_rihs01(name)


@pytest.mark.ros
def test_the_types_hash_is_that_of_the_built_messages():
    """So that ROS 2 from Iron on accepts the recorded targets as its own."""
    share = ROOT / 'install/affordance_ros/share/affordance_ros/msg'
    built = json.loads((share / 'AffordanceTargetArray.json').read_text())
    hashes = {entry['type_name']: entry['hash_string'] for entry in built['type_hashes']}
    assert OutputMessages().store.hash_rihs01(TARGETS) == hashes[TARGETS]


@pytest.mark.parametrize('form', ['folder', 'mcap', 'db3', 'compressed'])
def test_answers_are_the_predictors_with_the_images_stamps(tmp_path, frames, model, form):
    storage = 'sqlite3' if form == 'db3' else 'mcap'
    bag = record(tmp_path / 'in', frames, storage=storage, compressed=form == 'compressed')
    source = bag / f'in.{form}' if form in ('mcap', 'db3') else bag
    out = tmp_path / ('out.mcap' if form == 'mcap' else 'out')
    assert run(source, out, '--command', 'hold_the_mug') == 0
    written, images = read_all(out), read_all(bag)['/camera/image']
    assert written.keys() == {f'/grounding/{name}' for name in bag_run.OUTPUTS}
    predictor = Predictor(model, PredictorConfig(input_size=96))
    predictor.set_command('hold the mug')
    names = ('heatmap', 'overlay', 'targets', 'mask')
    for (log_ns, _, message), heat, overlay, targets, mask in zip(
        images, *(written[f'/grounding/{name}'] for name in names), strict=True
    ):
        pixels = cv2.imdecode(message.data, 1) if form == 'compressed' else to_array(message)
        expected = predictor.predict(pixels, channels='bgr')
        assert heat[0] == overlay[0] == targets[0] == mask[0] == log_ns
        stamp = message.header.stamp
        for _, _, answer in (heat, overlay, targets, mask):
            assert answer.header.frame_id == message.header.frame_id
            assert (answer.header.stamp.sec, answer.header.stamp.nanosec) == (
                stamp.sec, stamp.nanosec,
            )  # fmt: skip
        assert (heat[2].encoding, heat[2].step) == ('32FC1', 4 * pixels.shape[1])
        assert np.abs(to_array(heat[2]) - expected.heatmap).max() <= 1e-6
        array = targets[2]
        numbered = tuple(
            replace(target, track_id=found.track_id)
            for target, found in zip(expected.targets, array.targets, strict=True)
        )
        drawn = draw_overlay(pixels, expected.heatmap, targets=numbered, caption='hold the mug')
        assert np.abs(to_array(overlay[2]).astype(int) - drawn).max() <= 1
        assert (to_array(mask[2]) == draw_mask(expected.targets, expected.size)).all()
        assert (array.command, array.command_id) == ('hold the mug', 1)
        assert (array.image_height, array.image_width) == pixels.shape[:2]
        assert expected.targets
        # Sub-pixel places react to the last digit where a peak is flat.
        for found, target in zip(array.targets, expected.targets, strict=True):
            assert (found.x, found.y) == pytest.approx((target.x, target.y), abs=0.05)
            assert found.score == pytest.approx(target.score, abs=1e-6)
            box = found.bbox
            assert (box.x_offset, box.y_offset, box.width, box.height) == target.region.bbox
            assert found.area_px == target.region.area_px
        ids = [target.track_id for target in array.targets]
        assert len(set(ids)) == len(ids) and min(ids) > 0
        assert not any(t.has_point or t.has_extent for t in array.targets)


def test_heat_is_smoothed_as_the_smoother_does(tmp_path, photos, model):
    photo = cv2.resize(next(iter(photos.values())), (400, 240))
    frames = [np.ascontiguousarray(photo[:, 8 * k : 8 * k + 320]) for k in range(3)]
    bag, out = record(tmp_path / 'in', frames), tmp_path / 'out.mcap'
    assert run(bag, out, '--command', 'cut', '--heat-smoothing-s', '1.0') == 0
    predictor, smoother = Predictor(model, PredictorConfig(input_size=96)), HeatSmoother(1.0)
    predictor.set_command('cut')
    heats = read_all(out)['/grounding/heatmap']
    for k, ((_, _, heat), frame) in enumerate(zip(heats, frames, strict=True)):
        plain = predictor.predict(frame, channels='bgr')
        stamp_s = heat.header.stamp.sec + heat.header.stamp.nanosec / 1e9
        expected = smoother.update(plain.activation, command='cut', image=frame, stamp_s=stamp_s)
        assert np.abs(to_array(heat) - expected.heatmap).max() < 1e-5
        assert (np.abs(to_array(heat) - plain.heatmap).max() > 1e-3) == (k > 0)


@pytest.mark.parametrize('seconds', ['-1', 'nan', 'inf'])
def test_a_smoothing_time_that_makes_no_sense_is_refused(tmp_path, frames, caplog, seconds):
    out = tmp_path / 'out.mcap'
    more = ('--command', 'cut', f'--heat-smoothing-s={seconds}')
    assert run(record(tmp_path / 'in', frames), out, *more) == 2
    assert 'must be finite and not negative' in caplog.text
    assert not out.exists()


def test_each_command_answers_from_its_time_on(tmp_path, frames):
    bag = record(tmp_path / 'in', frames)
    times = ['-c', 'cut', '--at', 1, '-c', 'pour', '--at', 2.5]
    assert run(bag, tmp_path / 'out', *times) == 0
    answers = read_all(tmp_path / 'out')['/grounding/targets']
    assert [(log_ns - START_NS, m.command, m.command_id) for log_ns, _, m in answers] == [
        (10**9, 'cut', 1), (2 * 10**9, 'cut', 1), (3 * 10**9, 'pour', 2),
    ]  # fmt: skip


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_copy_is_the_bag_with_the_answers_beside(tmp_path, frames, storage):
    bag = record(tmp_path / 'in', frames, storage=storage)
    assert run(bag, tmp_path / 'out', '-c', 'cut', '--copy', '--namespace', '/robot/eye/') == 0
    before, after = read_all(bag), read_all(tmp_path / 'out')
    for topic, messages in before.items():
        assert [m[:2] for m in after.pop(topic)] == [m[:2] for m in messages], topic
    assert after.keys() == {f'/robot/eye/{name}' for name in bag_run.OUTPUTS}
    with Reader(tmp_path / 'out') as reader:
        (camera,) = (c for c in reader.connections if c.topic == '/camera/image')
        assert camera.ext.offered_qos_profiles == [SENSOR_QOS]
    again = tmp_path / 'again'
    assert run(tmp_path / 'out', again, '-c', 'cut', '--copy', '--topic', '/camera/image') == 0


@pytest.mark.skipif(sys.version_info < (3, 11), reason='rerun-sdk needs Python 3.11 or later')
def test_another_implementation_reads_what_is_written(tmp_path, frames):
    """By the Rust MCAP library inside rerun."""
    from rerun.chunk import McapReader

    bag = record(tmp_path / 'in', frames)
    assert run(bag, tmp_path / 'out.mcap', '-c', 'cut', '--copy') == 0
    info = McapReader(tmp_path / 'out.mcap').info()
    assert info.profile == 'ros2'
    assert {(c.topic, c.schema.name, c.message_count) for c in info.channels} == {
        ('/camera/image', 'sensor_msgs/msg/Image', 4),
        ('/chatter', 'std_msgs/msg/String', 4),
        ('/grounding/detections', 'vision_msgs/msg/Detection2DArray', 4),
        ('/grounding/detections_3d', 'vision_msgs/msg/Detection3DArray', 4),
        ('/grounding/heatmap', 'sensor_msgs/msg/Image', 4),
        ('/grounding/mask', 'sensor_msgs/msg/Image', 4),
        ('/grounding/overlay', 'sensor_msgs/msg/Image', 4),
        ('/grounding/targets', TARGETS, 4),
    }
    assert info.message_start_time_ns == START_NS
    assert info.message_end_time_ns == START_NS + 3 * 10**9


def test_images_that_can_not_be_used_are_counted_and_the_others_answered(tmp_path, frames, caplog):
    caplog.set_level('INFO')
    frames[1] = np.zeros((0, 4, 3), np.uint8)
    bag = record(tmp_path / 'in', frames)
    assert run(bag, tmp_path / 'out', '-c', 'cut') == 1
    assert len(read_all(tmp_path / 'out')['/grounding/targets']) == 3
    assert 'the image is 4x0 pixels: empty' in caplog.text
    assert '3 images of /camera/image answered' in caplog.text
    assert '1 unusable (size: 1)' in caplog.text


@pytest.mark.parametrize('error', [MemoryError('out of memory'), KeyboardInterrupt()])
@pytest.mark.parametrize('name', ['out', 'out.mcap'])
def test_an_output_is_whole_or_not_there(tmp_path, frames, monkeypatch, error, name):
    bag = record(tmp_path / 'in', frames)
    calls = []

    def dies(*arguments, **keywords):
        calls.append(1)
        if len(calls) == 3:
            assert not (tmp_path / name).exists()
            raise error
        return draw_overlay(*arguments, **keywords)

    monkeypatch.setattr(bag_run, 'draw_overlay', dies)
    with pytest.raises(type(error)):
        run(bag, tmp_path / name, '-c', 'cut')
    assert [path.name for path in tmp_path.iterdir()] == ['in']


def test_what_can_not_be_read_or_written_is_named(tmp_path, frames, caplog):
    bag = record(tmp_path / 'in', frames)
    (tmp_path / 'cut.mcap').write_bytes((bag / 'in.mcap').read_bytes()[:5000])
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'old.bag').write_bytes(b'#ROSBAG V2.0')
    (tmp_path / 'words').mkdir()
    (tmp_path / 'words/metadata.yaml').write_text('nonsense: 1')
    record(tmp_path / 'depth', frames, topic='/camera/depth')
    for source, more, text in (
        (tmp_path / 'none', [], r'none does not exist'),
        (tmp_path / 'empty', [], 'is a folder without metadata.yaml'),
        (tmp_path / 'old.bag', [], 'rosbags-convert --src'),
        (tmp_path / 'cut.mcap', [], 'cut.mcap can not be read'),
        (tmp_path / 'words', [], 'words can not be read'),
        (tmp_path / 'depth', [], 'has no topic of colour images; its topics are: /camera/depth'),
        (bag, ['--topic', '/chatter'], "no images on '/chatter'; its topics are: /camera/image"),
        (bag, ['--at', 1, '--at', 2], '1 commands come with 2 times'),
        (bag, ['-c', ' ', '--at', 1, '--at', 2], 'the command is blank'),
    ):
        caplog.clear()
        assert run(source, tmp_path / 'out', '-c', 'cut', *more) == 2
        assert text in caplog.text
        assert not (tmp_path / 'out').exists()
    for out, text in ((bag, 'in exists'), (tmp_path / 'x.db3', 'x.db3 must end in .mcap')):
        assert run(bag, out, '-c', 'cut') == 2
        assert text in caplog.text
    assert run(bag, tmp_path / 'out') == 2
    assert 'no command is given' in caplog.text


def test_an_output_topic_of_the_bags_own_is_not_mixed_up(tmp_path, frames, caplog):
    bag = record(tmp_path / 'in', frames, topic='/grounding/overlay')
    assert run(bag, tmp_path / 'out', '-c', 'cut', '--copy') == 2
    assert 'has a topic /grounding/overlay of its own' in caplog.text


def test_without_rosbags_it_says_what_to_install():
    code = 'import sys; sys.modules["rosbags"] = None\n'
    code += 'from affordance_ros.cli.bag import main; sys.exit(main(["a", "b"]))'
    result = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 2
    assert 'pip install rosbags' in result.stderr
