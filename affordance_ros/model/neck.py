# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The light feature pyramid: F_S and the trunk's stages fused from coarse to fine into F^O."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

# From coarse to fine, as the paper fuses them: F_S, F_1, F_2, F_3.
SCALES = ('global', 'stride32', 'stride16', 'stride8')  # the paper's
FUSIONS = ('sum', 'concat')
NORMS = ('none', 'group')
_NORM_GROUPS = 8
_GLOBAL = 'global'

MAX_REFINE = 16  # a checkpoint may claim any number, and each is a layer to build


@dataclass(frozen=True)
class NeckConfig:
    """What the neck is made of; the paper leaves all but the scales open."""

    channels: int = 256  # C', the width that every scale is projected to
    fusion: str = 'sum'  # or 'concat', followed by a 3x3 convolution
    # Outputs of the trunk from coarse to fine; F^O has the last one's resolution.
    scales: tuple[str, ...] = SCALES
    # A 3x3 convolution at every stage's level, as in detection's FPN; concat has one anyway.
    smooth: bool = False
    norm: str = 'none'  # 'group' for GroupNorm before each ReLU
    refine: int = 0  # further 3x3 convolutions on the finest level
    # Each 3x3 convolution as one within each channel and one across them (MobileNet, 2017): a
    # ninth of the arithmetic.
    separable: bool = False

    def __post_init__(self) -> None:
        """Refuse what can't be built."""
        object.__setattr__(self, 'scales', tuple(self.scales))
        if self.channels < 1:
            raise ValueError(f'channels is {self.channels}: it must be at least 1')
        if self.fusion not in FUSIONS:
            raise ValueError(f'fusion {self.fusion!r} is unknown; known are {", ".join(FUSIONS)}')
        if self.norm not in NORMS:
            raise ValueError(f'norm {self.norm!r} is unknown; known are {", ".join(NORMS)}')
        if self.norm == 'group' and self.channels % _NORM_GROUPS:
            raise ValueError(
                f'channels is {self.channels}: with norm "group" it must be a multiple of '
                f'{_NORM_GROUPS}'
            )
        if not self.scales or len(set(self.scales)) < len(self.scales):
            raise ValueError(f'scales {self.scales} must name at least one scale, each once')
        if not 0 <= self.refine <= MAX_REFINE:
            raise ValueError(f'refine is {self.refine}: it must lie in 0 to {MAX_REFINE}')


class FeaturePyramid(nn.Module):
    """Project every scale to C', fuse from coarse to fine, project to C (AffordanceCLIP, sec. 3).

    Args:
        config: Widths, fusion and scales.
        in_channels: Channels of each scale.
        out_channels: C, the length of text features.
    """

    def __init__(
        self, config: NeckConfig, *, in_channels: Mapping[str, int], out_channels: int
    ) -> None:
        super().__init__()
        self.config = config
        width = config.channels
        if unknown := sorted(set(config.scales) - in_channels.keys()):
            raise ValueError(
                f'scales {config.scales}: the trunk has no output {", ".join(unknown)}; known are '
                f'{", ".join(in_channels)}'
            )
        self.project = nn.ModuleDict(
            {scale: nn.Conv2d(in_channels[scale], width, kernel_size=1) for scale in config.scales}
        )
        first, *others = config.scales
        # One vector for the whole image has nothing to smooth.
        levels = [*([] if first == _GLOBAL else [first]), *others]
        fused_width = {scale: width for scale in config.scales}
        if config.fusion == 'concat':
            fused_width.update({scale: 2 * width for scale in others})
        self.fuse = nn.ModuleDict(
            {
                scale: _convolution(config, fused_width[scale])
                for scale in levels
                if config.smooth or fused_width[scale] != width
            }
        )
        self.norm = nn.ModuleDict({scale: _norm(config) for scale in levels})
        self.refine = nn.ModuleList(
            nn.Sequential(_convolution(config, width), _norm(config)) for _ in range(config.refine)
        )
        self.output = nn.Conv2d(width, out_channels, kernel_size=1)

    def forward(self, features: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Fuse the scales.

        Args:
            features: 'global' (N, C) and the stages (N, C_i, H/s_i, W/s_i).

        Returns:
            F^O, (N, C, h, w) at the finest scale used, with no ReLU: a rectified F^O could not
            point away from a text vector.
        """
        first, *others = self.config.scales
        coarsest = features[first]
        if first == _GLOBAL:
            fused = self.project[first](coarsest[:, :, None, None])  # (N, C', 1, 1)
        else:
            fused = self._level(first, self.project[first](coarsest))  # (N, C', h_0, w_0)
        for scale in others:
            lateral = self.project[scale](features[scale])  # (N, C', h_i, w_i)
            upsampled = F.interpolate(
                fused, lateral.shape[-2:], mode='bilinear', align_corners=False
            )
            if self.config.fusion == 'sum':
                fused = upsampled + lateral
            else:
                fused = torch.cat([upsampled, lateral], dim=1)
            fused = self._level(scale, fused)  # (N, C', h_i, w_i)
        for block in self.refine:
            fused = F.relu(block(fused))
        return self.output(fused)

    def _level(self, scale: str, fused: torch.Tensor) -> torch.Tensor:
        if scale in self.fuse:
            fused = self.fuse[scale](fused)
        return F.relu(self.norm[scale](fused))


def _convolution(config: NeckConfig, width: int) -> nn.Module:
    if config.separable:
        return nn.Sequential(
            nn.Conv2d(width, width, kernel_size=3, padding=1, groups=width),
            nn.Conv2d(width, config.channels, kernel_size=1),
        )
    return nn.Conv2d(width, config.channels, kernel_size=3, padding=1)


def _norm(config: NeckConfig) -> nn.Module:
    return nn.GroupNorm(_NORM_GROUPS, config.channels) if config.norm == 'group' else nn.Identity()
