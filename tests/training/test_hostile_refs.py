# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Annotations of other people's tools: right masks, or a refusal that names the annotation."""

import json
import pickle

import numpy as np
import pytest
from PIL import Image

from affordance_ros.image.preprocess import CLIP_NORMALIZATION
from affordance_ros_training.bad_images import BadImages
from affordance_ros_training.config import TrainConfig
from affordance_ros_training.refer import DatasetError
from affordance_ros_training.refer import DatasetSpec
from affordance_ros_training.refer_cache import load_images
from affordance_ros_training.samples import EpochSamples
from affordance_ros_training.samples import decode
from tests.support import hostile_refs as made


def load(root, split='train'):
    return load_images(DatasetSpec.parse('toy:made'), split, root=root, cache=root / 'converted')


def box_iou(image):
    """Return the IoU of an image's mask with the red that is seen in its pixels."""
    pixels = decode(image, image.path.read_bytes()).astype(int)
    seen = pixels[..., 0] - pixels[..., 1] > 90
    mask = image.mask(image.referrals[0]).astype(bool)
    return (seen & mask).sum() / (seen | mask).sum()


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return lambda n: made.encoded(made.photo(n), quality=95, exif=tags.tobytes())


RIGHT = {
    'plain': {},
    'run lengths': {'segmentation': lambda n: made.run_lengths()},
    **{f'EXIF orientation {o}': {'image': exif(o)} for o in (3, 6, 8)},
    'one part of two is a pair': {'segmentation': lambda n: [[1.0, 2.0], made.CORNERS]},
    "gRefCOCO's own file": {
        'refs_name': 'grefs(made).json',
        'dump': lambda refs: json.dumps(refs).encode(),
        'change': lambda ref, n: ref.update(ann_id=[n + 1], category_id=[1], no_target=False),
    },
}


@pytest.mark.parametrize('kind', RIGHT)
def test_masks_lie_on_what_they_name(tmp_path, kind):
    made.write(tmp_path, **RIGHT[kind])
    images = load(tmp_path)
    assert len(images) == made.COUNT - 2
    for image in images:
        assert image.referrals[0].categories == {'box'}
        assert box_iou(image) > 0.9


def test_an_expression_of_grefcoco_that_names_nothing_has_an_empty_mask(tmp_path):
    made.write(
        tmp_path,
        refs_name='grefs(made).json',
        dump=lambda refs: json.dumps(refs).encode(),
        change=lambda ref, n: ref.update(
            {'ann_id': [-1], 'category_id': [-1], 'no_target': True}
            if n % 2
            else {'ann_id': [n + 1], 'category_id': [1], 'no_target': False}
        ),
    )
    for number, image in enumerate(load(tmp_path)):
        (referral,) = image.referrals
        assert bool(image.mask(referral).any()) == (number % 2 == 0)
        assert referral.categories == ({'box'} if number % 2 == 0 else set())


WRONG = {
    'pairs': (lambda n: [[10.0, 10.0], [50.0, 10.0], [50.0, 40.0]], r'\(id 1, 2, 3, 4, 5, ...\)'),
    'boxes': (lambda n: [[10.0, 10.0, 40.0, 30.0]], '1 parts of .4. numbers, not one of them a'),
    'some boxes': (lambda n: [[1.0, 1, 4, 3]] if n == 1 else [made.CORNERS], r'1 .* \(id 2\)'),
    'nothing': (lambda n: [], '0 parts of'),
    'a flat polygon': (lambda n: made.CORNERS, 'a polygon as a flat list'),
    'an odd polygon': (lambda n: [made.CORNERS[:-1]], 'annotation 1: a polygon of 7 numbers'),
    'run lengths of another size': (
        lambda n: made.run_lengths(2), r'annotation 1: run lengths of size .48, 64.'
    ),
    'run lengths of width and height': (
        lambda n: {**made.run_lengths(), 'size': [made.WIDTH, made.HEIGHT]},
        r'annotation 1: run lengths of size .128, 96., where .height, width. .* .96, 128.',
    ),
}  # fmt: skip


