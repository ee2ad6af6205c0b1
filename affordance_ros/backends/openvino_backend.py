# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""OpenVINO as a backend: the fastest on a CPU."""

import io
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as ops
from numpy.typing import NDArray
from openvino.passes import ConstantFolding
from openvino.passes import Manager

from affordance_ros.backends.base import FRONT
from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.base import BackendError
from affordance_ros.backends.base import Network
from affordance_ros.backends.base import shared_text
from affordance_ros.backends.cache import DiskCache
from affordance_ros.model.lru import LruCache

_LOG = logging.getLogger(__name__)
# An image's size and the batch make a network of their own; so many stay in memory.
_KEPT = 8
_CPU = 'CPU'
_CHANNELS_LAST, _CHANNELS_FIRST, _MAP_RANK = ov.Layout('NHWC'), ov.Layout('NCHW'), 4


def processor_has_bf16() -> bool:
    """Return whether this processor multiplies bfloat16 faster than float32."""
    return 'BF16' in ov.Core().get_property(_CPU, 'OPTIMIZATION_CAPABILITIES')


class OpenVINOBackend:
    """Runs the network on the CPU, compiled once for each input size.

    In bf16 only the backbone runs in bfloat16, most of the arithmetic. What comes
    before and behind stays in float32: there bfloat16 moves best targets of more frames than may
    move (docs/performance.md).

    Args:
        network: The network.
        precision: 'f32' or 'bf16'.
        config: Threads.
        cache: Where compiled networks are kept.

    Raises:
        BackendError: If the precision is none of these, or the processor lacks it.
    """

    def __init__(
        self, network: Network, *, precision: str, config: BackendConfig, cache: DiskCache
    ) -> None:
        if precision not in ('f32', 'bf16'):
            raise BackendError(f'OpenVINO runs f32 and bf16 here, not {precision}')
        if precision == 'bf16' and not processor_has_bf16():
            raise BackendError('this processor has no bfloat16 arithmetic: use f32')
        self._network = network
        self._precision = precision
        self._cache = cache
        self._core = ov.Core()
        self._processor = str(self._core.get_property(_CPU, 'FULL_DEVICE_NAME'))
        self._threads: dict[str, Any] = {
            'PERFORMANCE_HINT': 'LATENCY',
            'ENABLE_CPU_PINNING': config.pin_threads,
        }
        if config.num_threads:
            self._threads['INFERENCE_NUM_THREADS'] = config.num_threads
        self._chains: LruCache[tuple[int, int, int], list[ov.InferRequest]] = LruCache(_KEPT)

    @property
    def description(self) -> str:
        """Backend, precision and device."""
        return f'openvino {self._precision} on cpu'

    def run(self, pixels: NDArray[np.float32], text: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute activation maps; see `Backend.run`."""
        n, _, height, width = pixels.shape
        # As the predictor lays pixels out, so that nothing is copied.
        channels_last = np.require(pixels.transpose(0, 2, 3, 1), requirements=['C', 'W'])
        tensors = {
            'pixels': ov.Tensor(channels_last, True),
            'text': ov.Tensor(np.array(shared_text(text, n), order='C'), True),
        }
        size = (n, height, width)
        for request in self._chains.get(size, lambda: self._make_chain(size)):
            for port in request.model_inputs:
                request.set_tensor(port, tensors[port.any_name])
            request.infer()
            for port in request.model_outputs:
                tensors[port.any_name] = request.get_tensor(port)
        return np.array(tensors['logits'].data, np.float32)

    def _make_chain(self, size: tuple[int, int, int]) -> list[ov.InferRequest]:
        """Return what runs one after the other for a batch, height and width."""
        parts: dict[str, ov.Model] = {}  # read at most once for all of them
        names = ('whole',) if self._precision == 'f32' else ('front', 'backbone', 'decoder')
        return [self._compile(name, size, parts).create_infer_request() for name in names]

    def _compile(
        self, part: str, size: tuple[int, int, int], parts: dict[str, ov.Model]
    ) -> ov.CompiledModel:
        """Compile a part of the network, or read it from the cache.

        Args:
            part: 'whole', 'front', 'backbone' or 'decoder'.
            size: Batch, height and width.
            parts: Filled with all parts where the network had to be read.
        """
        n, height, width = size
        facts = {
            'network': self._network.key,
            'part': part if part == 'whole' else f'{part}, channels last',
            'size': f'{n}x{height}x{width}',
            'precision': self._precision,
            'openvino': ov.__version__,
            'processor': self._processor,
            'threads': str(sorted(self._threads.items())),
        }
        precision = 'bf16' if part == 'backbone' else 'f32'
        properties = {**self._threads, 'INFERENCE_PRECISION_HINT': precision}

        def make() -> bytes:
            if not parts:
                whole = self._read(size)
                parts.update(
                    {'whole': whole} if part == 'whole' else cut(whole, self._network.stages)
                )
            compiled = self._core.compile_model(parts[part], _CPU, properties)
            blob: io.BytesIO = compiled.export_model()
            return blob.getvalue()

        return self._cache.load(
            f'{self._network.label}-openvino-{self._precision}-{part}-{width}x{height}',
            facts,
            read=lambda blob: self._core.import_model(blob, _CPU, properties),
            make=make,
        )

    def _read(self, size: tuple[int, int, int]) -> ov.Model:
        n, height, width = size
        _LOG.info('compiling %s for %dx%d pixels', self._network.label, width, height)
        model = self._core.read_model(self._network.onnx((height, width)))
        model.reshape({'pixels': [n, 3, height, width], 'text': [n, -1, -1]})
        steps = ov.preprocess.PrePostProcessor(model)
        steps.input('pixels').tensor().set_layout(_CHANNELS_LAST)
        steps.input('pixels').model().set_layout(_CHANNELS_FIRST)
        model = steps.build()
        # Sizes that the decoder reads off the pixels become constants, so that it can be cut off.
        folding = Manager()
        folding.register_pass(ConstantFolding())
        folding.run_passes(model)
        return model


def cut(model: ov.Model, stages: Sequence[str]) -> dict[str, ov.Model]:
    """Cut a network into 'front', 'backbone' and 'decoder', all behind the backbone.

    Args:
        model: The network.
        stages: Names of the tensors that the backbone makes.
    """
    decoder = model.clone()
    given = [_replace(decoder, FRONT)]
    # A stage that the decoder does not read may be gone, at the latest once a deeper one is given.
    given += [
        _replace(decoder, name) for name in stages if _find_tensor(decoder, name) is not None
    ]
    logits = decoder.output('logits').get_node().input_value(0)
    read = _reached(logits)
    given = [parameter for parameter in given if parameter.get_friendly_name() in read]
    if not given:
        raise BackendError(f'the network has none of {stages}: it was written by another version')
    text = decoder.input('text').get_node()
    backbone = model.clone()
    first = _replace(backbone, FRONT)
    wanted = [
        _tensor(backbone, name)
        for name in (parameter.get_friendly_name() for parameter in given)
        if name != FRONT
    ]
    front = model.clone()
    parts = {
        'front': ov.Model([_tensor(front, FRONT)], [front.input('pixels').get_node()], 'front'),
        'backbone': ov.Model(wanted, [first], 'backbone'),
        'decoder': ov.Model([logits], [*given, text], 'decoder'),
    }
    return {name: _pass_on_channels_last(part) for name, part in parts.items()}


def _pass_on_channels_last(part: ov.Model) -> ov.Model:
    """Let a part take and give maps as its convolutions compute them, not reordered."""
    steps = ov.preprocess.PrePostProcessor(part)
    for port in part.inputs:
        if port.partial_shape.rank.get_length() == _MAP_RANK and port.any_name != 'pixels':
            steps.input(port.any_name).tensor().set_layout(_CHANNELS_LAST)
            steps.input(port.any_name).model().set_layout(_CHANNELS_FIRST)
    for port in part.outputs:
        if port.partial_shape.rank.get_length() == _MAP_RANK and port.any_name != 'logits':
            steps.output(port.any_name).tensor().set_layout(_CHANNELS_LAST)
            steps.output(port.any_name).model().set_layout(_CHANNELS_FIRST)
    return steps.build()


def _replace(model: ov.Model, name: str) -> Any:
    """Let all that read a tensor read a new parameter of that name, which is returned."""
    old = _tensor(model, name)
    readers = list(old.get_target_inputs())
    old.set_names(set())
    parameter = ops.parameter(old.get_partial_shape(), old.get_element_type())
    parameter.set_friendly_name(name)
    parameter.output(0).set_names({name})
    for reader in readers:
        reader.replace_source_output(parameter.output(0))
    return parameter


def _reached(output: Any) -> set[str]:
    """Return the names of all nodes that an output depends on."""
    waiting, seen = [output.get_node()], set()
    while waiting:
        node = waiting.pop()
        if node.get_friendly_name() not in seen:
            seen.add(node.get_friendly_name())
            waiting.extend(value.get_node() for value in node.input_values())
    return seen


def _find_tensor(model: ov.Model, name: str) -> Any | None:
    """Return the output of the node that makes a tensor; None if there is none."""
    for node in model.get_ordered_ops():
        for output in node.outputs():
            if name in output.get_names():
                return output
    return None


def _tensor(model: ov.Model, name: str) -> Any:
    """Return the output of the node that makes a tensor."""
    output = _find_tensor(model, name)
    if output is None:
        raise BackendError(
            f'the network has no tensor {name!r}: it was written by another version'
        )
    return output
