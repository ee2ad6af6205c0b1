# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""PE-Core trunks against open_clip and timm."""

import numpy as np
import open_clip
import pytest
import timm
import torch
import torch.nn.functional as F

from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.fused_network import FusedNetwork
from affordance_ros.backends.select import choose_backend
from affordance_ros.backends.torch_backend import TorchBackend
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.families import load_trunk
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.grounding import training_free_decoder
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.model.pe_clip import PeClip

NAME = 'PE-Core-T-16-384'
_TEXT = {'context_length': 32, 'vocab_size': 49408, 'width': 64, 'heads': 2, 'layers': 1}


def assert_equal_to_1e_5(value, expected):
    assert value.shape == expected.shape
    assert (value - expected).abs().max() <= 1e-5 * expected.abs().max()


def eva(patch, **more):
    """Return timm's tower in small; `more` may let it take any size."""
    return timm.create_model(
        'vit_pe_core_tiny_patch16_384',
        patch_size=patch, img_size=224, ref_feat_shape=(16, 16), embed_dim=96, depth=3,
        num_heads=3, num_classes=48, **more,
    )  # fmt: skip


@pytest.fixture(scope='module', params=[14, 16])
def small(request):
    """Return a trunk with weights that are far from where training begins."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vision = {
            'image_size': 224, 'timm_model_name': 'vit_pe_core_tiny_patch16_384',
            'timm_model_pretrained': False, 'timm_pool': 'map', 'timm_proj': None,
        }  # fmt: skip
        clip = open_clip.CustomTextCLIP(48, vision, _TEXT)
        clip.visual.trunk = eva(request.param)
        for parameter in clip.visual.trunk.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    return PeClip(clip, name=f'small-{request.param}', weights='random', untrained=True)


def of_any_size(trunk):
    """Return timm's own tower with a trunk's weights, which takes any size."""
    tower = eva(trunk.patch, dynamic_img_size=True).eval()
    tower.load_state_dict(trunk.tower.state_dict())
    return tower


def test_the_global_vector_is_open_clips():
    trunk = load_trunk(NAME, 'random')
    image = torch.randn(1, 3, 384, 384, generator=torch.Generator().manual_seed(1))
    expected = trunk.clip.encode_image(image)
    assert expected.std() > 1e-6, 'timm begins with a head of almost nothing'
    assert_equal_to_1e_5(trunk(image, ('global',))['global'], expected)


@pytest.mark.parametrize('size', [(224, 224), (160, 256), (448, 448)])
def test_global_vector_pyramid_and_dense_map_are_timms_at_any_size(small, size):
    """The dense map is timm's pool over each location alone."""
    tower = of_any_size(small)
    image = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(1))
    grid = [round(side / small.patch) for side in size]
    scaled = [side * small.patch for side in grid]
    found = small(image, ('stride32', 'stride16', 'stride8', 'global', 'maskclip'))
    if scaled != list(size):
        image = F.interpolate(image, scaled, mode='bilinear', align_corners=False)
    with torch.no_grad():
        assert_equal_to_1e_5(found['global'], tower(image))
        tokens = tower.forward_features(image)[0, 1:]  # (hw, C)
        alone = tower.head(tower.attn_pool(tokens[:, None]))  # (hw, 48)
        maps = tower.forward_intermediates(image, intermediates_only=True)
    assert_equal_to_1e_5(found['maskclip'][0].flatten(1).T, alone)
    early, middle, last = (
        F.layer_norm(level.permute(0, 2, 3, 1), [96]).permute(0, 3, 1, 2) for level in maps
    )
    for name, level in (('stride16', middle), ('stride8', early)):
        stride = int(name.removeprefix('stride'))
        shape = [side // stride for side in size]
        assert_equal_to_1e_5(
            found[name], F.interpolate(level, shape, mode='bilinear', align_corners=False)
        )
    shape = [side // 16 for side in size]
    last = F.interpolate(last, shape, mode='bilinear', align_corners=False)
    assert_equal_to_1e_5(found['stride32'], F.avg_pool2d(last, 2))


def test_text_is_open_clips():
    trunk = load_trunk(NAME, 'random')
    tokens = open_clip.get_tokenizer(NAME)(['hold the mug'])
    with torch.no_grad():
        expected = trunk.clip.encode_text(tokens, normalize=True)
    assert_equal_to_1e_5(trunk.text.encode(['hold the mug']), expected)


def test_its_own_normalisation_and_weights_are_taken(monkeypatch):
    trunk = load_trunk(NAME, 'random')
    assert trunk.normalization.mean == trunk.normalization.std == (0.5, 0.5, 0.5)
    monkeypatch.setattr('huggingface_hub.try_to_load_from_cache', lambda *a, **k: None)
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_OFFLINE', True)
    with pytest.raises(WeightsError, match=rf'no weights for {NAME} \(meta\)'):
        load_trunk(NAME, '')


def test_only_neck_and_head_train(small):
    model = GroundingModel(small, untrained_decoder(small)).train()
    trainable = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trainable and all(name.startswith('decoder.') for name in trainable)
    model(torch.randn(1, 3, 96, 128), model.text.encode(['cut']).clone()).mean().backward()
    assert all(p.grad is not None for p in model.decoder.neck.parameters())


def test_the_copies_for_inference_answer_as_the_model(small):
    model = GroundingModel(small, untrained_decoder(small)).eval()
    pixels = torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        text = model.text.encode(['cut', 'hold'])
        expected = model(pixels, text)
        fused = FusedNetwork(model, torch.float32)(pixels, text)
        half = FusedNetwork(model, torch.bfloat16)(pixels, text)
    assert_equal_to_1e_5(fused, expected)
    assert 0 < (half - expected).abs().max() < 0.5


def test_other_backends_answer_as_torch(small, tmp_path, rng):
    model = GroundingModel(small, training_free_decoder(small)).eval()
    pixels = rng.standard_normal((2, 160, 96, 3), np.float32).transpose(0, 3, 1, 2)
    text = np.stack([model.text.vector([one]) for one in ('cut', 'hold the mug', 'pour')])
    expected = TorchBackend(model).run(pixels, text)
    assert np.ptp(expected) > 0.5
    for name in ('onnxruntime', 'openvino'):
        config = BackendConfig(name, cache_dir=str(tmp_path), num_threads=1)
        backend = choose_backend(model, config, (96, 128)).backend
        assert np.abs(backend.run(pixels, text) - expected).max() <= 1e-3
