# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import dataclasses
import threading
import time
from dataclasses import replace

import cv2
import numpy as np
import open_clip
import pytest
import torch

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.image.preprocess import CLIP_NORMALIZATION
from affordance_ros.image.preprocess import prepare
from affordance_ros.predictor import PredictorConfig
from affordance_ros.text.commands import CommandError
from affordance_ros.text.prompts import PromptSetError


@pytest.fixture
def image(rng):
    return cv2.GaussianBlur(rng.integers(0, 256, (120, 160, 3), np.uint8), (15, 15), 4)


def test_the_heatmap_equals_the_model_run_by_hand(predictor, image):
    """Preprocess in float64 with torch's own operations, and compare."""
    predictor.set_command('hold the mug')
    result = predictor.predict(image)
    small = cv2.resize(image, (320, 240), interpolation=cv2.INTER_LINEAR)
    mean = np.array([0.48145466, 0.4578275, 0.40821073])
    std = np.array([0.26862954, 0.26130258, 0.27577711])
    canvas = np.zeros((256, 320, 3))
    canvas[8:248] = (small / 255.0 - mean) / std
    pixels = torch.from_numpy(canvas).permute(2, 0, 1)[None].float()
    text = predictor.model.text.encode(['hold the mug'])
    with torch.inference_mode():
        logits = predictor.model(pixels, text)
        upsample = torch.nn.functional.interpolate
        full = upsample(logits, (256, 320), mode='bilinear')[:, :, 8:248]
        expected = upsample(full, (120, 160), mode='bilinear').sigmoid()[0, 0].numpy()
    assert result.heatmap.dtype == np.float32
    assert np.abs(result.heatmap - expected).max() < 1e-4
    assert np.ptp(result.heatmap) > 0.05, 'a flat map would prove nothing'


def test_alternatives_give_the_highest_of_their_maps(predictor, image, tmp_path):
    table = tmp_path / 'table.yaml'
    table.write_text(
        'name: two\nversion: 1\nphrase: "{part} of the {object}"\n'
        'actions: [{say: [unlatch], alone: [a cup, write with the pen]}]\n'
    )
    predictor.set_commands(['a cup', 'write with the pen', 'cut'])
    alone = predictor.predict_all(image)
    first, second, cut = (grounding.activation.logits for grounding in alone)
    assert (first > second).any() and (first < second).any()
    predictor.configure(replace(predictor.config, prompt_set=str(table)))
    predictor.set_commands(['unlatch', 'cut'])
    both, same = predictor.predict_all(image)
    np.testing.assert_allclose(both.activation.logits, np.maximum(first, second), atol=1e-4)
    np.testing.assert_allclose(same.activation.logits, cut, atol=1e-4)
    batch = predictor.predict_heatmaps([image, image], ['unlatch', 'cut'])
    np.testing.assert_allclose(batch[0], both.heatmap, atol=1e-4)
    np.testing.assert_allclose(batch[1], same.heatmap, atol=1e-4)


def test_several_commands_equal_each_alone_over_one_trunk_pass(predictor, image, monkeypatch):
    alone = []
    for command in ('cut', 'hold the mug', 'drink_with'):
        predictor.set_command(command)
        alone.append(predictor.predict(image))
    predictor.set_commands(['cut', 'hold the mug', 'drink_with'])
    passes = []
    forward = predictor.model.trunk.forward
    monkeypatch.setattr(
        predictor.model.trunk, 'forward', lambda *a, **k: passes.append(1) or forward(*a, **k)
    )
    together = predictor.predict_all(image)
    assert len(passes) == 1
    assert [g.command for g in together] == ['cut', 'hold the mug', 'drink with']
    for one, other in zip(alone, together, strict=True):
        assert np.abs(one.heatmap - other.heatmap).max() < 1e-5
    assert np.abs(together[0].heatmap - together[1].heatmap).max() > 0.02


