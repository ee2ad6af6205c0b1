# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""torch as a backend: the reference that all others are held against."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from affordance_ros.model.grounding import GroundingModel


class TorchBackend:
    """Runs the model as it was loaded.

    Args:
        model: The loaded model, on its device.
    """

    def __init__(self, model: GroundingModel) -> None:
        self._model = model

    @property
    def description(self) -> str:
        """Backend, precision and device."""
        return f'torch f32 on {self._model.device}'

    @torch.inference_mode()
    def run(self, pixels: NDArray[np.float32], text: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute activation maps; see `Backend.run`."""
        device = self._model.device
        image = torch.from_numpy(pixels).to(device, memory_format=torch.channels_last)
        with exact_float32():
            logits = self._model(image, torch.from_numpy(text).to(device))
        return np.asarray(logits.float().cpu().numpy(), np.float32)


@contextmanager
def exact_float32() -> Iterator[None]:
    """Let cuDNN multiply float32 as float32; by default its convolutions round to TF32."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=False):
        yield
