# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""CLIPSeg against transformers' own forward, on random weights."""

import gzip
from pathlib import Path

import cv2
import numpy as np
import open_clip
import pytest
import torch
from transformers import CLIPSegProcessor
from transformers import CLIPTokenizer
from transformers import ViTImageProcessor

from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.fused_network import FusedNetwork
from affordance_ros.backends.openvino_backend import processor_has_bf16
from affordance_ros.backends.select import choose_backend
from affordance_ros.backends.torch_backend import TorchBackend
from affordance_ros.model.clipseg.trunk import ClipSeg
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.grounding import load_model
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.predictor import Predictor
from affordance_ros.text.tokenizer import Tokenizer
from tests.support.small_clipseg import NAME
from tests.support.small_clipseg import small_clipseg
from tests.support.small_clipseg import write_clipseg

TEXTS = ['cut', 'hold the mug', "the cup's handle, red (2nd)", 'drink with', 'ÉCRIRE avec', '切る']
VOCABULARY = Path(open_clip.__file__).with_name('bpe_simple_vocab_16e6.txt.gz')


def model_of(network):
    trunk = ClipSeg(network, name=NAME, weights='random', untrained=True)
    return GroundingModel(trunk, trunk.own_decoder).eval()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_clipseg(tmp_path_factory.mktemp('clipseg'))


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    """Return a folder in which a network that was written once stays."""
    return str(tmp_path_factory.mktemp('compiled'))


@pytest.fixture(scope='module')
def tokenizer():
    """Return transformers' tokenizer with CLIP's vocabulary, which open_clip ships."""
    lines = gzip.decompress(VOCABULARY.read_bytes()).decode().split('\n')
    merges = [tuple(line.split()) for line in lines[1 : 49152 - 256 - 2 + 1]]
    theirs = open_clip.SimpleTokenizer()
    names = {'<start_of_text>': '<|startoftext|>', '<end_of_text>': '<|endoftext|>'}
    vocabulary = {names.get(token, token): number for token, number in theirs.encoder.items()}
    return CLIPTokenizer(vocab=vocabulary, merges=merges)


@pytest.mark.parametrize('side', [224, 352, 448])
@pytest.mark.parametrize('refined', [False, True])
@pytest.mark.parametrize('conditional_layer', [0, 2])
def test_logits_are_those_of_transformers(refined, conditional_layer, side):
    """In float64, where nothing but the arithmetic is left to differ."""
    network = small_clipseg(refined=refined, conditional_layer=conditional_layer).double()
    model = model_of(network)
    image = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1)).double()
    tokens = model.text._tokenizer(TEXTS[:2])
    with torch.no_grad():
        expected = network(input_ids=tokens, pixel_values=image).logits
        found = model(image, model.text.encode(TEXTS[:2]).clone())
    assert found.shape == (2, 2, side, side)
    ours = torch.stack([found[0, 0], found[1, 1]])
    assert expected.std() > 0.1
    assert (ours - expected).abs().max() <= 1e-10 * expected.abs().max()


def test_an_image_that_is_not_square_goes_the_same_way():
    """By transformers' layers, whose last reshaping alone is for squares."""
    network = small_clipseg().double()
    model = model_of(network)
    image = torch.randn(1, 3, 160, 352, generator=torch.Generator().manual_seed(1)).double()
    text = model.text.encode(['hold the mug']).clone()
    with torch.no_grad():
        states = network.clip.vision_model(image, output_hidden_states=True).hidden_states
        decoder, tokens = network.decoder, None
        for reduce, layer, index in zip(decoder.reduces, decoder.layers, (4, 2, 1), strict=True):
            reduced = reduce(states[index + 1])
            if tokens is None:
                tokens = decoder.film_mul(text) * reduced + decoder.film_add(text)
            else:
                tokens = tokens + reduced
            tokens = layer(tokens, attention_mask=None)
        grid = tokens[0, 1:].T.reshape(1, -1, 10, 22)
        expected = decoder.transposed_convolution(grid)
        found = model(image, text)
    assert found.shape == (1, 1, 160, 352)
    assert (found - expected).abs().max() <= 1e-10 * expected.abs().max()


def test_predict_equals_transformers_pipeline_on_a_square_photo(folder, tokenizer, photos):
    photo = cv2.resize(next(iter(photos.values())), (352, 352))
    images = ViTImageProcessor(
        size={'height': 352, 'width': 352},
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    )
    inputs = CLIPSegProcessor(images, tokenizer)(
        text=TEXTS[:2], images=[photo[..., ::-1].copy()] * 2, padding=True, return_tensors='pt'
    )
    with torch.no_grad():
        expected = small_clipseg()(**inputs).logits.sigmoid().numpy()
    predictor = Predictor.load(ModelConfig(NAME, folder, device='cpu'))
    assert predictor.input_size == 352
    predictor.set_commands(TEXTS[:2])
    for grounding, heat in zip(
        predictor.predict_all(photo, channels='bgr'), expected, strict=True
    ):
        assert np.ptp(heat) > 0.3
        assert np.abs(grounding.heatmap - heat).max() <= 1e-5


