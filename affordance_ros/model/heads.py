# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""From features and text to activation maps: the trained FPN decoder and the training-free one."""

from collections.abc import Mapping
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import nn

from affordance_ros.model.neck import FeaturePyramid
from affordance_ros.model.neck import NeckConfig

# Phrases that fit any place. A location answers a command only where it fits better than all of
# them (LERF, ICCV 2023, sec. 3.4, whose phrases these are).
CANONICAL_PHRASES = ('object', 'things', 'stuff', 'texture')


class Decoder(Protocol):
    """What turns the trunk's features and text vectors into logits."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The trunk's outputs that are read."""

    @property
    def kind(self) -> str:
        """What the record of kept answers knows it by."""

    @property
    def description(self) -> str:
        """One phrase for logs and status."""

    def __call__(self, features: Mapping[str, torch.Tensor], text: torch.Tensor) -> torch.Tensor:
        """Return logits (N, K, h, w) for K text vectors."""


def cosine_maps(features: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
    """Return the cosine of every location with every text vector.

    Args:
        features: (N, C, h, w).
        text: (K, C) shared by all images, or (N, K, C); unit vectors.

    Returns:
        (N, K, h, w) in [-1, 1].
    """
    n, _, h, w = features.shape
    locations = F.normalize(features, dim=1).flatten(2)  # (N, C, hw)
    return torch.matmul(text, locations).view(n, -1, h, w)


class FPNDecoder(nn.Module):
    """The neck and the head of AffordanceCLIP; the only part with trainable parameters.

    The logit is `scale * cos(F^O, F_Q) + bias` with learned scale and bias: a bare cosine can't
    leave [-1, 1], which holds the loss above 0.313 a pixel.

    Args:
        config: The neck's configuration.
        channels: Channels of the trunk's outputs, by name.
        embed_dim: C.
    """

    def __init__(self, config: NeckConfig, *, channels: Mapping[str, int], embed_dim: int) -> None:
        super().__init__()
        self.neck = FeaturePyramid(config, in_channels=channels, out_channels=embed_dim)
        self.scale = nn.Parameter(torch.tensor(10.0))
        self.bias = nn.Parameter(torch.tensor(-3.0))  # most pixels of most masks are background

    @property
    def inputs(self) -> tuple[str, ...]:
        """The trunk's outputs that the neck fuses."""
        return self.neck.config.scales

    @property
    def kind(self) -> str:
        """What the record of kept answers knows it by."""
        return 'FPN'

    @property
    def description(self) -> str:
        """One phrase for logs and status."""
        return f'FPN ({self.neck.config.fusion})'

    def forward(self, features: Mapping[str, torch.Tensor], text: torch.Tensor) -> torch.Tensor:
        """Return logits (N, K, h, w); text is (K, C) or (N, K, C), unit vectors."""
        return self.scale * cosine_maps(self.neck(features), text) + self.bias


class DenseDecoder(nn.Module):
    """The training-free decoder: CLIP's own values at every location against the text.

    The logit is `tau * (cos(command) - max_j cos(phrase_j))` over the canonical phrases, that is
    the log-odds of LERF's relevancy with CLIP's own temperature tau, so that 0.5 means "as likely
    as the likeliest phrase that fits anything".

    Args:
        canonical: (J, C) unit vectors of the canonical phrases.
        logit_scale: tau.
    """

    canonical: torch.Tensor

    def __init__(self, canonical: torch.Tensor, *, logit_scale: float) -> None:
        super().__init__()
        # A tensor made under inference_mode can't be moved or copied freely: clone it.
        self.register_buffer('canonical', canonical.clone(), persistent=False)
        self.logit_scale = logit_scale

    @property
    def inputs(self) -> tuple[str, ...]:
        """The trunk's outputs that are read."""
        return ('dense',)

    @property
    def kind(self) -> str:
        """What the record of kept answers knows it by."""
        return 'training-free'

    @property
    def description(self) -> str:
        """One phrase for logs and status."""
        return 'training-free dense head (no FPN checkpoint)'

    def forward(self, features: Mapping[str, torch.Tensor], text: torch.Tensor) -> torch.Tensor:
        """Return logits (N, K, h, w); text is (K, C) or (N, K, C), unit vectors."""
        dense = features['dense']
        background = cosine_maps(dense, self.canonical).amax(dim=1, keepdim=True)  # (N, 1, h, w)
        return self.logit_scale * (cosine_maps(dense, text) - background)
