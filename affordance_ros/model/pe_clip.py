# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Meta's Perception Encoders (PE-Core) as trunks: a ViT of timm beside open_clip's text tower."""

import copy
from collections.abc import Collection
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from affordance_ros.model.clip_trunk import ClipTrunk
from affordance_ros.model.positions import PositionGrids
from affordance_ros.model.trunk import GLOBAL
from affordance_ros.model.trunk import Stage
from affordance_ros.model.vit_pyramid import MIDDLE
from affordance_ros.model.vit_pyramid import last_stage
from affordance_ros.model.vit_pyramid import middle_blocks
from affordance_ros.model.vit_pyramid import pyramid_stages
from affordance_ros.model.vit_pyramid import resize_level
from affordance_ros.model.vit_pyramid import to_map
from affordance_ros.model.vit_pyramid import whole_patches

TOKENS = 'tokens'  # what the last block reads, (N, 1 + hw, C)
_MASKCLIP = 'maskclip'


class PeClip(ClipTrunk):
    """A PE-Core of open_clip, with the feature pyramid of `vit_pyramid`.

    It has absolute positions and rotary ones (RoPE), whose frequencies are spread over the grid
    of any size as over the one that it was trained on, and it pools by attention. `maskclip` is
    therefore what it is on a ResNet, the pool's values and output projection at every location;
    the pool's MLP and the projection to the space of text follow, as they do behind the pool. The
    other heads change the last block of a tower that pools by its class token.

    Arguments: see `ClipTrunk`; `visual` holds timm's Eva with a class token.
    """

    family = 'pe'
    dense_heads = (_MASKCLIP,)

    @staticmethod
    def check_tower(visual: nn.Module, name: str) -> None:
        """Refuse what is not a PE-Core with a class token; see `ClipTrunk.check_tower`."""
        tower: Any = getattr(visual, 'trunk', None)
        if getattr(tower, 'attn_pool', None) is None or getattr(tower, 'rope', None) is None:
            raise ValueError(f'{name} is not a PE-Core: its visual tower is {type(visual)}')
        if tower.num_prefix_tokens != 1:
            raise ValueError(f'{name} has {tower.num_prefix_tokens} class tokens, not one')

    @property
    def tower(self) -> Any:
        """Timm's Eva."""
        return self.clip.visual.trunk

    @property
    def embed_dim(self) -> int:
        """C, the length of image and text vectors."""
        return int(self.tower.num_classes)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The feature maps, from coarse to fine."""
        return pyramid_stages(self.tower.embed_dim)

    @property
    def backbone_stages(self) -> tuple[str, ...]:
        """Two middle maps, and the tokens that the last block reads."""
        return (*MIDDLE.values(), TOKENS)

    @property
    def patch(self) -> int:
        """The side of a patch, in pixels."""
        return int(self.tower.patch_embed.patch_size[0])

    @property
    def position_embedding(self) -> torch.Tensor:
        """The patches'; see `ClipTrunk.position_embedding`."""
        embedding: torch.Tensor = self.tower.pos_embed[0]
        return embedding

    @cached_property
    def rope(self) -> '_Rope':
        """The rotary positions."""
        return _Rope(self.tower)

    @property
    def first(self) -> torch.Tensor:
        """The class token with its position, as the first block reads it, (1, 1, C)."""
        token: torch.Tensor = self.tower.norm_pre(
            self.tower.cls_token + self.tower.pos_embed[:, :1]
        )
        return token

    def front(self, image: torch.Tensor) -> torch.Tensor:
        """Return the patches' embeddings with positions; see `Trunk.front`."""
        return self.embed(self.tower.patch_embed.proj, self.tower.norm_pre, image)

    def embed(self, projection: nn.Module, norm: nn.Module, image: torch.Tensor) -> torch.Tensor:
        """Return (N, C, h, w) patch embeddings, by a convolution and a norm."""
        patches = projection(whole_patches(image, self.patch))  # (N, C, h, w)
        placed = patches + self.position_grid(patches)
        normed: torch.Tensor = norm(placed.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return normed

    def backbone(self, front: torch.Tensor) -> dict[str, torch.Tensor]:
        """Run all blocks but the last; see `Trunk.backbone`."""
        return _run_blocks(self.tower.blocks[:-1], self.first, front, self.rope.get(front))

    def complete(
        self,
        front: torch.Tensor,
        stages: Mapping[str, torch.Tensor],
        outputs: Collection[str],
    ) -> dict[str, torch.Tensor]:
        """Run the last block and the pool as far as they are wanted; see `Trunk.complete`."""
        tower = self.tower
        height, width = front.shape[-2], front.shape[-1]
        features = {}
        if {GLOBAL, 'stride32', _MASKCLIP} & set(outputs):
            last = tower.blocks[-1](stages[TOKENS], rope=self.rope.get(front))  # (N, 1 + hw, C)
            features['stride32'] = last_stage(to_map(last, height, width), self.patch)
            last = tower.norm(last)
        if GLOBAL in outputs:
            features[GLOBAL] = tower.forward_head(last)
        if _MASKCLIP in outputs:
            pool = tower.attn_pool
            channels = pool.kv.in_features  # keys come first
            values = F.linear(last[:, 1:], pool.kv.weight[channels:], pool.kv.bias[channels:])
            values = pool.proj(values)  # (N, hw, C)
            values = tower.head(values + pool.mlp(pool.norm(values)))  # (N, hw, embed_dim)
            features[_MASKCLIP] = values.transpose(1, 2).unflatten(2, (height, width))
        for name, source in MIDDLE.items():
            if name in outputs:
                stride = int(name.removeprefix('stride'))
                features[name] = resize_level(stages[source], stride, patch=self.patch)
        return features

    def inference_parts(self) -> tuple[nn.Module, nn.Module]:
        """Return copies of the embedding and the blocks; see `Trunk.inference_parts`."""
        return _Front(self), _Blocks(self)


class _Rope:
    """The rotary positions of a tower, made once per size.

    Patch (column x, row y) of a (w, h) grid is turned by the angles theta_i w_0 (x + 1) / w, and
    then theta_i h_0 (y + 1) / h, each for two channels; theta_i = 10000^(-i / n), and w_0 and h_0
    are the sides of the grid that the tower was trained on.
    """

    def __init__(self, tower: Any) -> None:
        rope = tower.rope
        self._bands = tower.embed_dim // tower.blocks[0].attn.num_heads // 4
        self._temperature = float(rope.temperature)
        self._offset = float(rope.grid_offset)
        self._trained = tuple(rope.ref_feat_shape or rope.feat_shape)  # (rows, columns)
        self._grids = PositionGrids()

    def get(self, front: torch.Tensor) -> torch.Tensor:
        """Return sines and cosines, (hw, 2 d), of a map (N, C, h, w); float32, as timm's."""
        return self._grids.get(front, self._make, torch.float32)

    def _make(self, height: int, width: int) -> torch.Tensor:
        exponent = torch.arange(self._bands, dtype=torch.float32) / self._bands
        bands = self._temperature**-exponent
        rows = (torch.arange(height) + self._offset) / height * self._trained[0]
        columns = (torch.arange(width) + self._offset) / width * self._trained[1]
        across = (columns[:, None] * bands).expand(height, width, self._bands)
        down = (rows[:, None, None] * bands).expand(height, width, self._bands)
        angles = torch.cat([across, down], dim=-1).flatten(0, 1)  # (hw, d / 2)
        # Two neighbouring channels are turned together.
        angles = angles.unsqueeze(-1).expand(-1, -1, 2).flatten(1)
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


class _Front(nn.Module):
    """Convolution and norm, copied; positions come from the trunk."""

    def __init__(self, trunk: PeClip) -> None:
        super().__init__()
        self.projection = copy.deepcopy(trunk.tower.patch_embed.proj)
        self.norm = copy.deepcopy(trunk.tower.norm_pre)
        self._embed = trunk.embed  # a method, so that the trunk is not part of this module

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self._embed(self.projection, self.norm, image)


class _Blocks(nn.Module):
    """All blocks but the last, copied."""

    def __init__(self, trunk: PeClip) -> None:
        super().__init__()
        self.blocks = copy.deepcopy(trunk.tower.blocks[:-1])
        self.first = nn.Parameter(trunk.first.detach().clone(), requires_grad=False)
        self._rope = trunk.rope

    def forward(self, front: torch.Tensor) -> dict[str, torch.Tensor]:
        return _run_blocks(self.blocks, self.first, front, self._rope.get(front))


def _run_blocks(
    blocks: Any, first: torch.Tensor, front: torch.Tensor, rope: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Run all blocks but the last on a class token (1, 1, C) and patches (N, C, h, w)."""
    n, channels, height, width = front.shape
    tokens = torch.cat([first.expand(n, 1, channels), front.flatten(2).transpose(1, 2)], dim=1)
    wanted = middle_blocks(len(blocks) + 1)
    stages = {}
    for number, block in enumerate(blocks, start=1):
        tokens = block(tokens, rope=rope)  # (N, 1 + hw, C)
        if number in wanted:
            stages[wanted[number]] = to_map(tokens, height, width)
    return {**stages, TOKENS: tokens}
