# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""NanoDet-g (RangiLyu/nanodet, Apache-2.0) in torch: plain 3x3 convolutions, BatchNorm folded."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from affordance_ros.model.household.classes import CLASSES
from affordance_ros.model.household.shape import TowerShape

_SLOPE = 0.1  # of every LeakyReLU
_BLOCKS = (1, 2, 2, 3)  # of the four stages
_FINEST = 'stride4'  # which the pyramid leaves out
_CLASSES = len(CLASSES)
_BOXES = 44  # distances to the box's sides, which nothing here reads


class ImageTower(nn.Module):
    """Backbone, pyramid and class scores of the detector.

    Args:
        shape: Its widths.
    """

    def __init__(self, shape: TowerShape) -> None:
        super().__init__()
        self.shape = shape
        self.stem = _Conv(3, shape.stem, stride=2)
        width = shape.stem
        self.stages = nn.ModuleDict()
        for (name, channels), blocks in zip(shape.backbone.items(), _BLOCKS, strict=True):
            stride = 1 if name == _FINEST else 2
            self.stages[name] = _Stage(width, channels, stride=stride, blocks=blocks)
            width = channels
        levels = [name for name in shape.backbone if name != _FINEST]
        self.lateral = nn.ModuleDict(
            {name: nn.Conv2d(shape.backbone[name], shape.pyramid, 1) for name in levels}
        )
        self.head = nn.ModuleDict({name: _Conv(shape.pyramid, shape.pyramid) for name in levels})
        self.scores = nn.ModuleDict(
            {name: nn.Conv2d(shape.pyramid, _CLASSES + _BOXES, 1) for name in levels}
        )

    @property
    def channels(self) -> dict[str, int]:
        """Channels of `forward`'s stages: the backbone's and the head's, side by side."""
        extra = {name: 0 if name == _FINEST else self.shape.pyramid for name in self.stages}
        return {name: width + extra[name] for name, width in self.shape.backbone.items()}

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Compute the stages.

        Args:
            image: (N, 3, H, W) RGB, normalised.

        Returns:
            'stride4' (N, 64, H/4, W/4), and 'stride8' (N, 256, H/8, W/8), 'stride16' (N, 384, ..)
            and 'stride32' (N, 640, ..), in which the head's 128 channels come last.
        """
        front = self.start(image)
        return {_FINEST: front, **self.finish(front)}

    def start(self, image: torch.Tensor) -> torch.Tensor:
        """Return 'stride4', (N, 64, H/4, W/4)."""
        stem = F.max_pool2d(self.stem(image), kernel_size=3, stride=2, padding=1)
        stage: torch.Tensor = self.stages[_FINEST](stem)
        return stage

    def finish(self, stride4: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return all other stages from the finest one; see `forward`."""
        backbone: dict[str, torch.Tensor] = {}
        stage = stride4
        for name, module in self.stages.items():
            if name != _FINEST:
                stage = backbone[name] = module(stage)
        heads = self._heads(backbone)
        return {name: torch.cat([backbone[name], head], dim=1) for name, head in heads.items()}

    def class_maps(self, stages: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return each class's probability, (N, 80, H/8, W/8): the largest of the three levels'.

        Args:
            stages: What `forward` returned.
        """
        size = stages['stride8'].shape[-2:]
        best: torch.Tensor | None = None
        for name, scores in self.scores.items():
            logits = scores(stages[name][:, -self.shape.pyramid :])[:, :_CLASSES]
            logits = F.interpolate(logits, size, mode='bilinear', align_corners=False)
            best = logits if best is None else torch.maximum(best, logits)
        if best is None:
            raise RuntimeError('the detector has no level')
        return best.sigmoid()

    def _heads(self, backbone: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return the detector's head features, (N, 128, h, w) of each level."""
        top_down: dict[str, torch.Tensor] = {}
        above: torch.Tensor | None = None
        for name in reversed(list(self.lateral)):
            level = self.lateral[name](backbone[name])
            above = level if above is None else level + _resize(above, level)
            top_down[name] = above
        features: dict[str, torch.Tensor] = {}
        below: torch.Tensor | None = None
        for name in self.lateral:
            level = top_down[name]
            below = level if below is None else level + _resize(below, level)
            features[name] = self.head[name](below)
        return features


class _Conv(nn.Conv2d):
    """A 3x3 convolution with LeakyReLU."""

    def __init__(self, width: int, to: int, *, stride: int = 1) -> None:
        super().__init__(width, to, kernel_size=3, stride=stride, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(super().forward(x), _SLOPE)


class _Block(nn.Module):
    """A convolution whose input is kept beside its output."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = _Conv(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.conv(x), x], dim=1)  # twice the width


class _Stage(nn.Module):
    """A cross-stage partial stage: half of its output skips the blocks."""

    def __init__(self, width: int, channels: int, *, stride: int, blocks: int) -> None:
        super().__init__()
        half = channels // 2
        self.enter = _Conv(width, half, stride=stride)
        self.narrow = nn.ModuleList(_Conv(half, half // 2) for _ in range(blocks))
        self.blocks = nn.ModuleList(_Block(half // 2) for _ in range(blocks))
        self.leave = _Conv(half, half)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skipped = deep = self.enter(x)
        for narrow, block in zip(self.narrow, self.blocks, strict=True):
            deep = block(narrow(deep))
        return torch.cat([self.leave(deep), skipped], dim=1)


def _resize(feature: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return F.interpolate(feature, like.shape[-2:], mode='bilinear', align_corners=False)
