# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The ResNet CLIPs of open_clip as trunks: stages, the global image vector, MaskCLIP's values."""

import copy
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from affordance_ros.model.clip_trunk import ClipTrunk
from affordance_ros.model.trunk import GLOBAL
from affordance_ros.model.trunk import Stage

# How a ResNet of open_clip names a convolution and the BatchNorm behind it.
_PAIRS = (('conv1', 'bn1'), ('conv2', 'bn2'), ('conv3', 'bn3'), ('0', '1'))
_STAGES = {'stride32': 'layer4', 'stride16': 'layer3', 'stride8': 'layer2'}


class ResNetClip(ClipTrunk):
    """A ResNet CLIP of open_clip: its `visual` is a ModifiedResNet; see `ClipTrunk`."""

    family = 'clip'
    dense_heads = ('maskclip',)

    @staticmethod
    def check_tower(visual: nn.Module, name: str) -> None:
        """Refuse what is not a ResNet; see `ClipTrunk.check_tower`."""
        if not hasattr(visual, 'layer4') or not hasattr(visual, 'attnpool'):
            raise ValueError(f'{name} has no ResNet: its visual tower is {type(visual)}')

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The feature maps, from coarse to fine."""
        return tuple(
            Stage(name, int(getattr(self.clip.visual, layer)[-1].conv3.out_channels), stride)
            for (name, layer), stride in zip(_STAGES.items(), (32, 16, 8), strict=True)
        )

    @property
    def position_embedding(self) -> torch.Tensor:
        """The attention pool's; see `ClipTrunk.position_embedding`."""
        embedding: torch.Tensor = self.clip.visual.attnpool.positional_embedding
        return embedding

    def front(self, image: torch.Tensor) -> torch.Tensor:
        """Return layer1's output; see `Trunk.front`."""
        visual = self.clip.visual
        return visual.layer1(visual.stem(image))

    def backbone(self, front: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the outputs of layer2 to layer4; see `Trunk.backbone`."""
        return _run_layers(self.clip.visual, front)

    def complete(
        self,
        front: torch.Tensor,
        stages: Mapping[str, torch.Tensor],
        outputs: Collection[str],
    ) -> dict[str, torch.Tensor]:
        """Add what the attention pool makes of the last stage; see `Trunk.complete`."""
        features = dict(stages)
        if GLOBAL in outputs:
            features[GLOBAL] = self.pool(stages['stride32'])
        if 'maskclip' in outputs:
            features['maskclip'] = self.maskclip(stages['stride32'])
        return features

    def inference_parts(self) -> tuple[nn.Module, nn.Module]:
        """Return copies with the BatchNorms folded; see `Trunk.inference_parts`."""
        return _Front(self.clip.visual), _Backbone(self.clip.visual)

    def pool(self, layer4: torch.Tensor) -> torch.Tensor:
        """Attention-pool layer4 into F_S, querying with the mean token alone.

        open_clip queries with every token and keeps the first; the result is the same.

        Args:
            layer4: (N, C1, h, w).

        Returns:
            F_S, (N, C), not normalised.
        """
        pool = self.clip.visual.attnpool
        first = pool.positional_embedding[0].to(layer4.dtype)
        mean = layer4.flatten(2).transpose(1, 2).mean(dim=1, keepdim=True) + first  # (N, 1, C1)
        placed = layer4 + self.position_grid(layer4)
        tokens = torch.cat([mean, placed.flatten(2).transpose(1, 2)], dim=1)  # (N, 1 + hw, C1)
        n, length, channels = tokens.shape
        heads = pool.num_heads
        # Split into heads: (N, heads, 1 or 1 + hw, d).
        query = pool.q_proj(mean).view(n, 1, heads, -1).transpose(1, 2)
        key = pool.k_proj(tokens).view(n, length, heads, -1).transpose(1, 2)
        value = pool.v_proj(tokens).view(n, length, heads, -1).transpose(1, 2)
        pooled = F.scaled_dot_product_attention(query, key, value)  # (N, heads, 1, d)
        return pool.c_proj(pooled.transpose(1, 2).reshape(n, channels))  # (N, C)

    def maskclip(self, layer4: torch.Tensor) -> torch.Tensor:
        """Apply the pool's value and output projections at every location (MaskCLIP, ECCV 2022).

        Without the pool's positions, as in the paper: they say where a location is and not what.

        Args:
            layer4: (N, C1, h, w).

        Returns:
            (N, C, h, w) in the space of text features, not normalised.
        """
        pool = self.clip.visual.attnpool
        n, _, h, w = layer4.shape
        values = pool.c_proj(pool.v_proj(layer4.flatten(2).transpose(1, 2)))  # (N, hw, C)
        return values.transpose(1, 2).reshape(n, -1, h, w)


class _Front(nn.Module):
    """Stem and first layer of a ResNet, copied and folded."""

    def __init__(self, visual: Any) -> None:
        super().__init__()
        visual = _copy(visual, without=(*_STAGES.values(), 'attnpool'))
        self.visual: Any = fold_batch_norms(visual)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.visual.layer1(self.visual.stem(image))


class _Backbone(nn.Module):
    """The later layers of a ResNet, copied and folded."""

    def __init__(self, visual: Any) -> None:
        super().__init__()
        for layer in _STAGES.values():
            self.add_module(layer, fold_batch_norms(copy.deepcopy(getattr(visual, layer))))

    def forward(self, front: torch.Tensor) -> dict[str, torch.Tensor]:
        return _run_layers(self, front)


def _run_layers(layers: Any, front: torch.Tensor) -> dict[str, torch.Tensor]:
    """Run layer2 to layer4, which are attributes of a module."""
    stages = {}
    stage = front
    for name, layer in reversed(_STAGES.items()):
        stage = stages[name] = getattr(layers, layer)(stage)
    return stages


def _copy(visual: Any, *, without: Collection[str]) -> Any:
    twin = copy.copy(visual)
    twin._modules = {
        name: copy.deepcopy(module)
        for name, module in visual._modules.items()
        if name not in without
    }
    return twin


def fold_batch_norms(module: nn.Module) -> nn.Module:
    """Fold every BatchNorm of a ResNet into the convolution before it, in place.

    Args:
        module: In eval mode, in float32.

    Returns:
        The module.
    """
    for part in module.modules():
        for convolution, norm in _PAIRS:
            before, behind = part._modules.get(convolution), part._modules.get(norm)
            if isinstance(before, nn.Conv2d) and isinstance(behind, nn.BatchNorm2d):
                part._modules[convolution] = fuse_conv_bn_eval(before, behind)
                part._modules[norm] = nn.Identity()
    return module
