# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import torch
import torch.nn.functional as F

from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.model.heads import CANONICAL_PHRASES
from affordance_ros.model.heads import DenseDecoder


def test_dense_logit_is_the_log_odds_of_lerfs_relevancy(model, pixels):
    text = model.text.encode(['cut', 'hold the mug'])
    logits = model(pixels, text)
    dense = F.normalize(model.trunk(pixels, ('dense',))['dense'], dim=1)
    phrases = model.text.encode(CANONICAL_PHRASES)
    tau = model.trunk.logit_scale
    command = torch.exp(tau * torch.einsum('nchw,kc->nkhw', dense, text).double())
    phrase = torch.exp(tau * torch.einsum('nchw,jc->njhw', dense, phrases).double())
    relevancy = torch.stack(
        [command / (command + phrase[:, j : j + 1]) for j in range(len(phrases))]
    ).amin(dim=0)
    torch.testing.assert_close(logits.double().sigmoid(), relevancy, rtol=1e-4, atol=1e-5)


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
    decoder = DenseDecoder(F.normalize(torch.randn(4, 8), dim=1), logit_scale=10.0)
    assert decoder.double().canonical.dtype == torch.float64
    assert not list(decoder.parameters())
