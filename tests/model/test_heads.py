# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pytest
import torch
import torch.nn.functional as F

from affordance_ros.model.config import ModelConfig
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.grounding import load_model
from affordance_ros.model.grounding import training_free_decoder
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.model.heads import CANONICAL_PHRASES
from affordance_ros.model.heads import DenseDecoder


def test_dense_logit_is_the_log_odds_of_lerfs_relevancy(model, pixels):
    text = model.text.encode(['cut', 'hold the mug'])
    logits = model(pixels, text)
    dense = F.normalize(model.trunk(pixels, ('maskclip',))['maskclip'], dim=1)
    phrases = model.text.encode(CANONICAL_PHRASES)
    tau = model.trunk.logit_scale
    command = torch.exp(tau * torch.einsum('nchw,kc->nkhw', dense, text).double())
    phrase = torch.exp(tau * torch.einsum('nchw,jc->njhw', dense, phrases).double())
    relevancy = torch.stack(
        [command / (command + phrase[:, j : j + 1]) for j in range(len(phrases))]
    ).amin(dim=0)
    torch.testing.assert_close(logits.double().sigmoid(), relevancy, rtol=1e-4, atol=1e-5)


def test_without_background_the_heat_is_the_cosine(trunk, pixels):
    decoder = training_free_decoder(trunk, background='none')
    text = trunk.text.encode(['cut', 'hold the mug'])
    features = trunk(pixels, decoder.inputs)
    dense = F.normalize(features['maskclip'], dim=1).double()
    cosines = torch.einsum('nchw,kc->nkhw', dense, text.double())
    heat = decoder(features, text).double().sigmoid()
    torch.testing.assert_close(heat, 0.5 + 0.5 * cosines, rtol=1e-5, atol=1e-6)
    ends = torch.tensor([[0.5], [-0.5]]).expand(2, 4)  # cosines of 1 and -1
    same = decoder({'maskclip': torch.ones(1, 4, 1, 1)}, ends)
    assert same.isfinite().all()


def test_a_training_free_head_is_chosen_by_name():
    for head in ('naclip', 'maskclip', 'clearclip', 'sclip'):
        decoder = load_model(ModelConfig('compact-vit', 'random', device='cpu', head=head)).decoder
        assert decoder.inputs == (head,) and decoder.description.startswith(
            f'training-free {head}'
        )
    default = load_model(ModelConfig('compact-vit', 'random', device='cpu', background='none'))
    assert default.decoder.inputs == ('naclip',)
    assert default.decoder_description.startswith('training-free naclip, background none')
    assert load_model(ModelConfig('compact', 'random')).decoder.inputs == ('maskclip',)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'head': 'naclip'}, "compact has no training-free head 'naclip'; it has maskclip"),
        ({'background': 'lerf'}, "background 'lerf' is unknown; known are canonical, none"),
        ({'head': 'maskclip', 'checkpoint': 'x.safetensors'}, 'holds a trained one: give one'),
    ],
)
def test_heads_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        load_model(ModelConfig('compact', 'random', **options))
    with pytest.raises(
        ValueError, match="household has no training-free head 'maskclip'; it has n"
    ):
        load_model(ModelConfig('household', weights='random', head='maskclip'))


def test_fpn_logit_is_scaled_cosine_plus_bias(trunk, pixels):
    decoder = untrained_decoder(trunk)
    model = GroundingModel(trunk, decoder)
    text = model.text.encode(['cut', 'hold']).clone()
    features = F.normalize(decoder.neck(trunk(pixels, decoder.inputs)), dim=1)
    expected = decoder.scale * torch.einsum('nchw,kc->nkhw', features, text) + decoder.bias
    torch.testing.assert_close(model(pixels, text), expected)
    own_text = torch.stack([text, text.flip(0)])  # (N, K, C): each image its own
    torch.testing.assert_close(model(pixels, own_text)[1], expected[1].flip(0))


def test_only_neck_and_head_train_and_nothing_of_clip_changes(trunk, pixels):
    """Train some steps; CLIP's weights and BatchNorm statistics stay the same to the byte."""
    before = {k: v.clone() for k, v in trunk.clip.state_dict().items()}
    model = GroundingModel(trunk, untrained_decoder(trunk)).train()
    own = {k: v.clone() for k, v in model.decoder.state_dict().items()}
    trainable = {n for n, p in model.named_parameters() if p.requires_grad}
    assert trainable == {f'decoder.{name}' for name, _ in model.decoder.named_parameters()}
    text = model.text.encode(['cut']).clone()
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(3):
        loss = F.binary_cross_entropy_with_logits(model(pixels, text), torch.ones(2, 1, 28, 28))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert all(p.grad is None for p in trunk.parameters())
    for name, value in trunk.clip.state_dict().items():
        assert torch.equal(value, before[name]), name
    for name, value in model.decoder.state_dict().items():
        assert not torch.equal(value, own[name]), name


def test_the_head_can_get_below_the_floor_of_a_bare_cosine(trunk, pixels):
    """With neither scale nor bias the loss can't fall under log(1 + 1/e) = 0.313."""
    model = GroundingModel(trunk, untrained_decoder(trunk))
    bright_left = pixels + 2.0 * torch.sign(111.5 - torch.arange(224))
    features = trunk(bright_left, model.decoder.inputs)
    text = model.text.encode(['cut']).clone()
    mask = (torch.arange(28) < 14).float().expand(2, 1, 28, 28)
    optimiser = torch.optim.AdamW(model.decoder.parameters(), lr=1e-3)
    for _ in range(60):
        loss = F.binary_cross_entropy_with_logits(model.decoder(features, text), mask)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.05


def test_canonical_vectors_move_with_the_module():
    decoder = DenseDecoder('maskclip', F.normalize(torch.randn(4, 8), dim=1), logit_scale=10.0)
    assert decoder.double().canonical.dtype == torch.float64
    assert not list(decoder.parameters())