def test_channels_orders_agree(predictor, image):
    predictor.set_command('cut')
    rgb = predictor.predict(image)
    bgr = predictor.predict(np.ascontiguousarray(image[..., ::-1]), channels='bgr')
    assert np.array_equal(rgb.heatmap, bgr.heatmap)
    assert not np.array_equal(rgb.heatmap, predictor.predict(image, channels='bgr').heatmap)
    grey = image[..., 0]
    mono = predictor.predict(grey, channels='mono')
    assert np.array_equal(mono.heatmap, predictor.predict(np.dstack([grey] * 3)).heatmap)


def test_read_only_and_padded_views_are_taken(predictor, image):
    predictor.set_command('cut')
    expected = predictor.predict(image).heatmap
    wide = np.zeros((120, 200, 3), np.uint8)
    wide[:, :160] = image
    view = wide[:, :160]
    view.flags.writeable = False
    assert np.array_equal(predictor.predict(view).heatmap, expected)


@pytest.mark.parametrize('size', [(1, 1), (7, 500), (480, 640), (641, 3)])
def test_any_image_size_gives_a_heatmap_of_that_size(predictor, size):
    predictor.set_command('cut')
    result = predictor.predict(np.zeros((*size, 3), np.uint8))
    assert result.heatmap.shape == size
    assert result.heatmap.min() >= 0.0 and result.heatmap.max() <= 1.0


def test_targets_are_peaks_of_the_returned_heatmap(predictor, image):
    predictor.configure(PredictorConfig(min_score=0.0, max_targets=3, min_distance_px=5))
    predictor.set_command('cut')
    result = predictor.predict(image)
    assert 1 <= len(result.targets) <= 3
    best, box = result.targets[0], result.activation.box
    assert best.score == pytest.approx(result.heatmap.max(), abs=0.05)
    cell = 8 * box.source[1] / box.inner[1]
    rows, columns = (slice(max(round(p - cell), 0), round(p + cell) + 1) for p in (best.y, best.x))
    # Refined between cells, one of two nearly equal hills may pass the one with the highest cell.
    assert result.heatmap[rows, columns].max() == pytest.approx(result.heatmap.max(), abs=0.01)
    nothing = PredictorConfig(min_score=1.0)
    predictor.configure(nothing)
    assert predictor.predict(image).targets == ()


def test_a_prompt_set_change_is_heard_at_once(predictor, image):
    predictor.set_command('cut')
    verb = predictor.predict(image).heatmap
    predictor.configure(dataclasses.replace(predictor.config, prompt_set='ensemble'))
    ensemble = predictor.predict(image).heatmap
    assert np.abs(verb - ensemble).max() > 1e-3
    with pytest.raises(PromptSetError):
        predictor.configure(dataclasses.replace(predictor.config, prompt_set='none'))
    assert predictor.config.prompt_set == 'ensemble'
    assert np.array_equal(predictor.predict(image).heatmap, ensemble)


def test_a_refused_command_leaves_the_one_before(predictor, image):
    predictor.set_command('cut')
    before = predictor.predict(image)
    for text in ('', 'a ' * 60, 'x\x00'):
        with pytest.raises(CommandError):
            predictor.set_command(text)
    after = predictor.predict(image)
    assert after.command == 'cut'
    assert np.array_equal(before.heatmap, after.heatmap)


def test_warming_up_leaves_no_command_behind(predictor, image):
    predictor.warm_up()
    with pytest.raises(RuntimeError, match='call set_command'):
        predictor.predict(image)
    predictor.set_command('cut')
    predictor.warm_up()
    assert predictor.predict(image).command == 'cut'


def test_predict_wants_exactly_one_command(predictor, image):
    predictor.set_commands(['cut', 'hold'])
    with pytest.raises(RuntimeError, match='2 commands are set: call set_command'):
        predictor.predict(image)


