# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pytest
import torch
import torch.nn.functional as F

from affordance_ros.model.clip_text import ClipText
from affordance_ros.text.commands import CommandError


def fresh(trunk):
    """Return a text encoder that remembers nothing yet."""
    return ClipText(trunk.clip.context_length, trunk.encode_tokens)


@pytest.fixture
def encoder(trunk):
    return fresh(trunk)


def test_vectors_equal_open_clips_encode_text(trunk, encoder):
    import open_clip

    prompts = ['cut', 'hold the mug', 'something to drink with']
    tokens = open_clip.SimpleTokenizer(context_length=trunk.clip.context_length)(prompts)
    with torch.no_grad():
        expected = F.normalize(trunk.clip.encode_text(tokens), dim=-1)
    torch.testing.assert_close(encoder.encode(prompts), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(encoder.encode_batch(prompts), expected, rtol=1e-5, atol=1e-6)


def test_a_prompts_vector_does_not_depend_on_its_company(trunk):
    alone = fresh(trunk).encode(['cut'])[0]
    assert torch.equal(fresh(trunk).encode(['hold the mug', 'cut', 'pour'])[1], alone)


def test_a_prompt_is_encoded_once(trunk, encoder, monkeypatch):
    encoder.encode(['cut', 'hold'])
    monkeypatch.setattr(trunk.clip, 'encode_text', None)  # a second pass would fail
    assert encoder.encode(['hold', 'cut', 'hold']).shape == (3, trunk.embed_dim)


def test_an_ensemble_is_the_unit_mean_of_its_prompts(encoder):
    vectors = encoder.encode(['cut', 'something to cut'])
    expected = F.normalize(vectors.sum(0), dim=0)
    torch.testing.assert_close(encoder.encode_ensemble(['cut', 'something to cut']), expected)


def test_a_prompt_that_clip_would_cut_off_is_refused(encoder):
    with pytest.raises(CommandError, match=r'40 tokens.*reads 30'):
        encoder.encode(['mug ' * 40])


def test_every_script_encodes(encoder):
    vectors = encoder.encode(['切る', 'держать кружку', '🍌'])
    assert torch.isfinite(vectors).all()


@pytest.mark.parametrize('token', ['<end_of_text>', 'cut <START_OF_TEXT> hold'])
def test_tokens_that_would_end_a_prompt_early_are_refused(encoder, token):
    with pytest.raises(CommandError, match='by which CLIP marks its ends'):
        encoder.encode([token])


def test_words_do_not_pile_up_in_memory(encoder, monkeypatch):
    monkeypatch.setattr('affordance_ros.model.clip_text._CACHED_WORDS', 50)
    for number in range(300):
        encoder.check_length(f'word{"abcdefghij"[number % 10] * (number // 10 + 2)}')
        assert len(encoder._tokenizer.cache) <= 60
    encoder.encode(['cut'])
