# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The ResNet CLIPs of open_clip as trunks: stages, the global image vector and dense values."""

import copy
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

import open_clip
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from affordance_ros.image.letterbox import STRIDE
from affordance_ros.image.preprocess import CLIP_NORMALIZATION
from affordance_ros.image.preprocess import Normalization
from affordance_ros.model.clip_text import ClipText
from affordance_ros.model.neck import NeckConfig
from affordance_ros.model.trunk import DENSE
from affordance_ros.model.trunk import GLOBAL
from affordance_ros.model.trunk import Stage
from affordance_ros.model.trunk import Trunk

POSITIONS = 'positions'
# How a ResNet of open_clip names a convolution and the BatchNorm behind it.
_PAIRS = (('conv1', 'bn1'), ('conv2', 'bn2'), ('conv3', 'bn3'), ('0', '1'))
_STAGES = {'stride32': 'layer4', 'stride16': 'layer3', 'stride8': 'layer2'}


class ResNetClip(Trunk):
    """A ResNet CLIP of open_clip.

    Args:
        clip: The CLIP whose `visual` is a ModifiedResNet.
        name: The model's name, kept in checkpoints.
        weights: Where its weights came from, for people to read.
        untrained: True if the weights are random.

    Raises:
        ValueError: If the visual tower is not a ResNet.
    """

    family = 'clip'

    def __init__(
        self, clip: open_clip.CLIP, *, name: str, weights: str, untrained: bool = False
    ) -> None:
        super().__init__(name=name, weights=weights, untrained=untrained)
        if not hasattr(clip.visual, 'layer4') or not hasattr(clip.visual, 'attnpool'):
            raise ValueError(
                f'{name} has no ResNet trunk: AffordanceCLIP needs the stages of a ResNet CLIP, '
                f'such as RN101-quickgelu'
            )
        self.clip = clip
        self.text = ClipText(clip)
        self.freeze()
        self._position_grids: dict[tuple[int, int, torch.device, torch.dtype], torch.Tensor] = {}

    @property
    def embed_dim(self) -> int:
        """C, the length of image and text vectors."""
        return int(self.clip.visual.output_dim)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The feature maps, from coarse to fine."""
        return tuple(
            Stage(name, int(getattr(self.clip.visual, layer)[-1].conv3.out_channels), stride)
            for (name, layer), stride in zip(_STAGES.items(), (32, 16, 8), strict=True)
        )

    @property
    def other_channels(self) -> dict[str, int]:
        """Channels of the global vector and of the dense features."""
        return {GLOBAL: self.embed_dim, DENSE: self.embed_dim}

    @property
    def default_neck(self) -> NeckConfig:
        """The paper's, as far as it is published."""
        return NeckConfig()

    @property
    def normalization(self) -> Normalization:
        """CLIP's."""
        return CLIP_NORMALIZATION

    @property
    def logit_scale(self) -> float:
        """The temperature that CLIP has learned, as a factor on cosines."""
        return float(self.clip.logit_scale.exp())

    def hashed_state(self) -> dict[str, torch.Tensor]:
        """Return CLIP's own state dict, whatever holds it."""
        state: dict[str, torch.Tensor] = self.clip.state_dict()
        return state

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
        constants: Mapping[str, torch.Tensor] | None = None,
    ) -> dict[str, torch.Tensor]:
        """Add what the attention pool makes of the last stage; see `Trunk.complete`."""
        grid = (constants or {}).get(POSITIONS)
        features = dict(stages)
        if GLOBAL in outputs:
            features[GLOBAL] = self.pool(stages['stride32'], grid)
        if DENSE in outputs:
            features[DENSE] = self.project_values(stages['stride32'], grid)
        return features

    def size_constants(self, height: int, width: int) -> dict[str, torch.Tensor]:
        """Return the attention pool's positions, which ONNX has no operator to resize."""
        like = torch.zeros(1, 1, height // STRIDE, width // STRIDE, device=self.device)
        return {POSITIONS: self.position_grid(like)}

    def inference_parts(self) -> tuple[nn.Module, nn.Module]:
        """Return copies with the BatchNorms folded; see `Trunk.inference_parts`."""
        return _Front(self.clip.visual), _Backbone(self.clip.visual)

    def pool(self, layer4: torch.Tensor, grid: torch.Tensor | None = None) -> torch.Tensor:
        """Attention-pool layer4 into F_S, querying with the mean token alone.

        open_clip queries with every token and keeps the first; the result is the same.

        Args:
            layer4: (N, C1, h, w).
            grid: As `position_grid` returns it, where it is at hand.

        Returns:
            F_S, (N, C), not normalised.
        """
        pool = self.clip.visual.attnpool
        tokens = self._tokens(layer4, grid)  # (N, 1 + hw, C1)
        n, length, channels = tokens.shape
        heads = pool.num_heads
        # Split into heads: (N, heads, 1 or 1 + hw, d).
        query = pool.q_proj(tokens[:, :1]).view(n, 1, heads, -1).transpose(1, 2)
        key = pool.k_proj(tokens).view(n, length, heads, -1).transpose(1, 2)
        value = pool.v_proj(tokens).view(n, length, heads, -1).transpose(1, 2)
        pooled = F.scaled_dot_product_attention(query, key, value)  # (N, heads, 1, d)
        return pool.c_proj(pooled.transpose(1, 2).reshape(n, channels))  # (N, C)

    def project_values(
        self, layer4: torch.Tensor, grid: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Apply the pool's value and output projections at every location (MaskCLIP, ECCV 2022).

        Args:
            layer4: (N, C1, h, w).
            grid: As `position_grid` returns it, where it is at hand.

        Returns:
            (N, C, h, w) in the space of text features, not normalised.
        """
        pool = self.clip.visual.attnpool
        n, _, h, w = layer4.shape
        values = pool.c_proj(pool.v_proj(self._tokens(layer4, grid)[:, 1:]))  # (N, hw, C)
        return values.transpose(1, 2).reshape(n, -1, h, w)

    def _tokens(self, layer4: torch.Tensor, grid: torch.Tensor | None) -> torch.Tensor:
        """Return the pool's tokens, (N, 1 + hw, C1): the mean first, positions added."""
        first = self.clip.visual.attnpool.positional_embedding[0].to(layer4.dtype)
        mean = layer4.flatten(2).transpose(1, 2).mean(dim=1, keepdim=True) + first  # (N, 1, C1)
        placed = layer4 + (self.position_grid(layer4) if grid is None else grid)
        return torch.cat([mean, placed.flatten(2).transpose(1, 2)], dim=1)

    def position_grid(self, layer4: torch.Tensor) -> torch.Tensor:
        """Return the locations' positional embedding, (C1, h, w), made once per size.

        Args:
            layer4: (N, C1, h, w), or another tensor of that size, device and dtype.
        """
        size = layer4.shape[-2], layer4.shape[-1]
        key = (*size, layer4.device, layer4.dtype)
        if key not in self._position_grids:
            embedding = self.clip.visual.attnpool.positional_embedding.detach()
            side = round((len(embedding) - 1) ** 0.5)
            grid = embedding[1:].T.reshape(1, -1, side, side)
            if size != (side, side):
                grid = F.interpolate(
                    grid, size, mode='bicubic', antialias=True, align_corners=False
                )
            self._position_grids[key] = grid[0].to(layer4.device, layer4.dtype)
        return self._position_grids[key]


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
