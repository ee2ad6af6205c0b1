# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The interface of all backends, and what is asked of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from typing import runtime_checkable

import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.letterbox import Letterbox

BACKENDS = ('torch', 'openvino', 'onnxruntime', 'tensorrt')
PRECISIONS = ('f32', 'f16', 'bf16')
AUTO = 'auto'
FRONT = 'front'  # the tensor of an image network at which its backbone begins
NO_CACHE = 'off'


class BackendError(RuntimeError):
    """A backend is not installed, or can't run this model on this device."""


@dataclass(frozen=True)
class BackendConfig:
    """Which backend runs the model, and how.

    Attributes:
        backend: 'auto' for the fastest that is installed and works here, or one of BACKENDS.
        precision: 'auto' for the fastest that keeps the answers, or one of PRECISIONS.
        cache_dir: Where compiled models are kept; '' for the user's cache, 'off' for nowhere.
        num_threads: CPU threads of the model; 0 leaves the choice to the backend.
        pin_threads: Whether threads keep to their cores (OpenVINO alone); right only where the
            cores belong to this process.
    """

    backend: str = AUTO
    precision: str = AUTO
    cache_dir: str = ''
    num_threads: int = 0
    pin_threads: bool = False

    def __post_init__(self) -> None:
        """Refuse unknown names and values out of range."""
        for name, value, known in (
            ('backend', self.backend, BACKENDS),
            ('precision', self.precision, PRECISIONS),
        ):
            if value not in (AUTO, *known):
                raise ValueError(
                    f'{name} {value!r} is unknown; known are {", ".join((AUTO, *known))}'
                )
        if self.num_threads < 0:
            raise ValueError(f'num_threads {self.num_threads} must not be negative')


class Backend(Protocol):
    """Runs the image network of one model. One thread at a time may use it."""

    @property
    def description(self) -> str:
        """Backend, precision and device in one phrase, such as 'openvino bf16 on cpu'."""

    def run(self, pixels: NDArray[np.float32], text: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute activation maps; another text never compiles anything.

        Args:
            pixels: (N, 3, H, W) float32, CLIP-normalised RGB; sides are multiples of 32.
            text: (K, C) float32 unit vectors for all images, or (N, K, C).

        Returns:
            Logits (N, K, h, w) float32, at the decoder's resolution.
        """


@runtime_checkable
class FrameBackend(Protocol):
    """A backend that also prepares images itself, where its device does it faster."""

    def run_frame(
        self,
        image: NDArray[np.uint8],
        box: Letterbox,
        channels: str,
        text: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Compute an image's activation maps, as `run` does from what `prepare` makes of it.

        Args:
            image: (H, W, 3) uint8, or (H, W) with channels='mono'.
            box: How it lies on the canvas.
            channels: 'rgb', 'bgr' or 'mono'.
            text: (K, C) float32 unit vectors.

        Returns:
            Logits (1, K, h, w) float32.
        """


class Network(Protocol):
    """The image network of a model in the form that every backend but torch compiles."""

    @property
    def label(self) -> str:
        """The model's name, for file names."""

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the tensors that the backbone makes."""

    @property
    def key(self) -> str:
        """A hash of the weights and of how the network is written."""

    def onnx(self, canvas: tuple[int, int]) -> bytes | Path:
        """Return ONNX for inputs of (height, width) pixels, or its file; N and K are dynamic.

        Inputs are `pixels` (N, 3, H, W) and `text` (N, K, C), the output is `logits`. Inside, the
        tensor before the backbone is named FRONT, and those behind it by `stages`.

        Raises:
            BackendError: If the network can't be written for this size.
        """


def shared_text(text: NDArray[np.float32], images: int) -> NDArray[np.float32]:
    """Return text (K, C) or (N, K, C) as (N, K, C), a view where it was shared."""
    return np.broadcast_to(text, (images, *text.shape[-2:]))
