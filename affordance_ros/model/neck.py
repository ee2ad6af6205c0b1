# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The light feature pyramid: F_S and the trunk's stages fused from coarse to fine into F^O."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

# From coarse to fine, as the paper fuses them: F_S, F_1, F_2, F_3.
SCALES = ('global', 'layer4', 'layer3', 'layer2')
FUSIONS = ('sum', 'concat')
NORMS = ('none', 'group')
_NORM_GROUPS = 8


@dataclass(frozen=True)
class NeckConfig:
    """What the neck is made of; the paper leaves all but the scales open.

    Attributes:
        channels: C', the width that every scale is projected to.
        fusion: 'sum', or 'concat' followed by a 3x3 convolution.
        scales: The scales used, a prefix of SCALES; the output has the last one's resolution.
        smooth: A 3x3 convolution after each sum, as in detection's FPN; concat has one anyway.
        norm: 'none', or 'group' for GroupNorm before each ReLU.
    """

    channels: int = 256
    fusion: str = 'sum'
    scales: tuple[str, ...] = SCALES
    smooth: bool = False
    norm: str = 'none'

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
        if not self.scales or self.scales != SCALES[: len(self.scales)]:
            raise ValueError(
                f'scales {self.scales} must be the first one to four of {SCALES}, in this order'
            )


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
        self.project = nn.ModuleDict(
            {scale: nn.Conv2d(in_channels[scale], width, kernel_size=1) for scale in config.scales}
        )
        fused_width = 2 * width if config.fusion == 'concat' else width
        convolved = config.fusion == 'concat' or config.smooth
        self.fuse = nn.ModuleDict(
            {
                scale: nn.Conv2d(fused_width, width, kernel_size=3, padding=1)
                for scale in config.scales[1:]
                if convolved
            }
        )
        self.norm = nn.ModuleDict(
            {
                scale: nn.GroupNorm(_NORM_GROUPS, width)
                for scale in config.scales[1:]
                if config.norm == 'group'
            }
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
        scales = self.config.scales
        fused = self.project[scales[0]](features[scales[0]][:, :, None, None])  # (N, C', 1, 1)
        for scale in scales[1:]:
            lateral = self.project[scale](features[scale])  # (N, C', h_i, w_i)
            upsampled = F.interpolate(
                fused, lateral.shape[-2:], mode='bilinear', align_corners=False
            )
            if self.config.fusion == 'sum':
                fused = upsampled + lateral
            else:
                fused = torch.cat([upsampled, lateral], dim=1)
            if scale in self.fuse:
                fused = self.fuse[scale](fused)  # (N, C', h_i, w_i)
            if scale in self.norm:
                fused = self.norm[scale](fused)
            fused = F.relu(fused)
        return self.output(fused)
