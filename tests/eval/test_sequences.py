# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Sequences with the thing that each pixel shows, rendered and recorded."""

import json
import shutil

import numpy as np
import pytest
import yaml

from affordance_ros_eval.cli import main
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.sequences import recorded
from affordance_ros_eval.sequences import rendered
from tests.conftest import SAMPLES

TABLETOP = SAMPLES / 'tabletop'


def test_the_shipped_bag_is_scored_on_the_things_of_its_own_scene():
    with recorded(TABLETOP) as sequence:
        names = [item.instance.name.split('/')[0] for item in sequence.orbit.placed]
        views = [next(sequence.views) for _ in range(3)]
        (red,) = sequence.orbit.affording('eat')
    assert names == ['mug', 'knife', 'moka pot', 'bottle', 'pan', 'apple']
    assert [view.stamp_s for view in views] == [0.0, 0.5, 1.0]
    for view in views:
        shape = view.rgb.shape[:2]
        assert view.things.shape == shape == view.rgbd.depth.raw.shape == view.rgbd.pinhole.size
        # The apple, and nothing else, is red.
        r, g, b = (view.rgb[view.things == red].astype(int).mean(axis=0)).tolist()
        assert names[red - 1] == 'apple' and r > 2 * max(g, b)


def test_a_rendered_sequence_has_depth_and_things_of_the_same_moment():
    with rendered(100, frames=2, rate_hz=5.0, size=(96, 72)) as sequence:
        first, second = sequence.views
    assert (first.stamp_s, second.stamp_s) == (0.0, 0.2)
    assert first.rgb.shape == (72, 96, 3) and set(np.unique(first.things)) <= set(range(8))
    assert not np.array_equal(first.things, second.things)
    on_table = np.median(first.rgbd.depth.metres()[first.things == 0])
    assert np.median(first.rgbd.depth.metres()[first.things > 0]) < on_table


@pytest.mark.parametrize(
    ('scene', 'text'),
    [
        (None, 'does not say which scene it shows'),
        ('{"seed": 11}', 'does not say which scene it shows'),
        ('not JSON', 'does not say which scene it shows'),
        (json.dumps({'seed': 11, 'objects': ['dragon']}), 'no object dragon'),
        (json.dumps({'seed': 12, 'objects': ['mug']}), 'shows another scene'),
    ],
)
def test_a_bag_of_another_scene_is_refused(scene, text, tmp_path):
    bag = tmp_path / 'tabletop'
    shutil.copytree(TABLETOP, bag)
    content = yaml.safe_load((bag / 'metadata.yaml').read_text())
    custom = scene and {'affordance_ros_tabletop': scene}
    content['rosbag2_bagfile_information']['custom_data'] = custom
    (bag / 'metadata.yaml').write_text(yaml.safe_dump(content))
    with pytest.raises(EvaluationError, match=text), recorded(bag) as sequence:
        list(sequence.views)


def test_a_damaged_image_is_not_passed_over(tmp_path):
    bag = tmp_path / 'tabletop'
    shutil.copytree(TABLETOP, bag)
    content = bytearray((bag / 'tabletop.mcap').read_bytes())
    content[1_000_000:1_000_400] = bytes(400)
    (bag / 'tabletop.mcap').write_bytes(content)
    with pytest.raises(EvaluationError, match='can not be scored'), recorded(bag) as sequence:
        list(sequence.views)


def test_a_bag_that_does_not_exist_is_refused(tmp_path, caplog):
    assert main(['tracks', '--bag', str(tmp_path / 'none'), '--out', str(tmp_path / 'out')]) == 2
    assert 'can not be scored' in caplog.text


def test_tracks_on_the_shipped_bag_are_printed(tmp_path, capsys):
    assert main(['tracks', '--bag', str(TABLETOP), '--out', str(tmp_path / 'out')]) == 0
    row = next(r for r in capsys.readouterr().out.splitlines() if r.startswith('| hold | depth'))
    frames, seen, astray, switches, after_gap = row.split('|')[3:8]
    assert int(frames) == 40 and float(seen) > 2.0 and float(astray) < 0.2
    # The knife leaves the view for five seconds.
    assert int(switches) - int(after_gap) == 0
