# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which model to load; needs no torch."""

import os
from dataclasses import dataclass
from pathlib import Path

from affordance_ros.model.embedded import EMBEDDED


@dataclass(frozen=True)
class ModelConfig:
    """Which model to load.

    Attributes:
        model: The model that ships (`household`), `compact`, an open_clip ResNet name, or an
            exported one's folder.
        weights: A path, an open_clip tag, or `random`; empty for the model's own: the shipped
            ones, or OpenAI's.
        checkpoint: A trained neck and head (safetensors); empty for the shipped one, where there
            is none for the training-free head.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
    """

    model: str = 'household'
    weights: str = ''
    checkpoint: str = ''
    device: str = 'auto'

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
