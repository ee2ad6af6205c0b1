# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The plain ViT CLIPs of open_clip as trunks: pyramid, global vector, training-free heads."""

import copy
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

import open_clip
import torch
from torch import nn

from affordance_ros.model.clip_trunk import ClipTrunk
from affordance_ros.model.trunk import GLOBAL
from affordance_ros.model.trunk import Stage
from affordance_ros.model.vit_block import HEADS
from affordance_ros.model.vit_block import dense_tokens
from affordance_ros.model.vit_block import run_block
from affordance_ros.model.vit_pyramid import MIDDLE
from affordance_ros.model.vit_pyramid import MIN_BLOCKS
from affordance_ros.model.vit_pyramid import last_stage
from affordance_ros.model.vit_pyramid import middle_blocks
from affordance_ros.model.vit_pyramid import pyramid_stages
from affordance_ros.model.vit_pyramid import resize_level
from affordance_ros.model.vit_pyramid import to_map
from affordance_ros.model.vit_pyramid import whole_patches

TOKENS = 'tokens'  # what the last block reads, (N, 1 + hw, C)


class VitClip(ClipTrunk):
    """A ViT CLIP of open_clip, with the feature pyramid of `vit_pyramid`.

    Its `visual` is a plain VisionTransformer with a class token; arguments: see `ClipTrunk`.
    """

    family = 'vit'
    dense_heads = HEADS

    @staticmethod
    def check_tower(visual: nn.Module, name: str) -> None:
        """Refuse what is not a plain ViT with a class token; see `ClipTrunk.check_tower`."""
        if not isinstance(visual, open_clip.transformer.VisionTransformer):
            raise ValueError(f'{name} has no plain ViT: its visual tower is {type(visual)}')
        if visual.attn_pool is not None or visual.pool_type != 'tok' or visual.final_ln_after_pool:
            raise ValueError(f'{name} pools otherwise than by the class token, which is not read')
        if len(visual.transformer.resblocks) < MIN_BLOCKS:
            raise ValueError(f'{name} has fewer than {MIN_BLOCKS} blocks')

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The feature maps, from coarse to fine."""
        return pyramid_stages(len(self.clip.visual.class_embedding))

    @property
    def backbone_stages(self) -> tuple[str, ...]:
        """Two middle maps, and the tokens that the last block reads."""
        return (*MIDDLE.values(), TOKENS)

    @property
    def patch(self) -> int:
        """The side of a patch, in pixels."""
        return int(self.clip.visual.patch_size[0])

    @property
    def position_embedding(self) -> torch.Tensor:
        """The patches'; see `ClipTrunk.position_embedding`."""
        embedding: torch.Tensor = self.clip.visual.positional_embedding
        return embedding

    def front(self, image: torch.Tensor) -> torch.Tensor:
        """Return the patches' embeddings with positions; see `Trunk.front`."""
        return self._embed(self.clip.visual, image)

    def _embed(self, visual: Any, image: torch.Tensor) -> torch.Tensor:
        """Return (N, C, h, w) patch embeddings, by the convolution and norm of `visual`."""
        patches = visual.conv1(whole_patches(image, self.patch))  # (N, C, h, w)
        placed = patches + self.position_grid(patches)
        return visual.ln_pre(placed.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def backbone(self, front: torch.Tensor) -> dict[str, torch.Tensor]:
        """Run all blocks but the last; see `Trunk.backbone`."""
        return _run_blocks(self.clip.visual, front)

    def complete(
        self,
        front: torch.Tensor,
        stages: Mapping[str, torch.Tensor],
        outputs: Collection[str],
    ) -> dict[str, torch.Tensor]:
        """Run the last block as far as it is wanted; see `Trunk.complete`."""
        visual, tokens = self.clip.visual, stages[TOKENS]
        last_block = visual.transformer.resblocks[-1]
        height, width = front.shape[-2], front.shape[-1]
        features = {}
        if GLOBAL in outputs or 'stride32' in outputs:
            last = run_block(last_block, tokens)  # (N, 1 + hw, C)
            features[GLOBAL] = visual.ln_post(last[:, 0]) @ visual.proj
            features['stride32'] = last_stage(to_map(last, height, width), self.patch)
        for name, source in MIDDLE.items():
            if name in outputs:
                stride = int(name.removeprefix('stride'))
                features[name] = resize_level(stages[source], stride, patch=self.patch)
        for head in outputs:
            if head in HEADS:
                values = dense_tokens(head, last_block, tokens, (height, width))  # (N, hw, C)
                values = visual.ln_post(values) @ visual.proj  # (N, hw, embed_dim)
                features[head] = values.transpose(1, 2).unflatten(2, (height, width))
        return features

    def inference_parts(self) -> tuple[nn.Module, nn.Module]:
        """Return copies of the embedding and the blocks; see `Trunk.inference_parts`."""
        return _Front(self), _Backbone(self.clip.visual)


class _Front(nn.Module):
    """Convolution and norm of a ViT, copied; positions come from the trunk."""

    def __init__(self, trunk: VitClip) -> None:
        super().__init__()
        visual = trunk.clip.visual
        self.conv1 = copy.deepcopy(visual.conv1)
        self.ln_pre = copy.deepcopy(visual.ln_pre)
        self._embed = trunk._embed  # a method, so that the trunk is not part of this module

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self._embed(self, image)


class _Backbone(nn.Module):
    """The blocks of a ViT but the last, copied."""

    def __init__(self, visual: Any) -> None:
        super().__init__()
        self.class_embedding = copy.deepcopy(visual.class_embedding)
        self.positional_embedding = nn.Parameter(
            visual.positional_embedding[:1].detach().clone(), requires_grad=False
        )
        self.ln_pre = copy.deepcopy(visual.ln_pre)
        self.transformer = nn.Module()
        self.transformer.resblocks = copy.deepcopy(visual.transformer.resblocks)

    def forward(self, front: torch.Tensor) -> dict[str, torch.Tensor]:
        return _run_blocks(self, front)


def _run_blocks(visual: Any, front: torch.Tensor) -> dict[str, torch.Tensor]:
    """Run the blocks of a ViT but the last on patch embeddings (N, C, h, w)."""
    first = visual.ln_pre(visual.class_embedding + visual.positional_embedding[0])
    n, channels, height, width = front.shape
    patches = front.flatten(2).transpose(1, 2)  # (N, hw, C)
    tokens = torch.cat([first.expand(n, 1, channels), patches], dim=1)  # (N, 1 + hw, C)
    blocks = visual.transformer.resblocks
    wanted = middle_blocks(len(blocks))
    stages = {}
    for number, block in enumerate(blocks[:-1], start=1):
        tokens = run_block(block, tokens)
        if number in wanted:
            stages[wanted[number]] = to_map(tokens, height, width)
    return {**stages, TOKENS: tokens}
