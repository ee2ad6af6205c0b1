# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pytest
import torch
import torch.nn.functional as F

from affordance_ros.model.families import load_trunk


@pytest.fixture(scope='module', params=['compact', 'RN101-quickgelu'])
def any_trunk(request):
    return load_trunk(request.param, 'random')


def assert_equal_to_1e_5(value, expected):
    """Compare at the scale of the whole map, as float32 sums round at that scale."""
    assert (value - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_stages_and_global_vector_equal_open_clips_own_path(any_trunk, pixels):
    visual = any_trunk.clip.visual
    features = any_trunk(pixels, ('stride8', 'stride16', 'stride32', 'global'))
    with torch.no_grad():
        x = visual.layer1(visual.stem(pixels))
        layers = {'layer2': 'stride8', 'layer3': 'stride16', 'layer4': 'stride32'}
        for layer, stage in layers.items():
            x = getattr(visual, layer)(x)
            torch.testing.assert_close(features[stage], x, rtol=1e-5, atol=1e-5)
        expected = any_trunk.clip.encode_image(pixels)
    assert_equal_to_1e_5(features['global'], expected)
    assert features['stride8'].shape[-1] == 28
    assert features['stride32'].shape[-1] == 7
    assert features['global'].std() > 1e-3, 'a dead net would make every comparison hold'


def test_channels_are_those_of_the_paper():
    channels = load_trunk('RN101-quickgelu', 'random').channels
    assert channels == {
        'stride8': 512,
        'stride16': 1024,
        'stride32': 2048,
        'global': 512,
        'dense': 512,
    }


def test_dense_features_pooled_by_the_attention_weights_give_back_the_global_vector(any_trunk):
    """Pool the dense head's per-head terms by attention weights computed from open_clip's own."""
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    features = any_trunk(image, ('stride32', 'dense', 'global'))
    pool = any_trunk.clip.visual.attnpool
    with torch.no_grad():
        tokens = features['stride32'].flatten(2)[0].T.double()
        tokens = torch.cat([tokens.mean(0, keepdim=True), tokens]) + pool.positional_embedding
        heads, dim = pool.num_heads, tokens.shape[1] // pool.num_heads
        weight, bias = pool.c_proj.weight.double(), pool.c_proj.bias.double()
        query = (tokens[:1] @ pool.q_proj.weight.double().T + pool.q_proj.bias).view(1, heads, dim)
        key = (tokens @ pool.k_proj.weight.double().T + pool.k_proj.bias).view(-1, heads, dim)
        value = (tokens @ pool.v_proj.weight.double().T + pool.v_proj.bias).view(-1, heads, dim)
        attention = torch.softmax(torch.einsum('qhd,khd->hk', query, key) / dim**0.5, dim=1)
        per_head = torch.einsum('khd,chd->hkc', value, weight.view(-1, heads, dim))
        # Every head's term at every location adds up to the dense feature there ...
        dense = (per_head.sum(0) + bias)[1:].T.float().view_as(features['dense'][0])
        torch.testing.assert_close(features['dense'][0], dense, rtol=1e-4, atol=1e-4)
        # ... and, weighted by that head's attention, to the global vector.
        pooled = torch.einsum('hk,hkc->c', attention, per_head) + bias
    torch.testing.assert_close(features['global'][0], pooled.float(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('size', [(224, 224), (320, 320), (96, 256), (480, 640)])
def test_any_multiple_of_32_works_square_or_not(trunk, size):
    features = trunk(torch.randn(1, 3, *size), ('stride8', 'stride32', 'global', 'dense'))
    assert features['stride8'].shape[-2:] == (size[0] // 8, size[1] // 8)
    assert features['dense'].shape == (1, trunk.embed_dim, size[0] // 32, size[1] // 32)
    assert torch.isfinite(features['global']).all()


def test_a_size_that_is_no_multiple_of_32_is_refused(trunk):
    with pytest.raises(ValueError, match=r'230x224.*multiples of 32'):
        trunk(torch.randn(1, 3, 224, 230), ('stride32',))


def test_positions_are_interpolated_once_per_size(trunk, monkeypatch):
    trunk(torch.randn(1, 3, 128, 160), ('global',))
    calls = []
    interpolate = F.interpolate
    monkeypatch.setattr(F, 'interpolate', lambda *a, **k: calls.append(a) or interpolate(*a, **k))
    trunk(torch.randn(1, 3, 128, 160), ('global',))
    assert not calls
    trunk(torch.randn(1, 3, 160, 128), ('global',))
    assert len(calls) == 1


def test_it_stays_in_eval_mode_and_frozen(trunk):
    trunk.train()
    assert not any(module.training for module in trunk.modules())
    assert not any(parameter.requires_grad for parameter in trunk.parameters())


def test_random_weights_depend_on_the_seed_alone():
    threads = torch.get_num_threads()
    try:
        hashes = []
        for count in (1, 2, 1):
            torch.set_num_threads(count)
            hashes.append(load_trunk('compact', 'random').sha256)
    finally:
        torch.set_num_threads(threads)
    assert len(set(hashes)) == 1
    assert load_trunk('compact', 'random', seed=1).sha256 != hashes[0]


def test_unknown_and_non_resnet_models_are_refused_by_name():
    with pytest.raises(
        ValueError, match="'RN1001' is unknown; known are household, compact, RN50"
    ):
        load_trunk('RN1001', 'random')
    with pytest.raises(ValueError, match="'ViT-B-32' is unknown"):
        load_trunk('ViT-B-32', 'random')
