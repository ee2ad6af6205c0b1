# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which model to load; needs no torch."""

import os
from dataclasses import dataclass
from pathlib import Path

from affordance_ros.model.embedded import EMBEDDED

BACKGROUNDS = ('canonical', 'none')  # what a training-free head's cosines are compared with


@dataclass(frozen=True)
class ModelConfig:
    """Which model to load.

    Attributes:
        model: The model that ships (`household`), an open_clip name of a ResNet, a plain ViT or a
            PE-Core, `clipseg-rd64-refined` or `clipseg-rd64`, `compact` or `compact-vit` for
            trials, or an exported one's folder.
        weights: A path, an open_clip tag, or `random`; empty for the model's own: the shipped
            ones, OpenAI's, or CLIPSeg's published ones.
        checkpoint: A trained neck and head (safetensors); empty for the shipped one, where there
            is none for the training-free head.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        head: The training-free head, where there is no checkpoint: `maskclip`, or `naclip`,
            `clearclip` or `sclip` on a ViT; empty for the trunk's default.
        background: What that head's cosines are compared with: `canonical` for phrases that fit
            anything, so that scores are absolute, or `none` for heat that is the cosine alone.
    """

    model: str = 'household'
    weights: str = ''
    checkpoint: str = ''
    device: str = 'auto'
    head: str = ''
    background: str = 'canonical'

    @property
    def checkpoint_in_use(self) -> str:
        """The checkpoint given, else the shipped one, else ''."""
        shipped = EMBEDDED.get(self.model)
        if self.checkpoint or shipped is None or self.weights:
            return self.checkpoint
        return str(shipped.checkpoint)


def looks_like_path(weights: str) -> bool:
    """Tell whether weights are given as a file; else they are open_clip's tag."""
    return os.sep in weights or Path(weights).suffix != '' or Path(weights).is_file()
