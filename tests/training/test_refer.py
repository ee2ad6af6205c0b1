# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Promises of the reader of RefCOCO-format data sets."""

import json
import logging
import pickle
import pickletools
from pathlib import Path

import cv2
import numpy as np
import pytest

from affordance_ros.safe_io.plain_pickle import PickleRefusedError
from affordance_ros.safe_io.plain_pickle import load_plain_pickle
from affordance_ros_training.refer import DatasetError
from affordance_ros_training.refer import DatasetSpec
from affordance_ros_training.refer import check_counts
from affordance_ros_training.refer import in_split
from affordance_ros_training.refer_cache import load_images
from tests.support.refer_fixture import write_dataset

# How Python 2 wrote [{'sent': 'caf\xc3\xa9 cup', 'ref_id': 7L, 'split': u'train'}]: byte strings,
# longs and unicode, in protocols 0 and 2 (by hand, so that no Python 2 is needed).
_PYTHON2 = {
    0: b"(lp0\n(dp1\nS'sent'\np2\nS'caf\\xc3\\xa9 cup'\np3\nsS'ref_id'\np4\nL7L\nsS'split'\n"
    b'p5\nVtrain\np6\nsa.',
    2: b'\x80\x02]q\x00}q\x01(U\x04sentq\x02U\tcaf\xc3\xa9 cupq\x03U\x06ref_idq\x04\x8a\x01\x07'
    b'U\x05splitq\x05X\x05\x00\x00\x00trainq\x06ua.',
}


