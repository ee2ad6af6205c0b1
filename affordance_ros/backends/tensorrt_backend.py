# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""TensorRT as a backend, through ONNX Runtime's execution provider, where both are installed."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from affordance_ros.backends.base import BackendError
from affordance_ros.backends.base import Network
from affordance_ros.backends.cache import DiskCache
from affordance_ros.backends.onnxruntime_backend import OnnxSessions
from affordance_ros.backends.onnxruntime_backend import onnx_source

_PROVIDER = 'TensorrtExecutionProvider'
# One engine answers so many commands and images at once, and is fastest for one.
_MAX_COMMANDS, _MAX_IMAGES = 256, 8
_PRECISIONS = {'f32': {}, 'f16': {'trt_fp16_enable': True}, 'bf16': {'trt_bf16_enable': True}}


class TensorRTBackend:
    """Runs the network on an NVIDIA GPU; an engine for each input size, built once.

    Args:
        network: The network.
        precision: 'f32', 'f16' or 'bf16'; TensorRT itself chooses which layers run in it.
        device_index: Which GPU.
        embed_dim: C, the length of text vectors.
        cache: Where engines are kept.

    Raises:
        BackendError: If TensorRT or its provider is not installed, or the precision unknown.
    """

    def __init__(
        self,
        network: Network,
        *,
        precision: str,
        device_index: int,
        embed_dim: int,
        cache: DiskCache,
    ) -> None:
        if precision not in _PRECISIONS:
            raise BackendError(f'TensorRT runs {", ".join(_PRECISIONS)} here, not {precision}')
        if _PROVIDER not in ort.get_available_providers():
            raise BackendError('not installed (pip install onnxruntime-gpu tensorrt)')
        if hasattr(ort, 'preload_dlls'):  # from 1.21: CUDA and cuDNN as pip installs them
            ort.preload_dlls()
        self._network = network
        self._precision = precision
        self._device_index = device_index
        self._embed_dim = embed_dim
        self._cache = cache
        self._sessions = OnnxSessions(self._open)

    @property
    def description(self) -> str:
        """Backend, precision and device."""
        return f'tensorrt {self._precision} on cuda:{self._device_index}'

    def run(self, pixels: NDArray[np.float32], text: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute activation maps; see `Backend.run`."""
        return self._sessions.run(pixels, text)

    def _open(self, canvas: tuple[int, int]) -> ort.InferenceSession:
        # The provider's own key of an engine knows neither weights nor sizes: so does the folder.
        folder = self._cache.folder(
            f'{self._network.label}-tensorrt-{self._precision}-{canvas[1]}x{canvas[0]}',
            {
                'network': self._network.key,
                'size': f'{canvas[0]}x{canvas[1]}',
                'precision': self._precision,
                'onnxruntime': ort.__version__,
            },
        )
        options = provider_options(
            canvas, self._embed_dim, self._precision, self._device_index, folder
        )
        # Nothing behind it: what TensorRT can't run is refused, not done elsewhere unseen.
        session = ort.InferenceSession(
            onnx_source(self._network.onnx(canvas)), providers=[(_PROVIDER, options)]
        )
        session.disable_fallback()
        if _PROVIDER not in session.get_providers():
            raise BackendError("TensorRT's libraries could not be loaded (pip install tensorrt)")
        return session


def provider_options(
    canvas: tuple[int, int],
    embed_dim: int,
    precision: str,
    device_index: int,
    folder: Path | None,
) -> dict[str, Any]:
    """Return ONNX Runtime's options of TensorRT for one input size.

    Source: onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html

    Args:
        canvas: (height, width) of the input in pixels.
        embed_dim: C.
        precision: A key of the precisions above.
        device_index: Which GPU.
        folder: Where engines are kept; None keeps none.
    """
    height, width = canvas

    def shapes(images: int, commands: int) -> str:
        return f'pixels:{images}x3x{height}x{width},text:{images}x{commands}x{embed_dim}'

    options: dict[str, Any] = {
        'device_id': device_index,
        'trt_profile_min_shapes': shapes(1, 1),
        'trt_profile_opt_shapes': shapes(1, 1),
        'trt_profile_max_shapes': shapes(_MAX_IMAGES, _MAX_COMMANDS),
        **_PRECISIONS[precision],
    }
    if folder is not None:
        options |= {
            'trt_engine_cache_enable': True,
            'trt_engine_cache_path': str(folder),
            'trt_timing_cache_enable': True,
            'trt_timing_cache_path': str(folder),
        }
    return options
