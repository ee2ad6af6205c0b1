# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A model's image network as inference wants it: BatchNorm folded, stages in half precision."""

import copy
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.trunk import STAGES

# How a ResNet of open_clip names a convolution and the BatchNorm behind it.
_PAIRS = (('conv1', 'bn1'), ('conv2', 'bn2'), ('conv3', 'bn3'), ('0', '1'))


class LeanNetwork(nn.Module):
    """Answers as the model does, but for rounding, in fewer steps; the model keeps its answers.

    Stem, first stage, attention pool, neck and head stay in float32: there rounding moves best
    targets most (docs/performance.md), and most of the arithmetic is elsewhere.

    Args:
        model: The model.
        dtype: What the stages from the second on compute in.
    """

    def __init__(self, model: GroundingModel, dtype: torch.dtype) -> None:
        super().__init__()
        self._trunk = model.trunk
        self._decoder = model.decoder
        self._dtype = dtype
        visual = model.trunk.clip.visual
        front = copy.copy(visual)
        front._modules = {
            name: copy.deepcopy(module)
            for name, module in visual._modules.items()
            if name not in (*STAGES, 'attnpool')
        }
        self._front: Any = fold_batch_norms(front)
        self._stages = nn.ModuleDict(
            {
                name: fold_batch_norms(copy.deepcopy(getattr(visual, name))).to(dtype)
                for name in STAGES
            }
        )
        self.to(memory_format=torch.channels_last)

    def forward(self, image: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Compute activation maps; see `GroundingModel.forward`."""
        stage = self._front.layer1(self._front.stem(image)).to(self._dtype)
        features = {}
        for name, module in self._stages.items():
            stage = module(stage)
            features[name] = stage.float()
        return self._decoder(self._trunk.complete(features, self._decoder.inputs), text)


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
