# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""From features and text to activation maps: the trained FPN decoder and the training-free one."""

import math
from abc import ABC
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from affordance_ros.model.calibration import Calibration
from affordance_ros.model.neck import FeaturePyramid
from affordance_ros.model.neck import NeckConfig

# Phrases that fit any place. A location answers a command only where it fits better than all of
# them (LERF, ICCV 2023, sec. 3.4, whose phrases these are).
_CLASSES = 'classes'
_MIN_HEAT = 1e-6  # keeps logits finite where a cosine is -1 or 1
CANONICAL_PHRASES = ('object', 'things', 'stuff', 'texture')


class Decoder(nn.Module, ABC):
    """What turns the trunk's features and text vectors into logits."""

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """The trunk's outputs that are read."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """Key in the precision record."""

    @property
    @abstractmethod
    def description(self) -> str:
        """One phrase for logs and status."""

    @abstractmethod
    def forward(self, features: Mapping[str, torch.Tensor], text: torch.Tensor) -> torch.Tensor:
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


@dataclass(frozen=True)
class HeadConfig:
    """What the head adds to the cosine of features and text.

    A detector's class maps p_c, weighted by how close the command is to each class (w_c, behind
    the text vector's first `cosine_dim` numbers), are a prior on the logits:
    `prior_weight * log(prior_eps + sum_c w_c p_c)`.
    """

    prior_weight: float = 0.0  # at the start of training; 0 leaves the prior out
    prior_eps: float = 1e-3  # the heat that is left where no class fits
    prior_learned: bool = True  # whether training moves the two
    # Cells of the class maps that are averaged, side by side: a detector fires near the middle of
    # a thing, and the prior shall cover more of it. Odd; 1 for none.
    prior_window: int = 1

    def __post_init__(self) -> None:
        """Refuse what can't be used."""
        if not 0 <= self.prior_weight < math.inf:
            raise ValueError(f'prior_weight is {self.prior_weight}: it must not be negative')
        if not 0 < self.prior_eps < math.inf:
            raise ValueError(f'prior_eps is {self.prior_eps}: it must be positive')
        if self.prior_window < 1 or self.prior_window % 2 == 0:
            raise ValueError(f'prior_window is {self.prior_window}: it must be odd and positive')


class ClassPrior(nn.Module):
    """The prior of `HeadConfig` on the logits.

    Args:
        config: Where weight and epsilon start.
    """

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(float(config.prior_weight)))
        self.log_eps = nn.Parameter(torch.tensor(math.log(config.prior_eps)))
        self.window = config.prior_window
        self.requires_grad_(config.prior_learned)

    def forward(
        self, classes: torch.Tensor, weights: torch.Tensor, size: tuple[int, int]
    ) -> torch.Tensor:
        """Return what is added to the logits, (N, K, h, w).

        Args:
            classes: (N, M, h', w') probabilities of M classes.
            weights: (K, M) or (N, K, M), not negative.
            size: (h, w) of the logits.
        """
        n, _, height, width = classes.shape
        heat = torch.matmul(weights, classes.flatten(2)).view(n, -1, height, width)
        if self.window > 1:
            heat = F.avg_pool2d(
                heat, self.window, stride=1, padding=self.window // 2, count_include_pad=False
            )
        heat = F.interpolate(heat, size, mode='bilinear', align_corners=False)
        return self.weight * torch.log(self.log_eps.exp() + heat.clamp(min=0))


