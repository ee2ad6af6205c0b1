# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""ViT trunks and their training-free heads, against open_clip and against a second writing."""

import pytest
import torch
import torch.nn.functional as F

from affordance_ros.backends.fused_network import FusedNetwork
from affordance_ros.model.families import load_trunk
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.model.vit_block import HEADS
from affordance_ros.model.vit_clip import VitClip
from tests.support.small_vit import small_vit
from tests.support.vit_reference import ReferenceViT


def assert_equal_to_1e_5(value, expected):
    assert value.shape == expected.shape
    assert (value - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.fixture(scope='module')
def vit():
    return load_trunk('compact-vit', 'random')


@pytest.mark.parametrize('size', [(224, 224), (320, 416), (448, 448)])
@pytest.mark.parametrize('patch', [16, 32, 14])
def test_every_head_equals_an_independent_writing(patch, size):
    trunk = small_vit(patch)
    image = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(1))
    found = trunk(image, ('global', *HEADS))
    reference = ReferenceViT(
        {k: v.numpy() for k, v in trunk.clip.state_dict().items()}, heads=4, patch=patch
    )
    grid = [round(side / patch) for side in size]
    scaled = [side * patch for side in grid]
    if scaled != list(size):
        image = F.interpolate(image, scaled, mode='bilinear', align_corners=False)
    old = trunk.clip.visual.positional_embedding[1:]
    side = round(len(old) ** 0.5)
    positions = F.interpolate(
        old.T.reshape(1, -1, side, side), grid, mode='bicubic', antialias=True
    )[0]
    tokens = reference.embed(
        image[0].double().numpy(), positions.permute(1, 2, 0).double().numpy()
    )
    expected = reference.outputs(tokens, grid)
    for name, value in found.items():
        assert_equal_to_1e_5(value[0].double(), torch.from_numpy(expected[name]))
    heads = [found[name] for name in HEADS]
    for one in range(len(heads)):
        for other in range(one):
            assert (heads[one] - heads[other]).abs().max() > 1e-3, 'two heads compute the same'


def test_the_global_vector_is_open_clips(vit, pixels):
    assert_equal_to_1e_5(vit(pixels, ('global',))['global'], vit.clip.encode_image(pixels))
    for patch in (14, 32):
        trunk = small_vit(patch)
        expected = trunk.clip.encode_image(pixels)
        assert_equal_to_1e_5(trunk(pixels, ('global',))['global'], expected)
        assert expected.std() > 1e-3


def test_layer_scale_is_heeded(pixels):
    trunk = small_vit(16, ls_init_value=0.1)
    assert_equal_to_1e_5(trunk(pixels, ('global',))['global'], trunk.clip.encode_image(pixels))


def test_the_pyramid_is_of_open_clips_own_middle_layers(vit, pixels):
    """At stride 16 it is the map itself, normalised; the others are resized."""
    features = vit(pixels, ('stride32', 'stride16', 'stride8'))
    with torch.no_grad():
        maps = vit.clip.visual.forward_intermediates(pixels, intermediates_only=True)
    early, middle, last = (
        F.layer_norm(maps['image_intermediates'][i].permute(0, 2, 3, 1), [128]).permute(0, 3, 1, 2)
        for i in (1, 3, 5)
    )
    assert_equal_to_1e_5(features['stride16'], middle)
    assert_equal_to_1e_5(features['stride32'], F.avg_pool2d(last, 2))
    doubled = F.interpolate(early, scale_factor=2, mode='bilinear')
    assert_equal_to_1e_5(features['stride8'], doubled)


@pytest.mark.parametrize('patch', [14, 16, 32])
@pytest.mark.parametrize('size', [(224, 224), (96, 256), (480, 640)])
def test_any_multiple_of_32_gives_stages_of_strides_8_16_and_32(patch, size):
    features = small_vit(patch)(torch.randn(1, 3, *size), ('stride8', 'stride16', 'stride32'))
    for stride in (8, 16, 32):
        shape = features[f'stride{stride}'].shape
        assert shape == (1, 64, size[0] // stride, size[1] // stride)


def test_positions_are_interpolated_once_per_size(vit, monkeypatch):
    made = []
    monkeypatch.setattr(
        vit, '_make_grid', lambda *size: made.append(size) or VitClip._make_grid(vit, *size)
    )
    for size in ((96, 160), (96, 160), (160, 96), (96, 160)):
        vit(torch.zeros(1, 3, *size), ('naclip',))
    assert made == [(6, 10), (10, 6)]


def test_only_neck_and_head_train(vit, pixels):
    model = GroundingModel(vit, untrained_decoder(vit)).train()
    trainable = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trainable and all(name.startswith('decoder.') for name in trainable)
    model(pixels, model.text.encode(['cut']).clone()).mean().backward()
    assert all(p.grad is not None for p in model.decoder.neck.parameters())
    assert all(p.grad is None for p in vit.parameters())


def test_the_copies_for_inference_answer_as_the_model(vit, pixels):
    model = GroundingModel(vit, untrained_decoder(vit)).eval()
    text = model.text.encode(['cut', 'hold'])
    with torch.inference_mode():
        expected = model(pixels, text)
        fused = FusedNetwork(model, torch.float32)(pixels, text)
        half = FusedNetwork(model, torch.bfloat16)(pixels, text)
    assert_equal_to_1e_5(fused, expected)
    assert 0 < (half - expected).abs().max() < 0.2


@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('ViT-B-16-SigLIP', "its image tower is timm's vit_base_patch16_siglip_224"),
        ('coca_ViT-B-32', 'its text tower has embed_cls'),
        ('ViT-H-14-CLIPA', 'its text tower has hf_tokenizer_name'),
        ('PE-Core-bigG-14-448', "its image tower is timm's vit_pe_core_gigantic_patch14_448"),
    ],
)
def test_what_can_be_no_trunk_is_refused_with_the_reason(name, reason):
    with pytest.raises(ValueError, match=f"'{name}' can not be a trunk: {reason}"):
        load_trunk(name, 'random')
