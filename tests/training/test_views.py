# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Promises of augmentation and samples."""

import numpy as np
import pytest
import torch

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.image.preprocess import CLIP_NORMALIZATION
from affordance_ros_training.augment import Rectangle
from affordance_ros_training.augment import View
from affordance_ros_training.augment import draw_view
from affordance_ros_training.augment import names_a_side
from affordance_ros_training.config import AugmentConfig
from affordance_ros_training.config import TrainConfig
from affordance_ros_training.refer import DatasetSpec
from affordance_ros_training.refer_cache import load_images
from affordance_ros_training.samples import EpochSamples
from affordance_ros_training.yaml_config import from_mapping
from tests.support.refer_fixture import write_dataset


def _draw(rng, config=None, keep=None, may_flip=True, size=160) -> View:
    return draw_view(
        120,
        200,
        size=size,
        config=config or AugmentConfig(),
        keep=keep or Rectangle(60, 30, 50, 40),
        may_flip=may_flip,
        rng=rng,
    )


def _images(root, **changes):
    write_dataset(root, **changes)
    return load_images(DatasetSpec('toy', 'made'), 'train', root=root, cache=root / 'converted')


def test_the_plain_view_is_the_letterbox_of_the_predictor():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (120, 200, 3)).astype(np.uint8)
    pixels = View.plain(120, 200, size=160).pixels(image, CLIP_NORMALIZATION)
    box = Letterbox.fit((120, 200), size=160, shape='square')
    mean, std = np.asarray(CLIP_NORMALIZATION.mean), np.asarray(CLIP_NORMALIZATION.std)
    expected = (box.shrink(image) / 255.0 - mean) / std
    assert np.allclose(pixels.transpose(1, 2, 0)[box.window], expected, atol=1e-5)
    border = np.ones((160, 160), bool)
    border[box.window] = False
    assert border.any()
    assert not pixels[:, border].any()


def test_image_and_mask_move_together():
    rng = np.random.default_rng(1)
    config = AugmentConfig(brightness=0, contrast=0, saturation=0, tint=0)
    mask = np.zeros((120, 200), np.uint8)
    mask[30:70, 60:110] = 1
    image = np.repeat(mask[..., None] * np.uint8(255), 3, axis=2)
    for _ in range(30):
        view = _draw(rng, config)
        white = (
            view.pixels(image, CLIP_NORMALIZATION)[0] * CLIP_NORMALIZATION.std[0]
            + CLIP_NORMALIZATION.mean[0]
        )
        coverage = view.coverage(mask) / 255
        inside = np.zeros((160, 160), bool)
        inside[view.target.area] = True
        inside = inside[:, ::-1] if view.flip else inside
        assert np.abs(white - coverage)[inside].max() < 0.01


def test_regions_that_are_named_stay_in_sight():
    rng = np.random.default_rng(2)
    config = AugmentConfig(zoom_out=1, zoom_in=6)
    mask = np.zeros((120, 200), np.uint8)
    mask[30:70, 60:110] = 1
    zoomed = 0
    for _ in range(50):
        view = _draw(rng, config)
        scale = view.target.width / view.source.width
        area = view.coverage(mask).sum() / 255
        assert area == pytest.approx(2000 * scale**2, rel=0.06)
        zoomed += scale > 1.5
    assert zoomed > 10


def test_coverage_at_a_stride_is_the_mean_of_its_cells():
    mask = (np.random.default_rng(3).random((120, 200)) < 0.4).astype(np.uint8)
    view = View.plain(120, 200, size=160)
    full = view.coverage(mask).astype(float)
    cells = full.reshape(40, 4, 40, 4).mean(axis=(1, 3))
    assert np.abs(view.coverage(mask, stride=4) - cells).max() <= 1


@pytest.mark.parametrize('sentence', ['left mug', 'the RIGHTMOST one', 'guy on lft', 'man r side'])
def test_a_sentence_that_names_a_side_is_found(sentence):
    assert names_a_side(['a mug', sentence])