class _Call:
    """Pickles to a call of anything."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple:
        return self.function, self.arguments


def _load(root: Path, split: str = 'train', name: str = 'toy:made') -> list:
    return load_images(DatasetSpec.parse(name), split, root=root, cache=root / 'converted')


@pytest.mark.parametrize('protocol', [0, 2])
def test_python_2_pickles_are_read(tmp_path, protocol):
    path = tmp_path / 'refs.p'
    path.write_bytes(_PYTHON2[protocol])
    expected = [{'sent': 'caf\u00e9 cup', 'ref_id': 7, 'split': 'train'}]
    assert load_plain_pickle(path) == expected


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_python_3_is_read(tmp_path, protocol):
    write_dataset(tmp_path, protocol=protocol)
    assert len(_load(tmp_path)) == 6


@pytest.mark.parametrize(
    ('function', 'arguments'),
    [(eval, ('1',)), (Path, ('x',)), (np.zeros, (3,)), (pickle.loads, (b'',))],
)
def test_every_global_is_refused_by_name(tmp_path, function, arguments):
    path = tmp_path / 'refs.p'
    path.write_bytes(pickle.dumps([_Call(function, *arguments)], protocol=2))
    with pytest.raises(PickleRefusedError, match='names the global'):
        load_plain_pickle(path)


def test_a_malicious_pickle_does_not_run(tmp_path):
    mark = tmp_path / 'ran'
    folder = write_dataset(tmp_path)
    evil = b"cposix\nsystem\n(S'touch %s'\ntR." % str(mark).encode()
    pickletools.dis(evil, out=(tmp_path / 'listing').open('w'))  # it is a well-formed pickle
    (folder / 'refs(made).p').write_bytes(evil)
    with pytest.raises(DatasetError, match=r'posix\.system'):
        _load(tmp_path)
    assert not mark.exists()


@pytest.mark.parametrize(
    'code', [b'\x82\x01.', b'\x80\x04\x8c\x02os\x8c\x06system\x93.', b'P1\n.']
)
def test_other_ways_to_name_a_global_are_refused(tmp_path, code):
    path = tmp_path / 'refs.p'
    path.write_bytes(code)
    with pytest.raises(PickleRefusedError):
        load_plain_pickle(path)


def test_a_cut_pickle_says_so(tmp_path):
    folder = write_dataset(tmp_path)
    refs = folder / 'refs(made).p'
    refs.write_bytes(refs.read_bytes()[:-40])
    with pytest.raises(DatasetError, match='may be cut off'):
        _load(tmp_path)


@pytest.mark.parametrize(
    ('field', 'value', 'message'),
    [
        ('ref_id', '7', r"ref 0: ref_id is '7', expected int"),
        ('split', 3, 'split is 3, expected str'),
        ('sentences', [], 'has no sentence'),
        ('sentences', [{'sent': 5}], "expected a dict with the text 'sent'"),
        ('ann_id', ['a'], 'is not a list of ints'),
        ('image_id', 999, 'names the image 999'),
    ],
)
def test_field_types_are_checked(tmp_path, field, value, message):
    folder = write_dataset(tmp_path)
    path = folder / 'refs(made).p'
    refs = pickle.loads(path.read_bytes())
    refs[0][field] = value
    path.write_bytes(pickle.dumps(refs))
    with pytest.raises(DatasetError, match=message):
        _load(tmp_path)


@pytest.mark.parametrize(
    'name', ['refcoco:unc', 'refcoco+:unc', 'refcocog:umd', 'refcocog:google']
)
def test_all_four_layouts_are_read_with_coco_images_and_counts_named(tmp_path, name, caplog):
    spec = DatasetSpec.parse(name)
    folder = write_dataset(tmp_path, name=spec.name, split_by=spec.split_by)
    coco = tmp_path / 'images' / 'train2014'
    coco.parent.mkdir()
    (folder / 'images').rename(coco)
    with caplog.at_level(logging.WARNING):
        images = _load(tmp_path, name=name)
    assert len(images) == 6
    assert images[0].path.parent == coco
    assert f'{name} has 12 refs in train, and 4' in caplog.text


def test_masks_equal_the_drawn_regions(tmp_path):
    folder = write_dataset(tmp_path)
    for image in _load(tmp_path):
        pixels = cv2.imread(str(image.path)).astype(int)
        # The background is grey noise; the shapes are saturated.
        coloured = pixels.max(axis=2) - pixels.min(axis=2) > 100
        union = np.any([image.mask(r) for r in image.referrals], axis=0)
        # A polygon's border pixels may fall either way, as in COCO's own tools.
        assert np.mean(union != coloured) < 0.01
    assert folder.is_dir()


def test_uncompressed_run_lengths_and_several_regions_are_read(tmp_path):
    folder = write_dataset(tmp_path, splits={'train': 1})
    instances = json.loads((folder / 'instances.json').read_text())
    height, width = instances['images'][0]['height'], instances['images'][0]['width']
    counts = [0, 2 * height, height * (width - 2)]  # the first two columns
    instances['annotations'][0]['segmentation'] = {'size': [height, width], 'counts': counts}
    (folder / 'instances.json').write_text(json.dumps(instances))
    path = folder / 'refs(made).p'
    refs = pickle.loads(path.read_bytes())
    refs[0]['ann_id'] = [1, 2]
    refs[1]['ann_id'] = [-1]
    path.write_bytes(pickle.dumps(refs))
    (image,) = _load(tmp_path)
    both, nothing = (image.mask(referral) for referral in image.referrals)
    assert both[:, :2].all()
    assert both[:, 2:].any()
    assert not nothing.any()


def test_the_second_reading_unpickles_nothing(tmp_path, monkeypatch):
    write_dataset(tmp_path)
    first = _load(tmp_path)
    monkeypatch.setattr('affordance_ros_training.refer_cache.read_refs', None)
    monkeypatch.setattr('affordance_ros_training.refer_cache.read_instances', None)
    assert _load(tmp_path) == first


def test_changed_files_are_converted_again(tmp_path):
    write_dataset(tmp_path)
    _load(tmp_path)
    write_dataset(tmp_path, splits={'train': 2}, seed=1)
    assert len(_load(tmp_path)) == 2


def test_missing_files_are_listed_in_one_error(tmp_path):
    with pytest.raises(DatasetError) as caught:
        _load(tmp_path, name='refcocog:umd')
    text = str(caught.value)
    for part in ('instances.json', 'refs(umd).p', 'train2014', 'mirror'):
        assert part in text


def test_another_split_by_is_pointed_out(tmp_path):
    write_dataset(tmp_path)
    with pytest.raises(DatasetError, match=r'holds refs\(made\)\.p'):
        _load(tmp_path, name='toy:umd')


def test_half_downloaded_annotations_say_so(tmp_path):
    folder = write_dataset(tmp_path)
    path = folder / 'instances.json'
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DatasetError, match=r'instances\.json \(500 bytes\) is not whole JSON'):
        _load(tmp_path)


def test_annotations_without_a_field_say_which(tmp_path):
    folder = write_dataset(tmp_path)
    content = json.loads((folder / 'instances.json').read_text())
    del content['annotations'][0]['segmentation']
    (folder / 'instances.json').write_text(json.dumps(content))
    with pytest.raises(DatasetError, match='segmentation'):
        _load(tmp_path)


def test_missing_images_are_counted(tmp_path):
    folder = write_dataset(tmp_path)
    for path in sorted((folder / 'images').iterdir())[:2]:
        path.unlink()
    with pytest.raises(DatasetError, match='2 of 6 images are missing'):
        _load(tmp_path)


def test_an_unknown_split_names_the_known_ones(tmp_path):
    write_dataset(tmp_path)
    with pytest.raises(DatasetError, match='it has train, val'):
        _load(tmp_path, 'testA')


@pytest.mark.parametrize(
    ('ref_split', 'wanted', 'belongs'),
    [
        ('train', 'train', True),
        ('testA', 'testA', True),
        ('testB', 'testA', False),
        ('testAB', 'testB', True),
        ('testA', 'test', True),
        ('test', 'test', True),
        ('val', 'test', False),
        ('train', 'testA', False),
    ],
)
def test_a_split_may_name_several_tests(ref_split, wanted, belongs):
    assert in_split(ref_split, wanted) is belongs


def test_published_counts_give_no_warning():
    splits = ['train'] * 42404 + ['val'] * 3811 + ['testA'] * 1975 + ['testB'] * 1810
    assert check_counts(DatasetSpec('refcoco', 'unc'), splits) == []
    (warning,) = check_counts(DatasetSpec('refcoco', 'unc'), splits[1:])
    assert '42403 refs in train, and 42404 were published (-1)' in warning
