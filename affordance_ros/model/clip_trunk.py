# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What all CLIPs of open_clip have in common as trunks."""

from abc import abstractmethod

import open_clip
import torch
from torch import nn

from affordance_ros.image.preprocess import CLIP_NORMALIZATION
from affordance_ros.image.preprocess import Normalization
from affordance_ros.model.clip_text import ClipText
from affordance_ros.model.neck import NeckConfig
from affordance_ros.model.positions import PositionGrids
from affordance_ros.model.positions import resize_positions
from affordance_ros.model.trunk import GLOBAL
from affordance_ros.model.trunk import Trunk


class ClipTrunk(Trunk):
    """A CLIP of open_clip with its own text transformer.

    Args:
        clip: The whole CLIP.
        name: The model's name, kept in checkpoints.
        weights: Where its weights came from, for people to read.
        untrained: True if the weights are random.
        normalization: How its input is normalised.

    Raises:
        ValueError: If the visual tower is not of the kind that the class reads.
    """

    text: ClipText

    def __init__(
        self,
        clip: open_clip.CLIP | open_clip.CustomTextCLIP,
        *,
        name: str,
        weights: str,
        untrained: bool = False,
        normalization: Normalization = CLIP_NORMALIZATION,
    ) -> None:
        self.check_tower(clip.visual, name)
        super().__init__(name=name, weights=weights, untrained=untrained)
        self.clip = clip
        self.text = ClipText(clip.context_length, self.encode_tokens)
        self._normalization = normalization
        self._grids = PositionGrids()
        self.freeze()

    @staticmethod
    @abstractmethod
    def check_tower(visual: nn.Module, name: str) -> None:
        """Refuse a visual tower of another kind.

        Raises:
            ValueError: If it is one.
        """

    @property
    def embed_dim(self) -> int:
        """C, the length of image and text vectors."""
        return int(self.clip.visual.output_dim)

    @property
    def other_channels(self) -> dict[str, int]:
        """Channels of the global vector and of the training-free heads."""
        return dict.fromkeys((GLOBAL, *self.dense_heads), self.embed_dim)

    @property
    def default_neck(self) -> NeckConfig:
        """The paper's, as far as it is published."""
        return NeckConfig()

    @property
    def normalization(self) -> Normalization:
        """As the weights were trained with."""
        return self._normalization

    @property
    def logit_scale(self) -> float:
        """The temperature that CLIP has learned, as a factor on cosines."""
        return float(self.clip.logit_scale.exp())

    def hashed_state(self) -> dict[str, torch.Tensor]:
        """Return CLIP's own state dict, whatever holds it."""
        state: dict[str, torch.Tensor] = self.clip.state_dict()
        return state

    def encode_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the unit text vectors (K, C) of CLIP's token numbers (K, L)."""
        tokens = tokens.to(self.clip.logit_scale.device)
        vectors: torch.Tensor = self.clip.encode_text(tokens, normalize=True)
        return vectors.float()

    @property
    @abstractmethod
    def position_embedding(self) -> torch.Tensor:
        """The positional embedding, (1 + side * side, C), the class token's first."""

    def position_grid(self, like: torch.Tensor) -> torch.Tensor:
        """Return the locations' positional embedding, (C, h, w), made once per size.

        Args:
            like: A tensor of that height, width, device and dtype.
        """
        return self._grids.get(like, self._make_grid)

    def _make_grid(self, height: int, width: int) -> torch.Tensor:
        embedding = self.position_embedding.detach()
        side = round((len(embedding) - 1) ** 0.5)
        return resize_positions(embedding[1:].view(side, side, -1), height, width)
