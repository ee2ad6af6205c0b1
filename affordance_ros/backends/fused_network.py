# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A model's image network as inference wants it: folded, the backbone in half precision."""

import torch
from torch import nn

from affordance_ros.model.grounding import GroundingModel


class FusedNetwork(nn.Module):
    """Answers as the model does, but for rounding, in fewer steps; the model keeps its answers.

    The trunk's front, what it adds to the stages, neck and head stay in float32: there rounding
    moves best targets most (docs/performance.md), and most of the arithmetic is elsewhere.

    Args:
        model: The model.
        dtype: What the backbone computes in.
    """

    def __init__(self, model: GroundingModel, dtype: torch.dtype) -> None:
        super().__init__()
        self._trunk = model.trunk
        self._decoder = model.decoder
        self._dtype = dtype
        front, backbone = model.trunk.inference_parts()
        self._front = front
        self._backbone = backbone.to(dtype)
        self.to(memory_format=torch.channels_last)

    def forward(self, image: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Compute activation maps; see `GroundingModel.forward`."""
        front = self._front(image)
        stages = self._backbone(front.to(self._dtype))
        exact = {name: stage.float() for name, stage in stages.items()}
        return self._decoder(self._trunk.complete(front, exact, self._decoder.inputs), text)
