# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import open_clip
import pytest
import torch
import torch.nn.functional as F

from affordance_ros.model.clip_load import why_not
from affordance_ros.model.families import load_trunk
from affordance_ros.model.known import PES
from affordance_ros.model.known import RESNETS
from affordance_ros.model.known import VITS
from affordance_ros.model.positions import resize_positions


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
        'maskclip': 512,
    }


@pytest.mark.parametrize('size', [(224, 224), (320, 416), (448, 448)])
def test_maskclip_is_the_pools_values_without_positions(any_trunk, size):
    """Written a second time, location by location, in float64."""
    image = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(1))
    features = any_trunk(image, ('stride32', 'maskclip'))
    pool = any_trunk.clip.visual.attnpool
    found, layer4 = features['maskclip'][0], features['stride32'][0].double()
    expected = torch.empty(found.shape, dtype=torch.float64)
    v_proj, c_proj = pool.v_proj.weight.double(), pool.c_proj.weight.double()
    for i in range(layer4.shape[1]):
        for j in range(layer4.shape[2]):
            value = v_proj @ layer4[:, i, j] + pool.v_proj.bias
            expected[:, i, j] = c_proj @ value + pool.c_proj.bias
    assert_equal_to_1e_5(found.double(), expected)


def test_values_with_positions_pooled_by_the_attention_give_back_the_global_vector(any_trunk):
    """Attention weights computed from open_clip's own layers."""
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    features = any_trunk(image, ('stride32', 'global'))
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
        pooled = torch.einsum('hk,hkc->c', attention, per_head) + bias
    torch.testing.assert_close(features['global'][0], pooled.float(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('size', [(224, 224), (320, 320), (96, 256), (480, 640)])
def test_any_multiple_of_32_works_square_or_not(trunk, size):
    features = trunk(torch.randn(1, 3, *size), ('stride8', 'stride32', 'global', 'maskclip'))
    assert features['stride8'].shape[-2:] == (size[0] // 8, size[1] // 8)
    assert features['maskclip'].shape == (1, trunk.embed_dim, size[0] // 32, size[1] // 32)
    assert torch.isfinite(features['global']).all()


def test_a_size_that_is_no_multiple_of_32_is_refused(trunk):
    with pytest.raises(ValueError, match=r'230x224.*multiples of 32'):
        trunk(torch.randn(1, 3, 224, 230), ('stride32',))


@pytest.mark.parametrize('size', [(7, 7), (10, 13), (14, 14), (5, 20), (3, 4)])
def test_positions_are_resized_as_torch_does(size):
    grid = torch.randn(7, 7, 16, generator=torch.Generator().manual_seed(0))
    expected = F.interpolate(grid.permute(2, 0, 1)[None], size, mode='bicubic', antialias=True)[0]
    torch.testing.assert_close(resize_positions(grid, *size), expected, rtol=1e-5, atol=1e-5)


def test_positions_are_interpolated_once_per_size(trunk, monkeypatch):
    made = []
    make = type(trunk)._make_grid
    monkeypatch.setattr(trunk, '_make_grid', lambda *s: made.append(s) or make(trunk, *s))
    for size in ((128, 192), (128, 192), (192, 128), (128, 192)):
        trunk(torch.randn(1, 3, *size), ('global',))
    assert made == [(4, 6), (6, 4)]


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


def test_unknown_models_are_refused_by_name():
    message = "'RN1001' is unknown; known are household, compact, compact-vit, RN50"
    with pytest.raises(ValueError, match=message):
        load_trunk('RN1001', 'random')


def test_the_names_that_are_known_are_open_clips():
    plain = {m for m in open_clip.list_models() if why_not(m) is None}
    assert plain == {*RESNETS, *VITS, *PES}
