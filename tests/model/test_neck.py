# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pytest
import torch

from affordance_ros.model.families import load_trunk
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.model.neck import SCALES
from affordance_ros.model.neck import FeaturePyramid
from affordance_ros.model.neck import NeckConfig

CHANNELS = {'global': 6, 'stride32': 24, 'stride16': 12, 'stride8': 8}
FEATURES = {
    'global': torch.randn(2, 6),
    'stride32': torch.randn(2, 24, 3, 4),
    'stride16': torch.randn(2, 12, 6, 8),
    'stride8': torch.randn(2, 8, 12, 16),
}


@pytest.mark.parametrize(('fusion', 'millions'), [('sum', 1.18), ('concat', 4.72)])
def test_parameter_counts_are_those_of_the_paper(fusion, millions):
    decoder = untrained_decoder(load_trunk('RN101-quickgelu', 'random'), NeckConfig(fusion=fusion))
    count = sum(p.numel() for p in decoder.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.005)


@pytest.mark.parametrize('fusion', ['sum', 'concat'])
@pytest.mark.parametrize(('count', 'size'), [(1, (1, 1)), (2, (3, 4)), (3, (6, 8)), (4, (12, 16))])
def test_scales_set_the_resolution_and_every_scale_is_heard(fusion, count, size):
    config = NeckConfig(channels=16, fusion=fusion, scales=SCALES[:count])
    neck = FeaturePyramid(config, in_channels=CHANNELS, out_channels=6)
    inputs = {name: FEATURES[name].clone().requires_grad_() for name in config.scales}
    output = neck(inputs)
    assert output.shape == (2, 6, *size)
    output.square().sum().backward()
    for name in config.scales:
        assert inputs[name].grad.abs().sum() > 0, name


def test_fused_output_is_not_rectified():
    neck = FeaturePyramid(NeckConfig(channels=16), in_channels=CHANNELS, out_channels=6)
    assert (neck(FEATURES) < 0).any()


def test_sum_equals_the_formula():
    neck = FeaturePyramid(NeckConfig(channels=16), in_channels=CHANNELS, out_channels=6)

    def project(name, x):
        layer = neck.project[name]
        return torch.einsum('oi,ni...->no...', layer.weight[:, :, 0, 0], x) + layer.bias.view(
            -1, *[1] * (x.ndim - 2)
        )

    fused = project('global', FEATURES['global'])[:, :, None, None]
    for name in SCALES[1:]:
        size = FEATURES[name].shape[-2:]
        fused = torch.nn.Upsample(size, mode='bilinear')(fused) + project(name, FEATURES[name])
        fused = fused.clamp(min=0)
    expected = torch.einsum('oi,nihw->nohw', neck.output.weight[:, :, 0, 0], fused)
    expected = expected + neck.output.bias.view(-1, 1, 1)
    torch.testing.assert_close(neck(FEATURES), expected, rtol=1e-4, atol=1e-5)


def test_a_separable_convolution_is_one_within_and_one_across_channels():
    torch.manual_seed(0)
    config = NeckConfig(channels=8, scales=('stride8',), smooth=True, separable=True)
    neck = FeaturePyramid(config, in_channels=CHANNELS, out_channels=6)
    within, across = neck.fuse['stride8']
    # The two together are one full convolution whose weights are a product.
    weight = across.weight * within.weight[:, 0][None]  # (8, 8, 3, 3)
    bias = across.weight[:, :, 0, 0] @ within.bias + across.bias
    lateral = neck.project['stride8'](FEATURES['stride8'])
    fused = torch.nn.functional.conv2d(lateral, weight, bias, padding=1)
    expected = neck.output(fused.clamp(min=0))
    found = neck(FEATURES)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'fusion': 'mean'}, "fusion 'mean' is unknown; known are sum, concat"),
        ({'scales': ('stride32', 'stride32')}, 'at least one scale, each once'),
        ({'scales': ()}, 'at least one scale, each once'),
        ({'channels': 0}, 'channels is 0'),
    ],
)
def test_impossible_necks_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        NeckConfig(**arguments)