@pytest.mark.parametrize('sentence', ['a mug', 'the handle of the pan', 'girl in red'])
def test_a_sentence_without_a_side_is_not(sentence):
    assert not names_a_side([sentence])


def test_an_image_with_a_side_in_its_sentences_is_never_mirrored(tmp_path):
    images = _images(tmp_path)  # every region has a sentence with 'left' or 'right'
    config = from_mapping(
        TrainConfig,
        {'data': {'input_size': 96}, 'augment': {'flip': 1, 'zoom_out': 1, 'zoom_in': 1}},
    )
    sample = EpochSamples(images, config, normalization=CLIP_NORMALIZATION, epoch=0)[0]
    left = sample.coverage[..., :48].sum(dim=(1, 2)) > sample.coverage[..., 48:].sum(dim=(1, 2))
    first = next(i for i, s in enumerate(sample.sentences) if 'box' in s)
    assert bool(left[first])  # the box is drawn on the left


def test_every_ref_comes_once_an_epoch_with_one_of_its_sentences(tmp_path):
    images = _images(tmp_path)
    config = from_mapping(TrainConfig, {'data': {'input_size': 96, 'sentences_per_image': 1}})
    known = {
        s: i for i, s in enumerate({s for m in images for r in m.referrals for s in r.sentences})
    }
    seen = []
    for epoch in range(6):
        samples = EpochSamples(images, config, normalization=CLIP_NORMALIZATION, epoch=epoch)
        assert len(samples) == 12
        texts = [samples[i].sentences for i in range(len(samples))]
        assert all(len(t) == 1 and t[0] in known for t in texts)
        seen.append(texts)
    assert len({str(t) for t in seen}) > 1  # another sentence in another epoch


def test_samples_depend_on_seed_epoch_and_place_alone(tmp_path):
    images = _images(tmp_path)
    config = from_mapping(TrainConfig, {'data': {'input_size': 96}})
    forward = EpochSamples(images, config, normalization=CLIP_NORMALIZATION, epoch=3)
    backward = EpochSamples(images, config, normalization=CLIP_NORMALIZATION, epoch=3)
    one = [forward[i] for i in range(len(forward))]
    two = [backward[i] for i in reversed(range(len(backward)))][::-1]
    for a, b in zip(one, two, strict=True):
        assert a.key == b.key
        assert a.sentences == b.sentences
        assert torch.equal(a.pixels, b.pixels)
    assert forward.batches() == backward.batches()
    other = EpochSamples(images, config, normalization=CLIP_NORMALIZATION, epoch=4)
    assert not torch.equal(other[0].pixels, one[0].pixels)


def test_processes_share_a_batch_without_overlap(tmp_path):
    config = from_mapping(TrainConfig, {'optim': {'batch_size': 4}})
    samples = EpochSamples(_images(tmp_path), config, normalization=CLIP_NORMALIZATION, epoch=0)
    whole = samples.batches()
    shares = [samples.batches(rank=rank, world=2) for rank in range(2)]
    for batch, first, second in zip(whole, *shares, strict=True):
        assert sorted(first + second) == sorted(batch)


def test_absent_sentences_name_another_category_and_cover_nothing(tmp_path):
    images = [
        type(image)(
            image.path,
            image.height,
            image.width,
            frozenset({('box', 'disc')[i % 2]}),
            (image.referrals[i % 2],),
        )
        for i, image in enumerate(_images(tmp_path, splits={'train': 8}))
    ]
    config = from_mapping(TrainConfig, {'data': {'input_size': 96, 'absent_share': 0.5}})
    samples = EpochSamples(images, config, normalization=CLIP_NORMALIZATION, epoch=0)
    for i in range(len(samples)):
        sample = samples[i]
        assert len(sample.sentences) == 2
        shape, other = (('box', 'disc'), ('disc', 'box'))[i % 2]
        assert shape in sample.sentences[0]
        assert other in sample.sentences[1]
        assert sample.coverage[0].any()
        assert not sample.coverage[1].any()