class FPNDecoder(Decoder):
    """The neck and the head of AffordanceCLIP; the only part with trainable parameters.

    The logit is `scale * cos(F^O, F_Q) + bias` with learned scale and bias: a bare cosine can't
    leave [-1, 1], which holds the loss above 0.313 a pixel.

    Args:
        config: The neck's configuration.
        channels: Channels of the trunk's outputs, by name.
        cosine_dim: C, how many numbers of a text vector are compared with features.
        head: The head's configuration.

    Raises:
        ValueError: If the neck or the head reads what the trunk does not give.
    """

    def __init__(
        self,
        config: NeckConfig,
        *,
        channels: Mapping[str, int],
        cosine_dim: int,
        head: HeadConfig | None = None,
    ) -> None:
        super().__init__()
        self.head = head or HeadConfig()
        self.neck = FeaturePyramid(config, in_channels=channels, out_channels=cosine_dim)
        self.scale = nn.Parameter(torch.tensor(10.0))
        self.bias = nn.Parameter(torch.tensor(-3.0))  # most pixels of most masks are background
        self.prior = ClassPrior(self.head) if self.head.prior_weight else None
        if self.prior is not None and _CLASSES not in channels:
            raise ValueError(
                f'prior_weight is {self.head.prior_weight}, and the trunk has no class maps: set '
                f'it to 0'
            )
        self._cosine_dim = cosine_dim
        self.calibration = Calibration()  # fitted after training

    @property
    def inputs(self) -> tuple[str, ...]:
        """The trunk's outputs that are read."""
        scales = self.neck.config.scales
        return scales if self.prior is None else (*scales, _CLASSES)

    @property
    def kind(self) -> str:
        """Key in the precision record."""
        return 'FPN'

    @property
    def description(self) -> str:
        """One phrase for logs and status."""
        prior = '' if self.prior is None else ', class prior'
        return f'FPN ({self.neck.config.fusion}{prior})'

    def forward(self, features: Mapping[str, torch.Tensor], text: torch.Tensor) -> torch.Tensor:
        """Return logits (N, K, h, w); text is (K, C) or (N, K, C), text vectors."""
        cosines = cosine_maps(self.neck(features), text[..., : self._cosine_dim])
        logits = self.scale * cosines + self.bias
        if self.prior is not None:
            size = (logits.shape[-2], logits.shape[-1])
            logits = logits + self.prior(features[_CLASSES], text[..., self._cosine_dim :], size)
        return calibrated(logits, self.calibration)


def calibrated(logits: torch.Tensor, calibration: Calibration) -> torch.Tensor:
    """Return the logits whose sigmoid is the calibrated heat; see `Calibration`."""
    if not calibration.changes_logits:
        return logits
    logits = calibration.scale * logits + calibration.bias
    if calibration.ceiling == 1:
        return logits
    # logit(q * sigmoid(z)) = log q - log(1 - q + exp(-z)), written so that nothing overflows.
    rest = math.log1p(-calibration.ceiling)
    return math.log(calibration.ceiling) - rest - F.softplus(-logits - rest)


class DenseDecoder(Decoder):
    """The training-free decoder: a frozen CLIP's own dense features against the text.

    With the background `canonical` the logit is `tau * (cos(command) - max_j cos(phrase_j))` over
    the canonical phrases, that is the log-odds of LERF's relevancy with CLIP's own temperature
    tau, so that a heat of 0.5 means "as likely as the likeliest phrase that fits anything". With
    the background `none`, as the heads' papers compare them, the heat is `(1 + cos) / 2`.

    Args:
        head: The trunk's output that is read, named after the method that it computes.
        canonical: (J, C) unit vectors of the canonical phrases; None for no background.
        logit_scale: tau.
    """

    canonical: torch.Tensor | None

    def __init__(self, head: str, canonical: torch.Tensor | None, *, logit_scale: float) -> None:
        super().__init__()
        self.head = head
        # A tensor made under inference_mode can't be moved or copied freely: clone it.
        vectors = None if canonical is None else canonical.clone()
        self.register_buffer('canonical', vectors, persistent=False)
        self.logit_scale = logit_scale

    @property
    def inputs(self) -> tuple[str, ...]:
        """The trunk's outputs that are read."""
        return (self.head,)

    @property
    def background(self) -> str:
        """One of BACKGROUNDS."""
        return 'none' if self.canonical is None else 'canonical'

    @property
    def kind(self) -> str:
        """Key in the precision record."""
        return f'training-free {self.head}'

    @property
    def description(self) -> str:
        """One phrase for logs and status."""
        return f'training-free {self.head}, background {self.background} (no FPN checkpoint)'

    def forward(self, features: Mapping[str, torch.Tensor], text: torch.Tensor) -> torch.Tensor:
        """Return logits (N, K, h, w); text is (K, C) or (N, K, C), unit vectors."""
        dense = features[self.head]
        cosines = cosine_maps(dense, text)
        if self.canonical is None:
            heat = (0.5 + 0.5 * cosines).clamp(_MIN_HEAT, 1 - _MIN_HEAT)
            return torch.log(heat) - torch.log1p(-heat)
        background = cosine_maps(dense, self.canonical).amax(dim=1, keepdim=True)  # (N, 1, h, w)
        return self.logit_scale * (cosines - background)