def test_tokens_are_those_of_transformers(tokenizer):
    ours = Tokenizer(VOCABULARY)
    for text in TEXTS:
        expected = tokenizer(text)['input_ids']
        assert [ours.start, *ours.encode(text), ours.end] == expected
        assert open_clip.SimpleTokenizer()(text)[0, : len(expected)].tolist() == expected


def test_text_vectors_keep_their_length_and_prompts_are_averaged(folder):
    text = load_model(ModelConfig(NAME, folder, device='cpu')).text
    vectors = text.encode(TEXTS[:3])
    assert not torch.allclose(vectors.norm(dim=-1), torch.ones(3), atol=1e-2)
    assert torch.equal(text.encode_ensemble(TEXTS[:3]), vectors.mean(dim=0))
    assert torch.equal(text.encode_ensemble(TEXTS[:1]), vectors[0])


def test_several_commands_and_images_at_once_answer_as_one_by_one(folder):
    model = load_model(ModelConfig(NAME, folder, device='cpu'))
    pixels = torch.randn(2, 3, 96, 128, generator=torch.Generator().manual_seed(2))
    text = model.text.encode(TEXTS[:3]).clone()
    with torch.inference_mode():
        together = model(pixels, text)
        own = model(pixels, torch.stack([text, text.flip(0)]))
        alone = [[model(p[None], t[None])[0, 0] for t in text] for p in pixels]
    expected = torch.stack([torch.stack(row) for row in alone])
    torch.testing.assert_close(together, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(own[0], expected[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(own[1], expected[1].flip(0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('name', ['openvino', 'onnxruntime'])
def test_other_backends_answer_as_torch_for_any_size_and_number_of_commands(
    folder, name, cache, rng
):
    model = load_model(ModelConfig(NAME, folder, device='cpu'))
    config = BackendConfig(name, cache_dir=cache, num_threads=1)
    backend = choose_backend(model, config, (96, 128)).backend
    assert 'f32' in backend.description
    for canvas, k in (((96, 128), 3), ((224, 224), 1)):
        pixels = rng.standard_normal((2, *canvas, 3), np.float32).transpose(0, 3, 1, 2)
        text = np.stack([model.text.vector([one]) for one in TEXTS[:k]])
        expected = TorchBackend(model).run(pixels, text)
        assert np.ptp(expected) > 0.5
        assert np.abs(backend.run(pixels, text) - expected).max() <= 1e-3


@pytest.mark.skipif(not processor_has_bf16(), reason='the processor lacks bfloat16')
def test_openvino_runs_its_blocks_in_bfloat16_if_asked_to(folder, cache):
    """`choose_backend` holds the heat against torch's."""
    model = load_model(ModelConfig(NAME, folder, device='cpu'))
    config = BackendConfig('openvino', 'bf16', cache_dir=cache, num_threads=1)
    assert 'bf16' in choose_backend(model, config, (96, 128)).backend.description


def test_the_copies_for_inference_answer_as_the_model(folder):
    model = load_model(ModelConfig(NAME, folder, device='cpu'))
    pixels = torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        text = model.text.encode(TEXTS[:2])
        expected = model(pixels, text)
        fused = FusedNetwork(model, torch.float32)(pixels, text)
        half = FusedNetwork(model, torch.bfloat16)(pixels, text)
    torch.testing.assert_close(fused, expected, rtol=1e-4, atol=1e-4)
    assert 0 < (half - expected).abs().max() < 0.5


def test_nothing_of_it_trains_and_an_fpn_has_nothing_to_read(folder):
    model = load_model(ModelConfig(NAME, folder, device='cpu')).train()
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert model.describe()['decoder'] == "CLIPSeg's decoder"
    with pytest.raises(ValueError, match='clipseg-rd64 has no feature maps for an FPN'):
        untrained_decoder(model.trunk)
    with pytest.raises(ValueError, match=r"no training-free head 'naclip'; it has none"):
        load_model(ModelConfig(NAME, folder, device='cpu', head='naclip'))


def test_the_hash_sees_clip_and_decoder(folder):
    first, second = (load_model(ModelConfig(NAME, folder, device='cpu')).trunk for _ in range(2))
    assert first.sha256 == second.sha256
    with torch.no_grad():
        second.decoder.decoder.film_mul.bias += 1
    second._sha256 = ''
    assert first.sha256 != second.sha256
