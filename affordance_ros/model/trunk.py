# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The interface of all frozen trunks: an image tower and the text encoder that belongs to it."""

from abc import ABC
from abc import abstractmethod
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from affordance_ros.image.letterbox import STRIDE
from affordance_ros.image.preprocess import Normalization
from affordance_ros.model.heads import Decoder
from affordance_ros.model.neck import NeckConfig
from affordance_ros.model.text import TextEncoder
from affordance_ros.model.weight_hash import hash_state_dict

RANDOM_WEIGHTS = 'random'
GLOBAL = 'global'  # one vector for the whole image, (N, C)
CLASSES = 'classes'  # probabilities of a detector's classes


@dataclass(frozen=True)
class Stage:
    """One feature map of an image tower."""

    name: str
    channels: int
    stride: int  # pixels of the input from one location to the next


class Trunk(nn.Module, ABC):
    """A frozen pair of towers, always in eval mode.

    A family (`model/resnet_clip.py`, `model/household/`) knows how its networks are built; neck,
    head, backends, export, training and evaluation know this class alone.

    Args:
        name: The model's name, kept in checkpoints.
        weights: Where its weights came from, for people to read.
        untrained: True if the weights are random.
    """

    text: TextEncoder
    family: str  # names the text encoder and the way of exporting
    # The training-free heads, the default first: outputs in the space of text vectors,
    # (N, C, h, w), each named after the method whose arithmetic it is.
    dense_heads: tuple[str, ...] = ()
    input_size: int = 0  # the long side that it was trained at, in pixels; 0: any is as good

    def __init__(self, *, name: str, weights: str, untrained: bool = False) -> None:
        super().__init__()
        self.name = name
        self.weights = weights
        self.untrained = untrained
        self._sha256 = ''

    def freeze(self) -> None:
        """Take all parameters out of training; a family calls it when it is built."""
        self.requires_grad_(False)
        self.eval()

    @property
    @abstractmethod
    def stages(self) -> tuple[Stage, ...]:
        """The feature maps, from coarse to fine."""

    @property
    def backbone_stages(self) -> tuple[str, ...]:
        """Names of what `backbone` makes, from which `complete` makes the outputs."""
        return tuple(stage.name for stage in self.stages)

    @property
    @abstractmethod
    def other_channels(self) -> Mapping[str, int]:
        """Channels of outputs that are not stages: any of GLOBAL, CLASSES and `dense_heads`."""

    @property
    @abstractmethod
    def default_neck(self) -> NeckConfig:
        """The neck that suits this family, where a configuration names no other."""

    @property
    @abstractmethod
    def normalization(self) -> Normalization:
        """How the input's RGB is normalised."""

    @property
    @abstractmethod
    def logit_scale(self) -> float:
        """The temperature that image and text towers were trained with, as a factor on cosines."""

    @property
    def own_decoder(self) -> Decoder | None:
        """A decoder that it was trained with, which then answers where no FPN is given."""
        return None

    @property
    def cosine_dim(self) -> int:
        """How many numbers at the front of a text vector are compared with features."""
        return self.embed_dim

    @property
    @abstractmethod
    def embed_dim(self) -> int:
        """The length of text vectors: `cosine_dim`, and a weight for each class, if any."""

    @property
    def channels(self) -> dict[str, int]:
        """Channels of every output, by name."""
        return {stage.name: stage.channels for stage in self.stages} | dict(self.other_channels)

    @property
    def sha256(self) -> str:
        """A hash of all weights; see `hash_state_dict`."""
        if not self._sha256:
            self._sha256 = hash_state_dict(self.hashed_state())
        return self._sha256

    def hashed_state(self) -> Mapping[str, torch.Tensor]:
        """Return the tensors that `sha256` is made of."""
        return self.state_dict()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def train(self, mode: bool = True) -> 'Trunk':
        """Stay in eval mode: training would move the statistics of a BatchNorm."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, image: torch.Tensor, outputs: Collection[str]) -> dict[str, torch.Tensor]:
        """Compute the features named in `outputs`.

        Args:
            image: (N, 3, H, W) float RGB, normalised; H and W are multiples of 32.
            outputs: Names out of `channels`.

        Returns:
            By name: stages (N, C_i, H / s_i, W / s_i), 'global' (N, C) and maps.

        Raises:
            ValueError: If the size is not a multiple of 32, or an output is unknown.
        """
        height, width = image.shape[-2:]
        if height % STRIDE or width % STRIDE:
            raise ValueError(
                f'the input is {width}x{height}: both sides must be multiples of {STRIDE}'
            )
        if unknown := sorted(set(outputs) - self.channels.keys()):
            raise ValueError(
                f'{self.name} has no output {", ".join(unknown)}; known are '
                f'{", ".join(self.channels)}'
            )
        front = self.front(image)
        features = self.complete(front, self.backbone(front), outputs)
        return {name: features[name] for name in outputs}

    @abstractmethod
    def front(self, image: torch.Tensor) -> torch.Tensor:
        """Compute what comes before the backbone; backends keep it in float32.

        Args:
            image: As for `forward`.

        Returns:
            (N, C_0, h, w).
        """

    @abstractmethod
    def backbone(self, front: torch.Tensor) -> dict[str, torch.Tensor]:
        """Compute what `backbone_stages` names; backends may use half precision.

        Args:
            front: What `front` returned.
        """

    @abstractmethod
    def complete(
        self,
        front: torch.Tensor,
        stages: Mapping[str, torch.Tensor],
        outputs: Collection[str],
    ) -> dict[str, torch.Tensor]:
        """Make at least the outputs that are wanted.

        Args:
            front: What `front` returned.
            stages: What `backbone` returned.
            outputs: As for `forward`.
        """

    @abstractmethod
    def inference_parts(self) -> tuple[nn.Module, nn.Module]:
        """Return copies of `front` and `backbone` as modules, with all that folds folded."""


def check_scales(trunk: Trunk, scales: Sequence[str]) -> None:
    """Refuse scales that a trunk lacks, or that do not go from coarse to fine.

    Raises:
        ValueError: With the scales that there are.
    """
    known = [name for name in (GLOBAL, *(stage.name for stage in trunk.stages)) if name in
             trunk.channels]  # fmt: skip
    if not known:
        raise ValueError(
            f'{trunk.name} has no feature maps for an FPN; household and the CLIPs of open_clip do'
        )
    places = [known.index(scale) if scale in known else -1 for scale in scales]
    if not places or -1 in places or places != sorted(set(places)):
        raise ValueError(
            f'scales {tuple(scales)} must be some of {", ".join(known)} of the trunk '
            f'{trunk.name}, in this order'
        )
