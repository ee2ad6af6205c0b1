# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""CLIPSeg behind the interface of all trunks."""

import copy
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from affordance_ros.image.preprocess import IMAGENET_NORMALIZATION
from affordance_ros.image.preprocess import Normalization
from affordance_ros.model.clip_text import ClipText
from affordance_ros.model.clipseg.decoder import CLASS_TOKENS
from affordance_ros.model.clipseg.decoder import ClipSegDecoder
from affordance_ros.model.clipseg.layers import run_encoder_layer
from affordance_ros.model.neck import NeckConfig
from affordance_ros.model.positions import PositionGrids
from affordance_ros.model.trunk import Stage
from affordance_ros.model.trunk import Trunk


class ClipSeg(Trunk):
    """transformers' CLIPSegForImageSegmentation: CLIP's ViT-B/16, and the decoder beside it.

    It equals transformers on square input. Its processor stretches every image to 352x352; here
    the image keeps its aspect, as for all trunks: its long side has 352 pixels, and the border is
    the mean. Normalisation is the processor's, that is ImageNet's. Scores are the sigmoid of its
    logits. An FPN has nothing to read here: the decoder is trained already.

    Args:
        model: The CLIPSegForImageSegmentation; its patches' side divides 32.
        name: The model's name.
        weights: Where its weights came from, for people to read.
        untrained: True if the weights are random.
    """

    text: ClipText
    family = 'clipseg'
    input_size = 352

    def __init__(self, model: Any, *, name: str, weights: str, untrained: bool = False) -> None:
        super().__init__(name=name, weights=weights, untrained=untrained)
        self.clip = model.clip
        depths = [index + 1 for index in model.config.extract_layers]
        blocks = {depth: f'block{depth}' for depth in depths}
        self.decoder = ClipSegDecoder(model.decoder, [blocks[depth] for depth in reversed(depths)])
        self._patches = _Patches(self.clip.vision_model)
        self._encoder = _Encoder(self.clip.vision_model, blocks)
        length = self.clip.text_model.embeddings.position_embedding.num_embeddings
        self.text = ClipSegText(length, self.encode_tokens)
        self.freeze()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """None."""
        return ()

    @property
    def backbone_stages(self) -> tuple[str, ...]:
        """The tokens of the blocks that the decoder reads."""
        return tuple(self._encoder.blocks.values())

    @property
    def other_channels(self) -> dict[str, int]:
        """Channels of the blocks' maps and of their class tokens."""
        width = self.clip.vision_model.embeddings.embed_dim
        return dict.fromkeys((*self.backbone_stages, CLASS_TOKENS), width)

    @property
    def own_decoder(self) -> ClipSegDecoder:
        """The one that it was trained with."""
        return self.decoder

    @property
    def default_neck(self) -> NeckConfig:
        """The paper's, which has no stages to read here."""
        return NeckConfig()

    @property
    def normalization(self) -> Normalization:
        """ImageNet's, as CLIPSeg was trained with."""
        return IMAGENET_NORMALIZATION

    @property
    def logit_scale(self) -> float:
        """The temperature of CLIP, as a factor on cosines; the decoder does not use it."""
        return float(self.clip.logit_scale.exp())

    @property
    def embed_dim(self) -> int:
        """The length of text vectors."""
        return int(self.clip.text_projection.out_features)

    def hashed_state(self) -> dict[str, torch.Tensor]:
        """Return CLIP's and the decoder's state, each tensor once."""
        decoder = self.decoder.state_dict(prefix='decoder.')
        return {**self.clip.state_dict(prefix='clip.'), **decoder}

    def front(self, image: torch.Tensor) -> torch.Tensor:
        """Return the patches' embeddings with positions; see `Trunk.front`."""
        embedded: torch.Tensor = self._patches(image)
        return embedded

    def backbone(self, front: torch.Tensor) -> dict[str, torch.Tensor]:
        """Run the blocks, as far as the decoder reads them; see `Trunk.backbone`."""
        tokens: dict[str, torch.Tensor] = self._encoder(front)
        return tokens

    def complete(
        self,
        front: torch.Tensor,
        stages: Mapping[str, torch.Tensor],
        outputs: Collection[str],
    ) -> dict[str, torch.Tensor]:
        """Part class tokens (N, blocks, C) from maps (N, C, h, w); see `Trunk.complete`."""
        size = (front.shape[-2], front.shape[-1])
        features = {
            name: tokens[:, 1:].transpose(1, 2).unflatten(2, size)
            for name, tokens in stages.items()
        }
        read = self.decoder.inputs[:-1]
        features[CLASS_TOKENS] = torch.stack([stages[name][:, 0] for name in read], dim=1)
        return features

    def inference_parts(self) -> tuple[nn.Module, nn.Module]:
        """Return copies of patches and blocks; see `Trunk.inference_parts`."""
        return copy.deepcopy(self._patches), copy.deepcopy(self._encoder)

    def encode_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the text vectors (K, C) of CLIP's token numbers (K, L)."""
        text = self.clip.text_model
        places = text.embeddings.position_embedding.weight[: tokens.shape[1]]
        tokens = tokens.to(places.device)
        states = text.embeddings.token_embedding(tokens) + places  # (K, L, C_text)
        for layer in text.encoder.layers:
            states = run_encoder_layer(layer, states, causal=True)
        # The text's end has the highest number of all tokens, and is read out.
        ends = states[torch.arange(tokens.shape[0], device=tokens.device), tokens.argmax(dim=-1)]
        vectors: torch.Tensor = self.clip.text_projection(text.final_layer_norm(ends))
        return vectors


