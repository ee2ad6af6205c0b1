# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""CLIPSeg's decoder as a head: a small transformer that the text vector modulates (FiLM)."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import torch

from affordance_ros.model.clipseg.layers import run_decoder_layer
from affordance_ros.model.heads import Decoder

CLASS_TOKENS = 'class_tokens'  # of all blocks that are read, (N, blocks, C)


class ClipSegDecoder(Decoder):
    """From the maps of some blocks of CLIP to logits, for all commands in one pass.

    On square maps it computes what transformers' CLIPSegDecoder does; it also takes others, so
    that images keep their aspect.

    Args:
        decoder: transformers' CLIPSegDecoder, which holds the weights.
        blocks: Names of the trunk's outputs that it reads, the last block first.
    """

    kind = 'clipseg'
    description = "CLIPSeg's decoder"

    def __init__(self, decoder: Any, blocks: Sequence[str]) -> None:
        super().__init__()
        self.decoder = decoder
        self._blocks = tuple(blocks)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The trunk's outputs that are read."""
        return (*self._blocks, CLASS_TOKENS)

    def forward(self, features: Mapping[str, torch.Tensor], text: torch.Tensor) -> torch.Tensor:
        """Return logits (N, K, H, W) at the input's resolution.

        Args:
            features: The blocks' maps (N, C, h, w) and their class tokens (N, blocks, C).
            text: (K, D) or (N, K, D) text vectors, as long as CLIP has left them.
        """
        n, _, height, width = features[self._blocks[0]].shape
        text = text.expand(n, *text.shape[-2:])
        k = text.shape[1]
        condition = text.flatten(0, 1).unsqueeze(1)  # (NK, 1, D)
        tokens = torch.zeros((), dtype=text.dtype, device=text.device)
        layers = zip(self._blocks, self.decoder.reduces, self.decoder.layers, strict=True)
        for number, (block, reduce, layer) in enumerate(layers):
            patches = features[block].flatten(2).transpose(1, 2)  # (N, hw, C)
            first = features[CLASS_TOKENS][:, number : number + 1]
            reduced = reduce(torch.cat([first, patches], dim=1))  # (N, 1 + hw, R)
            # The same for every command, so it is computed once.
            shared = reduced.unsqueeze(1).expand(n, k, *reduced.shape[1:]).flatten(0, 1)
            tokens = tokens + shared  # (NK, 1 + hw, R)
            if number == self.decoder.conditional_layer:
                tokens = self.decoder.film_mul(condition) * tokens
                tokens = tokens + self.decoder.film_add(condition)
            tokens = run_decoder_layer(layer, tokens)
        maps = tokens[:, 1:].transpose(1, 2).unflatten(2, (height, width))  # (NK, R, h, w)
        logits = self.decoder.transposed_convolution(maps)  # (NK, 1, H, W)
        return logits.unflatten(0, (n, k)).squeeze(2)
