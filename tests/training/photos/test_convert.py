# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import json
import re

import cv2
import numpy as np
import pytest

from affordance_ros_training.photos import convert as module
from affordance_ros_training.photos.cli import main
from affordance_ros_training.photos.convert import convert
from affordance_ros_training.photos.vocabulary import Vocabulary
from affordance_ros_training.refer import DatasetError
from affordance_ros_training.refer import DatasetSpec
from affordance_ros_training.refer_cache import load_images

SIZE = (60, 80)
# What the model must never have been told: verbs of AGD20K, of InstructPart and of robots.
ACTIONS = {
    *(
        'hold',
        'grasp',
        'grip',
        'pick',
        'lift',
        'cut',
        'sit',
        'pour',
        'drink',
        'sip',
        'open',
        'close',
    ),
    *('stir', 'hit', 'pound', 'swing', 'throw', 'write', 'brush', 'type', 'carry', 'drag', 'pull'),
    *('push', 'pierce', 'scoop', 'support', 'contain', 'display', 'wash', 'eat', 'peel', 'cook'),
    *('catch', 'kick', 'ride', 'jump', 'lie', 'look', 'talk', 'take', 'sweep', 'wipe', 'press'),
    *('turn', 'twist', 'fill', 'drive', 'dig'),
}


def _boxes(*boxes):
    return [
        {'id': n, 'image_id': image, 'category_id': category, 'bbox': list(box), 'iscrowd': 0}
        for n, (image, category, box) in enumerate(boxes, start=1)
    ]


def _collection(root, name, file_name, categories, annotations, *, licences=(4,)):
    folder = root / name
    (folder / 'images').mkdir(parents=True)
    images = []
    for number, licence in enumerate(licences, start=1):
        photo = np.full((*SIZE, 3), 90, np.uint8)
        cv2.imwrite(str(folder / 'images' / f'{number}.jpg'), photo)
        images.append(
            {'id': number, 'file_name': f'{number}.jpg', 'height': 60, 'width': 80}
            | {'license': licence}
        )
    content = {
        'images': images,
        'annotations': annotations,
        'categories': [{'id': n, 'name': c} for n, c in enumerate(categories, start=1)],
    }
    (folder / file_name).write_text(json.dumps(content))


@pytest.fixture
def photos(tmp_path, monkeypatch):
    root = tmp_path / 'photos'
    coco = _boxes(
        (1, 1, (2, 10, 20, 30)),  # a knife on the left, with parts
        (1, 1, (50, 10, 24, 40)),  # and one on the right, without
        (1, 2, (30, 0, 10, 10)),
        (2, 2, (5, 5, 20, 20)),
        (3, 3, (5, 5, 20, 20)),
    )
    _collection(
        root, 'coco_mini', 'instances.json', ('knife', 'cup', 'dog'), coco, licences=(4, 1, 4)
    )
    doors = _boxes((1, 1, (10, 5, 30, 50)), (1, 2, (32, 25, 4, 8)))
    _collection(root, 'doordetect', 'boxes.json', ('Cabinet door', 'Handle'), doors)
    _collection(root, 'tools_seg', 'instances.json', ('Hammer',), _boxes((1, 1, (4, 4, 40, 10))))
    lines = tmp_path / 'part_lines'
    lines.mkdir()
    (lines / 'coco.txt').write_text('1 | knife | blade 0..5 | handle 5..10\n')
    (lines / 'tools.txt').write_text('1 | hammer | handle 0..8\n')
    (tmp_path / 'kept_out.json').write_text('[3]')
    monkeypatch.setattr(module, '_HERE', tmp_path)
    return root


def _load(out, collection, split='train'):
    spec = DatasetSpec('photos', collection)
    return load_images(spec, split, root=out, cache=out / 'converted')


def test_what_is_written_is_read_by_the_training(photos, tmp_path):
    convert(photos, tmp_path / 'out')
    first, second = _load(tmp_path / 'out', 'coco_mini')
    by_phrase = {s: r for r in first.referrals for s in r.sentences}
    assert first.mask(by_phrase['the knife']).sum() == 20 * 30 + 24 * 40
    assert first.mask(by_phrase['left knife'])[:, :40].sum() == 20 * 30
    assert not first.mask(by_phrase['left knife'])[:, 40:].any()
    assert by_phrase['mug'] is by_phrase['a cup']
    assert second.categories == {'cup'}
    handle = next(
        r
        for r in _load(tmp_path / 'out', 'doordetect')[0].referrals
        if 'drawer handle' in r.sentences
    )
    assert 'handle of the cabinet' in handle.sentences


def test_parts_cover_their_half_and_leave_other_instances_unknown(photos, tmp_path):
    convert(photos, tmp_path / 'out')
    image = _load(tmp_path / 'out', 'coco_mini')[0]
    blade = next(r for r in image.referrals if 'blade of the knife' in r.sentences)
    assert image.mask(blade).sum() == pytest.approx(300, abs=25)
    unknown = image.unknown(blade)
    assert unknown[:, 50:74].sum() == 24 * 40
    assert unknown.sum() == 24 * 40


def test_absent_names_are_absent(photos, tmp_path):
    convert(photos, tmp_path / 'out')
    for collection in ('coco_mini', 'doordetect', 'tools_seg'):
        for image in _load(tmp_path / 'out', collection):
            present = [w for c in image.categories for w in Vocabulary.load().of(c)]
            for referral in image.referrals:
                if not image.mask(referral).any():
                    named = [
                        s
                        for s in referral.sentences
                        if any(re.search(rf'\b{w}\b', s) for w in present)
                    ]
                    assert not named


def test_kept_out_photos_are_never_trained_on(photos, tmp_path):
    convert(photos, tmp_path / 'out')
    train = {image.path.name for image in _load(tmp_path / 'out', 'coco_mini')}
    val = {image.path.name for image in _load(tmp_path / 'out', 'coco_mini', 'val')}
    assert val == {'coco_mini_3.jpg'}
    assert not train & val


def test_photos_of_other_licences_are_left_out(photos, tmp_path):
    convert(photos, tmp_path / 'out', licences=[4])
    assert [i.path.name for i in _load(tmp_path / 'out', 'coco_mini')] == ['coco_mini_1.jpg']


def test_no_phrase_speaks_of_an_action(photos, tmp_path):
    convert(photos, tmp_path / 'out')
    phrases = {
        sentence
        for collection in ('coco_mini', 'doordetect', 'tools_seg')
        for image in _load(tmp_path / 'out', collection)
        for referral in image.referrals
        for sentence in referral.sentences
    }
    vocabulary = Vocabulary.load()
    for category in vocabulary.names:
        phrases.update(vocabulary.thing(category))
        for part in vocabulary.parts:
            phrases.update(vocabulary.part(part, category))
    assert len(phrases) > 500
    assert not [p for p in phrases if ACTIONS & set(p.split())]


def test_a_missing_collection_is_named(photos, tmp_path, caplog):
    (photos / 'doordetect' / 'boxes.json').unlink()
    with pytest.raises(
        DatasetError, match=r'boxes\.json: No such file.*give the folder that holds'
    ):
        convert(photos, tmp_path / 'out')
    assert main(['--photos', str(photos), '--out', str(tmp_path / 'out')]) == 1
    assert 'give the folder that holds' in caplog.text


def test_part_lines_of_other_photos_are_refused(photos, tmp_path):
    (tmp_path / 'part_lines' / 'coco.txt').write_text('99 | knife | blade 0..5\n')
    with pytest.raises(DatasetError, match='parts of 1 annotations that the photos do not have'):
        convert(photos, tmp_path / 'out')