class ClipSegText(ClipText):
    """CLIP's text transformer, whose vectors keep their length: the decoder was trained so."""

    def merge(self, vectors: torch.Tensor) -> torch.Tensor:
        """Average the vectors of several prompts; see `TextEncoder.merge`."""
        return vectors.mean(dim=-2)


class _Patches(nn.Module):
    """Patch embeddings with positions, (N, C, h, w)."""

    def __init__(self, vision: Any) -> None:
        super().__init__()
        self.convolution = vision.embeddings.patch_embedding
        self.norm = vision.pre_layrnorm
        places = vision.embeddings.position_embedding.weight[1:].detach().T  # (C, side * side)
        side = round(places.shape[1] ** 0.5)
        self.register_buffer('places', places.unflatten(1, (side, side)), persistent=False)
        self._grids = PositionGrids()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        patches = self.convolution(image)
        placed = patches + self._grids.get(patches, self._resize)
        normed: torch.Tensor = self.norm(placed.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return normed

    def _resize(self, height: int, width: int) -> torch.Tensor:
        """Resize as transformers does: bicubic, a = -.75, without antialias."""
        places = self.get_buffer('places')[None]
        return F.interpolate(places, (height, width), mode='bicubic', align_corners=False)[0]


class _Encoder(nn.Module):
    """The blocks up to the last one that is read, from patch embeddings to tokens by name."""

    def __init__(self, vision: Any, blocks: Mapping[int, str]) -> None:
        super().__init__()
        self.blocks = dict(blocks)
        embeddings = vision.embeddings
        first = embeddings.class_embedding + embeddings.position_embedding.weight[0]
        with torch.no_grad():
            self.register_buffer('first', vision.pre_layrnorm(first), persistent=False)
        self.layers = nn.ModuleList(vision.encoder.layers[: max(blocks)])

    def forward(self, front: torch.Tensor) -> dict[str, torch.Tensor]:
        n, channels = front.shape[:2]
        first = self.get_buffer('first').expand(n, 1, channels)
        tokens = torch.cat([first, front.flatten(2).transpose(1, 2)], dim=1)  # (N, 1 + hw, C)
        found = {}
        for depth, layer in enumerate(self.layers, start=1):
            tokens = run_encoder_layer(layer, tokens)
            if depth in self.blocks:
                found[self.blocks[depth]] = tokens
        return found
