# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""torch on a GPU: the image is uploaded once, and one captured graph does all the rest."""

import numpy as np
import torch
from numpy.typing import NDArray

from affordance_ros.backends.base import BackendError
from affordance_ros.backends.device_letterbox import DeviceLetterbox
from affordance_ros.backends.fused_network import FusedNetwork
from affordance_ros.backends.torch_backend import exact_float32
from affordance_ros.image.letterbox import Letterbox
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.lru import LruCache

_DTYPES = {'f32': torch.float32, 'f16': torch.float16, 'bf16': torch.bfloat16}
# An image's size, its letterbox and a number of commands make a graph of their own.
_KEPT = 8
_WARM_UPS = 3


class CudaBackend:
    """Runs the network on the model's device; on a GPU by CUDA graphs in a stream of its own.

    What comes back is the activation map, an eighth of the input's size: some kilobytes for each
    command. The CPU finds the peaks on it, and makes a heatmap only for those who listen.

    Args:
        model: The loaded model, on its device.
        precision: 'f32', or 'f16' or 'bf16' for the stages from the second on.

    Raises:
        BackendError: If the precision is none of these.
    """

    def __init__(self, model: GroundingModel, precision: str) -> None:
        if precision not in _DTYPES:
            raise BackendError(f'torch runs {", ".join(_DTYPES)} on a GPU, not {precision}')
        self._device = model.device
        self._precision = precision
        self._normalization = model.normalization
        self._network = FusedNetwork(model, _DTYPES[precision])
        self._plans: LruCache[tuple[Letterbox, str, int], _Plan] = LruCache(_KEPT)

    @property
    def description(self) -> str:
        """Backend, precision and device."""
        return f'torch {self._precision} on {self._device}'

    @torch.inference_mode()
    def run(self, pixels: NDArray[np.float32], text: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute activation maps; see `Backend.run`."""
        with exact_float32():
            image = torch.from_numpy(pixels).to(self._device, memory_format=torch.channels_last)
            logits = self._network(image, torch.from_numpy(text).to(self._device))
            return np.asarray(logits.cpu().numpy(), np.float32)

    def run_frame(
        self,
        image: NDArray[np.uint8],
        box: Letterbox,
        channels: str,
        text: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Compute the activation maps of an image; see `FrameBackend.run_frame`."""
        # So that a changing number of commands captures few graphs.
        count = 1 << (len(text) - 1).bit_length()
        plan = self._plans.get(
            (box, channels, count),
            lambda: _Plan(
                self._network,
                DeviceLetterbox(box, channels, self._normalization),
                box.source if channels == 'mono' else (*box.source, 3),
                (count, text.shape[1]),
                self._device,
            ),
        )
        return plan.run(image, text)


class _Plan:
    """The way of one kind of image through the network, all its buffers laid out.

    Args:
        network: The network, on the device.
        letterbox: Prepares an image.
        shape: The image's.
        text: (commands, C), the most commands at once.
        device: Where it runs.
    """

    def __init__(
        self,
        network: FusedNetwork,
        letterbox: DeviceLetterbox,
        shape: tuple[int, ...],
        text: tuple[int, int],
        device: torch.device,
    ) -> None:
        on_gpu = device.type == 'cuda'
        # Copies from and to pinned memory run beside the CPU.
        self._image = torch.zeros(shape, dtype=torch.uint8, pin_memory=on_gpu)
        self._text = torch.zeros(text, pin_memory=on_gpu)
        self._inputs = tuple(one.to(device) for one in (self._image, self._text))
        self._letterbox = letterbox.to(device)
        self._network = network
        self._graph: torch.cuda.CUDAGraph | None = None
        self._stream = torch.cuda.Stream(device) if on_gpu else None
        with torch.inference_mode(), exact_float32(), torch.cuda.stream(self._stream):
            for _ in range(_WARM_UPS if on_gpu else 1):  # before its capture a graph must have run
                logits = self._compute()
            if self._stream is not None:
                self._stream.synchronize()
                self._graph = torch.cuda.CUDAGraph()
                # Other threads may use the GPU meanwhile.
                with torch.cuda.graph(
                    self._graph, stream=self._stream, capture_error_mode='thread_local'
                ):
                    logits = self._compute()
        self._logits = logits
        self._result = torch.zeros(logits.shape, pin_memory=on_gpu)

    def _compute(self) -> torch.Tensor:
        photo, text = self._inputs
        return self._network(self._letterbox(photo), text)

    @torch.inference_mode()
    def run(self, image: NDArray[np.uint8], text: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return logits (1, K, h, w) of an image for K commands."""
        np.copyto(self._image.numpy(), image)
        self._text[: len(text)] = torch.from_numpy(text)
        with torch.cuda.stream(self._stream):
            for given, own in zip((self._image, self._text), self._inputs, strict=True):
                own.copy_(given, non_blocking=True)
            if self._graph is not None:
                self._graph.replay()
            else:
                self._logits = self._compute()
            self._result.copy_(self._logits, non_blocking=True)
        if self._stream is not None:
            self._stream.synchronize()
        return np.array(self._result.numpy()[:, : len(text)])
