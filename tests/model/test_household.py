# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The `household` family, on small towers with random weights."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from affordance_ros.model.checkpoint import load_checkpoint
from affordance_ros.model.checkpoint import save_checkpoint
from affordance_ros.model.errors import CheckpointError
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.families import load_trunk
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.model.heads import ClassPrior
from affordance_ros.model.heads import HeadConfig
from affordance_ros.model.household.classes import CLASSES
from affordance_ros.model.household.classes import class_phrase
from affordance_ros.model.household.classes import class_weights
from affordance_ros.model.household.numpy_sentences import NumpySentenceEncoder
from affordance_ros.model.household.quantized import QuantizedRows
from affordance_ros.model.household.shape import SMALL
from affordance_ros.model.household.tower_file import TOKENIZER_FILE
from affordance_ros.model.household.tower_file import TRUNK_FILE
from affordance_ros.model.household.tower_file import TowerWeights
from affordance_ros.model.household.word_pieces import WordPieces
from affordance_ros.model.neck import NeckConfig
from affordance_ros.text.commands import CommandError
from tests.support.household_folder import write_towers

PROMPTS = ('cut', 'hold the mug', 'the handle of the red pan on the left', 'café')
NAME = 'household-small'


@pytest.fixture(scope='module')
def trunk():
    return load_trunk(NAME, 'random')


@pytest.fixture
def image():
    return torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope='module')
def folder(trunk, tmp_path_factory):
    return write_towers(trunk, tmp_path_factory.mktemp('household'))


