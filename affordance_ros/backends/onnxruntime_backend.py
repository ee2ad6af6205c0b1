# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""ONNX Runtime as a backend: for CPUs where OpenVINO is not at hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.base import BackendError
from affordance_ros.backends.base import Network
from affordance_ros.backends.base import shared_text
from affordance_ros.model.lru import LruCache

_KEPT = 8  # input sizes whose sessions stay in memory


class OnnxSessions:
    """Sessions of ONNX Runtime, one for each input size, and how they are asked.

    Args:
        open_session: Opens one for an input of (height, width) pixels.
    """

    def __init__(self, open_session: Callable[[tuple[int, int]], ort.InferenceSession]) -> None:
        self._open = open_session
        self._sessions: LruCache[tuple[int, int], ort.InferenceSession] = LruCache(_KEPT)

    def run(self, pixels: NDArray[np.float32], text: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute activation maps; see `Backend.run`."""
        n, _, height, width = pixels.shape
        inputs = {
            'pixels': np.ascontiguousarray(pixels),
            'text': np.ascontiguousarray(shared_text(text, n)),
        }
        canvas = (height, width)
        session = self._sessions.get(canvas, lambda: self._open(canvas))
        (logits,) = session.run(['logits'], inputs)
        return np.asarray(logits, np.float32)


def onnx_source(network: bytes | Path) -> bytes | str:
    """Return what `Network.onnx` gives as ONNX Runtime takes it."""
    return network if isinstance(network, bytes) else str(network)


class OnnxRuntimeBackend:
    """Runs the network on the CPU in float32; a session for each input size.

    Sessions are made anew at every start: that takes about as long as reading a compiled one.

    Args:
        network: The network.
        precision: 'f32'.
        config: Threads.

    Raises:
        BackendError: If the precision is another one.
    """

    def __init__(self, network: Network, *, precision: str, config: BackendConfig) -> None:
        if precision != 'f32':
            raise BackendError(f'ONNX Runtime runs f32 here, not {precision}')
        self._network = network
        self._options = ort.SessionOptions()
        if config.num_threads:
            self._options.intra_op_num_threads = config.num_threads
        # Threads that spin for work take the cores from the camera and the executor.
        self._options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        self._sessions = OnnxSessions(self._open)

    @property
    def description(self) -> str:
        """Backend, precision and device."""
        return 'onnxruntime f32 on cpu'

    def run(self, pixels: NDArray[np.float32], text: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute activation maps; see `Backend.run`."""
        return self._sessions.run(pixels, text)

    def _open(self, canvas: tuple[int, int]) -> ort.InferenceSession:
        return ort.InferenceSession(
            onnx_source(self._network.onnx(canvas)),
            self._options,
            providers=['CPUExecutionProvider'],
        )