@pytest.mark.parametrize('kind', WRONG)
def test_annotations_that_would_name_nothing_are_refused_by_id(tmp_path, kind):
    segmentation, text = WRONG[kind]
    made.write(tmp_path, segmentation=segmentation)
    with pytest.raises(DatasetError, match=text):
        load(tmp_path)


def test_a_few_such_annotations_of_many_are_left_out_and_named(tmp_path, caplog):
    made.write(
        tmp_path,
        count=120,
        image=lambda n: b'',
        segmentation=lambda n: [[1.0, 2.0]] if n == 5 else [made.CORNERS],
    )
    assert len(load(tmp_path)) == 117
    assert '1 annotations of 120 that refs name cover nothing (id 6)' in caplog.text


def python2(encoding):
    """Return a dump as Python 2's: texts are byte strings of some encoding."""

    def dump(refs):
        text, wanted = 'the café box'.encode(), 'the café box'.encode(encoding)
        for ref in refs:
            ref['sentences'][0]['sent'] = text.decode()
        data = pickle.dumps(refs, protocol=2)
        unicode = b'X' + len(text).to_bytes(4, 'little') + text
        assert unicode in data
        return data.replace(unicode, b'U' + bytes([len(wanted)]) + wanted)

    return dump


@pytest.mark.parametrize(
    ('dump', 'text'),
    [
        (python2('latin-1'), 'not UTF-8 .* load it with encoding="latin-1"'),
        (lambda refs: pickle.dumps(refs, 0).replace(b'\n', b'\r\n'), 'line ends are CRLF'),
    ],
)
def test_pickles_that_were_changed_on_their_way_say_how(tmp_path, dump, text):
    made.write(tmp_path, dump=dump)
    with pytest.raises(DatasetError, match=text):
        load(tmp_path)


@pytest.mark.parametrize('protocol', range(6))
def test_numpy_numbers_in_a_pickle_say_what_to_do(tmp_path, protocol):
    made.write(
        tmp_path,
        change=lambda ref, n: ref.update(ann_id=np.int64(n + 1)),
        dump=lambda refs: pickle.dumps(refs, protocol),
    )
    with pytest.raises(DatasetError, match='NumPy numbers are not plain data; make them Python'):
        load(tmp_path)


def test_python_2s_utf_8_is_read(tmp_path):
    made.write(tmp_path, dump=python2('utf-8'))
    assert load(tmp_path)[0].referrals[0].sentences == ('the café box',)


def cut(number, bad):
    data = made.encoded(made.photo(number), quality=95)
    return data[: len(data) // 2] if number in bad else data


@pytest.mark.parametrize('bad', [{0}, {1, 3}])
def test_a_cut_image_gives_way_to_another_and_is_named(tmp_path, bad):
    made.write(tmp_path, image=lambda n: cut(n, bad))
    samples = EpochSamples(
        load(tmp_path), TrainConfig(), epoch=0, normalization=CLIP_NORMALIZATION
    )
    problems = {text for index in range(len(samples)) for text in samples[index].problems}
    assert all(samples[index].sentences for index in range(len(samples)))
    assert len(problems) == len(bad)
    assert all('it is cut off' in text for text in problems)


def test_images_that_are_all_cut_give_an_empty_sample(tmp_path):
    made.write(tmp_path, image=lambda n: cut(n, range(99)))
    samples = EpochSamples(
        load(tmp_path), TrainConfig(), epoch=0, normalization=CLIP_NORMALIZATION
    )
    assert not samples[0].sentences
    with pytest.raises(DatasetError, match='4 images can not be used'):
        BadImages(4).note(samples[0].problems, none_left=True)


def test_bad_images_are_counted_up_to_a_limit(caplog):
    bad = BadImages(100)
    for _ in range(3):
        bad.note([f'image {n}' for n in range(10)])
    assert bad.count == 10
    assert caplog.text.count('left out: image 7') == 1
    with pytest.raises(DatasetError, match='11 images can not be used, and at most 10 may be'):
        bad.note(['image 10'])
    BadImages(5000).note(f'image {n}' for n in range(50))