@pytest.mark.parametrize(
    ('array', 'channels', 'message'),
    [
        (np.zeros((4, 4, 3)), 'rgb', r'float64 \(4, 4, 3\); expected uint8 \(H, W, 3\)'),
        (np.zeros((4, 4), np.uint8), 'rgb', r'expected uint8 \(H, W, 3\)'),
        (np.zeros((4, 4, 4), np.uint8), 'bgr', r'expected uint8 \(H, W, 3\)'),
        (np.zeros((4, 4, 3), np.uint8), 'mono', r'expected uint8 \(H, W\)'),
        (np.zeros((0, 4, 3), np.uint8), 'rgb', 'no pixels'),
        (np.zeros((4, 4, 3), np.uint8), 'hsv', "'hsv' is unknown; known are rgb, bgr, mono"),
    ],
)
def test_what_is_no_image_is_refused(predictor, array, channels, message):
    predictor.set_command('cut')
    with pytest.raises(ValueError, match=message):
        predictor.predict(array, channels=channels)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'input_size': 100}, 'multiple of 32'),
        ({'input_shape': 'round'}, "'round' is unknown"),
        ({'min_score': 1.5}, r'min_score 1.5 must lie in \[0, 1\]'),
        ({'min_distance_px': -1.0}, 'must not be negative'),
        ({'max_targets': 0}, 'at least 1'),
    ],
)
def test_values_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        PredictorConfig(**changes)


def test_the_letterbox_border_is_clips_mean():
    """A square input of a wide image has zeros above and below: the mean, once normalised."""
    assert CLIP_NORMALIZATION.mean == open_clip.OPENAI_DATASET_MEAN
    assert CLIP_NORMALIZATION.std == open_clip.OPENAI_DATASET_STD
    image = np.full((10, 40, 3), 255, np.uint8)
    box = Letterbox.fit((10, 40), size=64, shape='square')
    pixels = prepare(image, box, channels='rgb', normalization=CLIP_NORMALIZATION)
    assert pixels.shape == (1, 3, 64, 64)
    assert np.count_nonzero(pixels[:, :, : box.top]) == 0
    assert np.count_nonzero(pixels[:, :, box.top + box.inner[0] :]) == 0
    assert (pixels[:, :, box.top : box.top + box.inner[0]] > 1).all()


def test_timings_tell_where_the_time_went(predictor, image):
    predictor.set_commands(['cut', 'hold'])
    predictor.predict_all(image)

    def slow_down(*_):
        threading.Event().wait(0.3)

    hook = predictor.model.register_forward_hook(slow_down)
    begin = time.perf_counter()
    predictor.predict_all(image)
    elapsed = time.perf_counter() - begin
    hook.remove()
    timings = dataclasses.asdict(predictor.timings)
    assert min(timings.values()) > 0
    assert timings['model_s'] > 0.3 > timings['preprocess_s'] + timings['postprocess_s']
    assert 0.9 * elapsed < sum(timings.values()) <= elapsed


def test_a_command_is_tokenised_only_when_it_is_new(predictor, photos, monkeypatch):
    image, read = next(iter(photos.values())), []
    check_length = predictor.model.text.check_length
    monkeypatch.setattr(
        predictor.model.text, 'check_length', lambda text: (read.append(text), check_length(text))
    )

    def answer():  # as the node, which sets the commands of each frame and each request
        predictor.set_command('cut')
        predictor.predict(image)
        predictor.set_commands(['hold the mug', 'pour'])
        return predictor.predict_all(image)

    first = answer()
    assert {'cut', 'hold the mug', 'pour'} == set(read)
    read.clear()
    again = answer()
    assert read == []
    assert np.array_equal(again[0].heatmap, first[0].heatmap)
    # Another prompt set reads them anew.
    predictor.configure(replace(predictor.config, prompt_set='ensemble'))
    assert read
    assert not np.array_equal(answer()[0].heatmap, first[0].heatmap)
