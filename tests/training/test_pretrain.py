# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Promises of contrastive pretraining."""

import json

import cv2
import numpy as np
import open_clip
import pytest
import torch
import torch.nn.functional as F

from affordance_ros.model.families import load_trunk
from training.caption_batches import CaptionBatches
from training.captions import CaptionListError
from training.captions import PixelStore
from training.captions import read_captions
from training.contrast import build_compact
from training.contrast import contrastive_loss
from training.contrast import encode_captions
from training.contrast import encode_pictures
from training.contrast import match_captions
from training.journal import read_journal
from training.pretrain_config import PretrainConfig
from training.pretrain_config import StageConfig
from training.pretrain_run import PretrainRun
from training.run_state import ResumeError
from training.yaml_config import ConfigError
from training.yaml_config import from_mapping

COLOURS = {'red': (220, 30, 30), 'green': (30, 200, 30), 'blue': (40, 60, 220)}
STAGE = StageConfig(crop_size=32, scene_size=64, crop_batch=6, scene_batch=4)


def _write_list(folder, count=12):
    (folder / 'images').mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    lines = []
    for number in range(count):
        name, colour = f'images/{number:03d}.png', list(COLOURS)[number % 3]
        picture = rng.integers(100, 120, (64, 80, 3)).astype(np.uint8)
        picture[20:44, 30:54] = COLOURS[colour]
        cv2.imwrite(str(folder / name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        texts = [f'a {colour} box', f'something {colour}']
        lines.append({'image': name, 'box': None, 'captions': [f'{colour} on grey']})
        lines.append({'image': name, 'box': [30, 20, 24, 24], 'captions': texts, 'kind': 'object'})
    path = folder / 'captions_train.jsonl'
    path.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    return path


def _config(folder, **changes):
    stage = {'crop_size': 32, 'scene_size': 64, 'crop_batch': 6, 'scene_batch': 4}
    return from_mapping(
        PretrainConfig,
        {
            'captions': str(folder / 'captions_train.jsonl'),
            'out': str(folder / 'run'),
            'steps': 6,
            'stages': [stage],
            'scene_every': 3,
            'warmup_steps': 2,
            'device': 'cpu',
            'bf16': False,
            'threads': 1,
            **changes,
        },
    )


def _losses(folder):
    records = read_journal(folder / 'metrics.jsonl')
    return [(r['step'], r.get('crop_loss'), r.get('scene_loss')) for r in records]


def _batches(folder, **changes):
    path = _write_list(folder)
    captions = read_captions(path)
    store = PixelStore(captions.images, folder / 'pixels')
    return CaptionBatches(captions, store, _config(folder), **changes)


def test_the_loss_is_clips_where_all_captions_differ():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 5, generator=generator)
    labels = torch.arange(5)
    expected = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
    found = contrastive_loss(logits, torch.eye(5, dtype=torch.bool))
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)


def test_all_true_captions_are_positives_and_perfect_is_zero():
    known = [{'mug', 'a mug'}, {'pan'}, {'mug', 'red'}]
    distinct, positives = match_captions(['mug', 'pan', 'mug', 'red'], known)
    assert distinct == ['mug', 'pan', 'red']
    assert positives.tolist() == [[True, False, False], [False, True, False], [True, False, True]]
    even = torch.tensor([[True, False], [False, True], [True, False]])
    assert contrastive_loss(1000.0 * even, even).item() == pytest.approx(0, abs=1e-5)
    logits = torch.randn(3, 3, generator=torch.Generator().manual_seed(1))
    table, rows = positives.numpy(), logits.double().log_softmax(1).numpy()
    columns = logits.double().log_softmax(0).numpy()
    total = 0.0
    for k in range(3):
        total += -rows[k, table[k]].mean() - np.log(table[k].sum())
        total += -columns[table[:, k], k].mean() - np.log(table[:, k].sum())
    assert contrastive_loss(logits, positives).item() == pytest.approx(total / 6, rel=1e-5)


def test_captions_read_to_the_longest_end_have_the_whole_contexts_vectors():
    clip = build_compact(0).eval()
    tokenize = open_clip.SimpleTokenizer(context_length=clip.context_length)
    tokens = tokenize(['mug', 'to pour, use the spout of the blue jug', 'a handle'])
    assert torch.allclose(encode_captions(clip, tokens), clip.encode_text(tokens), atol=1e-5)


@pytest.mark.parametrize('size', [64, 96, 224])
def test_the_image_vector_equals_the_frozen_trunks(tmp_path, size):
    trunk = load_trunk('compact', 'random')
    pixels = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    found = encode_pictures(trunk.clip, pixels)
    assert torch.allclose(found, trunk(pixels, ('global',))['global'], atol=1e-4)


def test_the_positional_embedding_learns_at_every_size():
    clip = build_compact(0)
    encode_pictures(clip, torch.randn(2, 3, 64, 64)).sum().backward()
    assert clip.visual.attnpool.positional_embedding.grad.abs().sum() > 0


def test_crops_hold_their_box_and_captions_are_of_it(tmp_path):
    batches = _batches(tmp_path, augmented=False)
    batch = batches.draw(0, STAGE)
    assert not batch.scenes
    assert batch.pixels.shape == (6, 3, 32, 32)
    for pixels, caption in zip(batch.pixels, batch.captions, strict=True):
        centre = pixels[:, 16, 16]
        colour = next(c for c in COLOURS if c in caption)
        assert int(centre.argmax()) == list(COLOURS).index(colour)