def test_every_output_has_the_channels_and_the_stride_that_the_trunk_tells(trunk, image):
    features = trunk(image, tuple(trunk.channels))
    assert [stage.stride for stage in trunk.stages] == [32, 16, 8, 4]
    for stage in trunk.stages:
        size = (64 // stage.stride, 96 // stage.stride)
        assert features[stage.name].shape == (2, stage.channels, *size)
    assert features['global'].shape == (2, trunk.channels['global'])
    assert features['classes'].shape == (2, 80, 8, 12)
    torch.testing.assert_close(features['global'], features['stride32'].flatten(2).mean(-1))
    assert features['classes'].min() >= 0 and features['classes'].max() <= 1


def test_a_class_map_is_the_most_probable_of_three_levels(trunk, image):
    stages = trunk(image, ('stride8', 'stride16', 'stride32'))
    levels = []
    for name, features in stages.items():
        scores = trunk.image.scores[name]
        kernel, bias = scores.weight[:80, :, 0, 0], scores.bias[:80]
        logits = torch.einsum('mc,nchw->nmhw', kernel, features[:, -SMALL.pyramid :])
        levels.append(F.interpolate(logits + bias[:, None, None], (8, 12), mode='bilinear'))
    expected = torch.stack(levels).amax(0).sigmoid()
    found = trunk(image, ('classes',))['classes']
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_sizes_and_outputs_that_are_not_there_are_refused(trunk):
    with pytest.raises(ValueError, match='multiples of 32'):
        trunk(torch.zeros(1, 3, 64, 100), ('stride8',))
    with pytest.raises(ValueError, match='no output dense; known are stride32'):
        trunk(torch.zeros(1, 3, 64, 96), ('dense',))


def test_numpy_encodes_as_torch_does(trunk, folder):
    stored = TowerWeights.read(folder / TRUNK_FILE)
    loaded = load_trunk(NAME, str(folder))
    encoder = NumpySentenceEncoder(stored.text, stored.shape)
    pieces = WordPieces(folder / TOKENIZER_FILE, max_tokens=SMALL.max_tokens)
    expected = loaded.text.encode(PROMPTS).numpy()
    for prompt, vector in zip(PROMPTS, expected, strict=True):
        sentence = encoder.encode(pieces.encode(prompt))
        np.testing.assert_allclose(sentence, vector[: loaded.cosine_dim], atol=1e-5)
        weights = class_weights(sentence, stored.class_vectors)
        np.testing.assert_allclose(weights, vector[loaded.cosine_dim :], atol=1e-4)


def test_padding_does_not_change_a_sentence(trunk):
    alone = torch.cat([trunk.text.encode_batch([prompt]) for prompt in PROMPTS])
    torch.testing.assert_close(trunk.text.encode_batch(PROMPTS), alone, rtol=1e-4, atol=1e-6)


def test_class_weights_are_relu_times_a_soft_choice():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((80, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    sentence = vectors[3]
    cosines = [float(sum(a * b for a, b in zip(v, sentence, strict=True))) for v in vectors]
    expected = [max(c, 0.0) * float(np.exp(12 * (c - max(cosines)))) for c in cosines]
    np.testing.assert_allclose(class_weights(sentence, vectors), expected, atol=1e-6)


def test_an_ensemble_weighs_the_classes_anew(trunk):
    vectors = trunk.text.encode(['cut', 'hold the mug'])
    sentence = F.normalize(vectors[:, : trunk.cosine_dim].mean(0), dim=0)
    found = trunk.text.vector(['cut', 'hold the mug'])
    np.testing.assert_allclose(found[: trunk.cosine_dim], sentence, atol=1e-6)
    expected = class_weights(sentence.numpy(), trunk.class_vectors.detach().numpy())
    np.testing.assert_allclose(found[trunk.cosine_dim :], expected, atol=1e-5)


def test_class_vectors_are_those_of_the_classes_phrases(trunk):
    vectors = trunk.text.encode([class_phrase(name) for name in CLASSES])
    found = trunk.class_vectors
    torch.testing.assert_close(vectors[:, : trunk.cosine_dim], found, rtol=0, atol=1e-3)


@pytest.mark.parametrize('prompt', ['cut [SEP] hold', '[MASK]', 'mug [PAD]'])
def test_marks_of_the_encoder_are_refused(trunk, prompt):
    with pytest.raises(CommandError, match='by which the text encoder marks'):
        trunk.text.encode([prompt])


def test_a_prompt_that_would_be_cut_off_is_refused_and_training_cuts_it(trunk):
    fits, too_long = 'mug ' * 62, 'mug ' * 63
    assert torch.isfinite(trunk.text.encode([fits])).all()
    with pytest.raises(CommandError, match=r'63 tokens, and the text encoder reads 62'):
        trunk.text.encode([too_long])
    torch.testing.assert_close(trunk.text.run([too_long]), trunk.text.run([fits]))


def test_text_weights_survive_eight_bits(trunk, folder):
    loaded = load_trunk(NAME, str(folder))
    before, after = trunk.text.encode(PROMPTS), loaded.text.encode(PROMPTS)
    dim = trunk.cosine_dim
    assert F.cosine_similarity(before[:, :dim], after[:, :dim]).min() > 0.999


def test_quantized_rows_are_within_half_a_step():
    matrix = np.random.default_rng(0).standard_normal((5, 40)).astype(np.float32)
    matrix[2] = 0
    rounded = QuantizedRows.of(matrix)
    steps = np.abs(matrix).max(axis=1, keepdims=True) / 127
    assert (np.abs(rounded.dequantize() - matrix) <= steps / 2 + 1e-7).all()
    numbers = np.asarray([4, 1])
    np.testing.assert_array_equal(rounded.dequantize(numbers), rounded.dequantize()[numbers])


@pytest.mark.parametrize('damage', ['cut off', 'another file', 'missing', 'another size'])
def test_weights_that_do_not_fit_are_refused(folder, tmp_path, damage):
    name = 'household' if damage == 'another size' else NAME
    (tmp_path / TOKENIZER_FILE).write_bytes((folder / TOKENIZER_FILE).read_bytes())
    data = (folder / TRUNK_FILE).read_bytes()
    if damage == 'cut off':
        data = data[:-10]
    elif damage == 'another file':
        data = b'no safetensors'
    if damage != 'missing':
        (tmp_path / TRUNK_FILE).write_bytes(data)
    with pytest.raises(WeightsError, match=r'trunk\.safetensors'):
        load_trunk(name, str(tmp_path))


def test_a_seed_gives_the_same_weights(trunk):
    assert load_trunk(NAME, 'random').sha256 == trunk.sha256
    assert load_trunk(NAME, 'random', seed=1).sha256 != trunk.sha256


def test_the_class_prior_lifts_logits_where_the_commands_classes_are(trunk, image):
    decoder = untrained_decoder(trunk, head=HeadConfig(prior_weight=0.6, prior_eps=0.01))
    features = trunk(image, decoder.inputs)
    text = trunk.text.encode(PROMPTS)
    found = decoder(features, text)
    decoder.prior = None
    plain = decoder(features, text)
    heat = torch.einsum('km,nmhw->nkhw', text[:, trunk.cosine_dim :], features['classes'])
    heat = F.interpolate(heat, plain.shape[-2:], mode='bilinear')
    torch.testing.assert_close(found, plain + 0.6 * torch.log(0.01 + heat))


def test_a_wide_prior_averages_its_neighbourhood_without_the_border():
    rng = np.random.default_rng(0)
    classes = rng.random((1, 2, 5, 6), np.float32)
    weights = np.float32([[0.25, 0.75]])
    prior = ClassPrior(HeadConfig(prior_weight=0.5, prior_eps=0.01, prior_window=3))
    found = prior(torch.from_numpy(classes), torch.from_numpy(weights), (5, 6))[0, 0]
    heat = 0.25 * classes[0, 0] + 0.75 * classes[0, 1]
    for y in range(5):
        for x in range(6):
            mean = heat[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].mean()
            assert float(found[y, x]) == pytest.approx(0.5 * np.log(0.01 + mean), rel=1e-4)


def test_the_prior_is_trained_unless_it_is_fixed(trunk, image):
    for learned in (True, False):
        head = HeadConfig(prior_weight=0.6, prior_learned=learned)
        decoder = untrained_decoder(trunk, head=head)
        features = trunk(image, decoder.inputs)
        decoder(features, trunk.text.encode(['cut'])).sum().backward()
        assert (decoder.prior.weight.grad is not None) == learned


def test_a_checkpoint_keeps_neck_and_head(trunk, image, tmp_path):
    neck = NeckConfig(
        channels=32, scales=('stride32', 'stride8', 'stride4'), smooth=True, norm='group', refine=2
    )
    decoder = untrained_decoder(trunk, neck, HeadConfig(prior_weight=0.4))
    path = tmp_path / 'fpn.safetensors'
    save_checkpoint(path, decoder, trunk=trunk, prompt_set='verb@1', input_size=320, training={})
    loaded, summary = load_checkpoint(path, trunk)
    assert (summary.neck, summary.head) == (neck, decoder.head)
    text = trunk.text.encode(PROMPTS)
    logits = [GroundingModel(trunk, d).eval()(image, text) for d in (decoder, loaded)]
    assert torch.equal(*logits)
    assert logits[0].shape == (2, len(PROMPTS), 16, 24)
    with pytest.raises(CheckpointError, match='set model to household-small'):
        load_checkpoint(path, load_trunk('compact', 'random'))


def test_scales_go_from_coarse_to_fine_and_are_the_trunks(trunk):
    with pytest.raises(ValueError, match='some of global, stride32, stride16, stride8, stride4'):
        untrained_decoder(trunk, NeckConfig(scales=('stride8', 'stride32')))
    with pytest.raises(ValueError, match='some of global, stride32, stride16, stride8 of'):
        untrained_decoder(load_trunk('compact', 'random'), NeckConfig(scales=('stride4',)))
    with pytest.raises(ValueError, match='the trunk has no class maps'):
        untrained_decoder(load_trunk('compact', 'random'), head=HeadConfig(prior_weight=0.5))
