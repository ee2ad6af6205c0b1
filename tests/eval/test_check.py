# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""affordance-eval check tells what is missing, twice, or not as published."""

import shutil

from affordance_ros_eval.cli import main
from tests.support.agd20k_fixture import write_split
from tests.support.refer_fixture import write_dataset

PAIRS = [('hold', 'cup')]


def check(root, *more):
    return main(['check', str(root), *more])


def test_other_data_in_agd20ks_layout_are_whole(tmp_path, capsys):
    write_split(tmp_path, 'Val', [('hold', 'pan')])
    assert check(tmp_path) == 0
    told = capsys.readouterr().out
    assert 'not AGD20K itself' in told and told.endswith('whole\n')
    assert 'there is no Seen and no Unseen' in told


def test_what_is_missing_or_there_twice_in_agd20k_is_told(tmp_path, capsys):
    write_split(tmp_path, 'Seen', PAIRS)
    folder = tmp_path / 'Seen' / 'testset'
    photos = sorted((folder / 'egocentric' / 'hold' / 'cup').iterdir())
    truths = sorted((folder / 'GT' / 'hold' / 'cup').iterdir())
    shutil.copy(photos[0], photos[0].with_stem('cup_999999'))
    shutil.copy(truths[0], truths[0].with_stem('cup_999999'))
    shutil.copy(photos[0], photos[0].with_stem('cup_888888'))
    shutil.copy(truths[0], truths[0].with_stem('cup_777777'))
    assert check(tmp_path) == 1
    told = capsys.readouterr().out
    assert 'and 1,675 were published' in told and 'affordances without an image: ' in told
    assert 'images have no ground truth: hold/cup/cup_888888' in told
    assert 'ground truths have no image: hold/cup/cup_777777' in told
    assert f'there twice in one action: hold/cup/{photos[0].stem} = cup_999999' in told


def test_what_is_missing_in_refcoco_is_told(tmp_path, capsys):
    write_dataset(tmp_path)
    assert check(tmp_path) == 0
    assert 'refs(made).p: 18 refs on 9 images' in capsys.readouterr().out
    images = sorted(tmp_path.rglob('COCO_*.png'))
    images[0].unlink()
    assert check(tmp_path) == 1
    told = capsys.readouterr().out
    assert f'images are not in {images[0].parent}: {images[0].name}' in told


def test_a_folder_of_neither_is_refused_with_what_is_expected(tmp_path, caplog):
    assert check(tmp_path) == 2
    assert 'holds neither AGD20K' in caplog.text and 'refs(unc).p' in caplog.text