def test_titled_crops_are_drawn_with_their_first_caption(tmp_path):
    path = _write_list(tmp_path)
    captions = read_captions(path)
    store = PixelStore(captions.images, tmp_path / 'pixels')
    firsts = {entry.captions[0] for entry in captions.entries if entry.box is not None}
    drawn = {}
    for titled in (0.0, 1.0):
        batches = CaptionBatches(captions, store, _config(tmp_path, titled=titled, scene_every=99))
        drawn[titled] = {text for step in range(8) for text in batches.draw(step, STAGE).captions}
    assert drawn[1.0] == firsts
    assert drawn[0.0] > firsts


def test_every_so_manyth_batch_is_of_whole_images(tmp_path):
    batches = _batches(tmp_path)
    kinds = [batches.draw(step, STAGE).scenes for step in range(6)]
    assert kinds == [False, False, True, False, False, True]
    assert batches.draw(2, STAGE).pixels.shape == (4, 3, 64, 64)


def test_batches_depend_on_seed_and_step_alone(tmp_path):
    batches = _batches(tmp_path)
    first = batches.draw(4, STAGE)
    batches.draw(1, STAGE)
    again = batches.draw(4, STAGE)
    assert first.captions == again.captions
    assert torch.equal(first.pixels, again.pixels)


def test_the_pixel_store_is_the_decoded_images(tmp_path):
    captions = read_captions(_write_list(tmp_path))
    for _ in range(2):  # made, then found again
        store = PixelStore(captions.images, tmp_path / 'pixels')
        for number, file in enumerate(captions.images):
            expected = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
            assert np.array_equal(store[number], expected)


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('{"image": "a.png"', 'line 1 is not JSON'),
        ('{"image": "a.png", "captions": []}', "line 1: expected an object with 'image'"),
        ('{"image": "a.png", "captions": ["x"], "box": [1, 2, 0, 4]}', "line 1: 'box' is"),
        ('{"image": "a.png", "captions": ["x"]}', r'1 of 1 images are missing'),
        ('', 'is empty'),
    ],
)
def test_a_wrong_list_says_what_is_wrong(tmp_path, line, message):
    path = tmp_path / 'list.jsonl'
    path.write_text(line + '\n')
    with pytest.raises(CaptionListError, match=message):
        read_captions(path)


def test_stages_must_end_at_one():
    with pytest.raises(ConfigError, match='must rise and end at 1'):
        PretrainConfig(stages=(StageConfig(until=0.5),))


def test_a_resumed_run_has_the_same_losses_to_the_bit(tmp_path):
    _write_list(tmp_path)
    changes = {'captions_each': 2}
    whole = PretrainRun(_config(tmp_path, **changes))
    whole.train()
    to_break = _config(tmp_path, out=str(tmp_path / 'broken'), save_every_s=0.0, **changes)
    broken = PretrainRun(to_break)
    step = broken._step

    def killed(batch):
        if broken.place.step == 4:
            raise KeyboardInterrupt
        return step(batch)

    broken._step = killed
    with pytest.raises(KeyboardInterrupt):
        broken.train()
    with pytest.raises(ResumeError, match='--resume'):
        PretrainRun(to_break)
    resumed = PretrainRun(to_break, resume=True)
    assert resumed.place.step == 4
    resumed.train()
    assert _losses(tmp_path / 'broken') == _losses(tmp_path / 'run')


def test_the_trunk_file_loads_and_finds_colours(tmp_path):
    _write_list(tmp_path)
    config = _config(
        tmp_path, steps=60, learning_rate=2e-3, validation=str(tmp_path / 'captions_train.jsonl'),
        recalibration_size=64,
    )  # fmt: skip
    run = PretrainRun(config)
    run.train()
    assert run.trunk_file.stat().st_size < 25e6
    trunk = load_trunk('compact', str(run.trunk_file))
    text = trunk.text.encode([f'a {colour} box' for colour in COLOURS])
    batch = _batches(tmp_path, augmented=False).draw(0, STAGE)
    pictures = F.normalize(trunk(batch.pixels, ('global',))['global'], dim=-1)
    expected = [next(i for i, c in enumerate(COLOURS) if c in t) for t in batch.captions]
    assert (pictures @ text.T).argmax(1).tolist() == expected


def test_a_run_may_start_from_a_trunk(tmp_path):
    _write_list(tmp_path)
    first = PretrainRun(_config(tmp_path))
    first.train()
    then = PretrainRun(
        _config(tmp_path, initial=str(first.trunk_file), out=str(tmp_path / 'then'))
    )
    weight = first.clip.visual.conv1.weight
    assert torch.equal(then.clip.visual.conv1.weight, weight.half().float())
    assert then.clip.visual.training
    then.train()
    assert not torch.equal(then.clip.visual.conv1.weight, weight)


def test_the_budget_may_be_time(tmp_path):
    _write_list(tmp_path)
    run = PretrainRun(_config(tmp_path, steps=0, minutes=0.02))
    run.train()
    assert 0 < run.place.elapsed_s < 10
    assert run.progress == 1
