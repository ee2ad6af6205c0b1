# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The image network as ONNX, written once per model and then fitted to any input size."""

import copy
import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from affordance_ros.backends.base import BackendError
from affordance_ros.backends.cache import DiskCache
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.heads import DenseDecoder
from affordance_ros.model.heads import FPNDecoder
from affordance_ros.model.trunk import STAGES
from affordance_ros.model.trunk import STRIDE
from affordance_ros.model.weights import hash_state_dict

# Changes whenever this file writes another network for the same weights.
_VERSION = '2'
_OPSET = 18

ModuleT = TypeVar('ModuleT', bound=nn.Module)


class TorchNetwork:
    """The network of a model that torch has loaded.

    Args:
        model: The model.
        cache: Where the network is kept once it is written.
    """

    def __init__(self, model: GroundingModel, cache: DiskCache) -> None:
        self._model = model
        self._cache = cache
        self.key = _hash(model)

    @property
    def label(self) -> str:
        """The model's name."""
        return self._model.name

    def onnx(self, canvas: tuple[int, int]) -> bytes:
        """Return ONNX for one input size; see `Network.onnx`."""
        facts = {'network': self.key, 'torch': torch.__version__, 'onnx': _onnx_version()}
        dynamic = self._cache.load(
            f'{self.label}-network', facts, read=lambda data: data, make=self._write
        )
        height, width = canvas
        like = torch.zeros(1, 1, height // STRIDE, width // STRIDE, device=self._model.device)
        grid = self._model.trunk.position_grid(like).float().cpu().numpy()
        return _fit(dynamic, canvas, grid)

    def _write(self) -> bytes:
        logging.getLogger(__name__).info(
            'writing the network of %s as ONNX (once for these weights)', self.label
        )
        return write_onnx(self._model)


def _hash(model: GroundingModel) -> str:
    decoder = hash_state_dict(model.decoder.state_dict())
    # The training-free decoder's own vectors are no part of its state dict.
    facts = (model.trunk.name, model.trunk.sha256, model.decoder.description, decoder, _VERSION)
    return hashlib.sha256('\n'.join(facts).encode()).hexdigest()


def _onnx_version() -> str:
    try:
        import onnx
        import onnxscript
    except ImportError as error:
        raise BackendError(
            f'{error.name} is not installed, which writing the network needs: '
            f'pip install onnx onnxscript, or export the model where they are'
        ) from error
    return f'{onnx.__version__}/{onnxscript.__version__}'


class _Exportable(nn.Module):
    """Stem, stages and decoder with names on what passes between them.

    Positions of the attention pool are an input, since ONNX has no operator that resizes them as
    torch does; `_fit` makes them a constant.
    """

    def __init__(self, model: GroundingModel) -> None:
        super().__init__()
        self.trunk = model.trunk
        self.decoder: FPNDecoder | DenseDecoder = _without_keywords(model.decoder)

    def forward(
        self, pixels: torch.Tensor, text: torch.Tensor, positions: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Return logits, the first stage's output and the later stages' outputs."""
        visual = self.trunk.clip.visual
        stage = first = visual.layer1(visual.stem(pixels))
        features = {}
        for name in STAGES:
            stage = features[name] = getattr(visual, name)(stage)
        complete = self.trunk.complete(features, self.decoder.inputs, positions)
        return self.decoder(complete, text), first, *features.values()


class _Prefixed(nn.ModuleDict):
    """A ModuleDict whose keys are prefixed inside: torch.export writes code with their names."""

    _PREFIX = 'scale_'

    def __init__(self, modules: nn.ModuleDict) -> None:
        super().__init__({self._PREFIX + name: module for name, module in modules.items()})

    def __getitem__(self, key: str) -> nn.Module:
        return super().__getitem__(self._PREFIX + key)


def _without_keywords(decoder: FPNDecoder | DenseDecoder) -> FPNDecoder | DenseDecoder:
    """Return a decoder of the same weights in which no module is named `global`."""
    if isinstance(decoder, FPNDecoder):
        decoder = _shallow(decoder)
        decoder.neck = _shallow(decoder.neck)
        decoder.neck.project = _Prefixed(decoder.neck.project)
    return decoder


def _shallow(module: ModuleT) -> ModuleT:
    twin = copy.copy(module)
    twin._modules = dict(module._modules)
    return twin


@contextmanager
def quiet_export() -> Iterator[None]:
    """Silence torch's warnings of its own deprecations, and every step of ONNX's optimiser."""
    before = {log: log.level for log in map(logging.getLogger, ('onnx_ir', 'onnxscript'))}
    for log in before:
        log.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        for log, level in before.items():
            log.setLevel(level)


def write_onnx(model: GroundingModel) -> bytes:
    """Return the network as ONNX whose sizes, N and K are all dynamic.

    Raises:
        BackendError: If torch can't write it.
    """
    device, channels = model.device, model.trunk.channels
    n, k, h, w = 2, 3, 3, 4  # unlike each other and not 1, which torch.export takes for constants
    example = {
        'pixels': torch.zeros(n, 3, h * STRIDE, w * STRIDE, device=device),
        'text': torch.zeros(n, k, channels['global'], device=device),
        'positions': torch.zeros(channels['layer4'], h, w, device=device),
    }
    batch, commands, rows, columns = (torch.export.Dim(name) for name in 'nkhw')
    sizes = {
        'pixels': {0: batch, 2: STRIDE * rows, 3: STRIDE * columns},
        'text': {0: batch, 1: commands},
        'positions': {1: rows, 2: columns},
    }
    with quiet_export():
        try:
            program = torch.onnx.export(
                _Exportable(model).eval(),
                kwargs=example,
                dynamo=True,
                dynamic_shapes=sizes,
                input_names=list(example),
                output_names=['logits', 'layer1', *STAGES],
                opset_version=_OPSET,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise BackendError(f'torch can not write {model.name} as ONNX: {error}') from error
    if program is None:
        raise BackendError(f'torch has written nothing of {model.name}')
    return bytes(program.model_proto.SerializeToString())


def _fit(dynamic: bytes, canvas: tuple[int, int], positions: np.ndarray) -> bytes:
    """Return the network for one input size: positions a constant, only logits for an output."""
    import onnx
    from onnx import numpy_helper

    proto = onnx.load_from_string(dynamic)
    graph = proto.graph
    inputs = {value.name: value for value in graph.input}
    graph.input.remove(inputs['positions'])
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(positions), 'positions'))
    for axis, length in zip((2, 3), canvas, strict=True):
        inputs['pixels'].type.tensor_type.shape.dim[axis].dim_value = length
    del graph.output[1:]
    output = graph.output[0].type.tensor_type.shape.dim
    for axis in (2, 3):
        output[axis].Clear()
    del graph.value_info[:]  # of the dynamic sizes
    return bytes(proto.SerializeToString())
