# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The image network as ONNX, written once per model and then fitted to any input size."""

import copy
import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from typing import TypeVar

import torch
from torch import nn

from affordance_ros.backends.base import FRONT
from affordance_ros.backends.base import BackendError
from affordance_ros.backends.cache import DiskCache
from affordance_ros.image.letterbox import STRIDE
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.heads import Decoder
from affordance_ros.model.heads import FPNDecoder
from affordance_ros.model.weight_hash import hash_state_dict

# Changes whenever this file writes another network for the same weights.
_VERSION = '4'
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

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the tensors that the backbone makes."""
        return self._model.trunk.backbone_stages

    def onnx(self, canvas: tuple[int, int]) -> bytes:
        """Return ONNX for one input size; see `Network.onnx`."""
        facts = {'network': self.key, 'torch': torch.__version__, 'onnx': _onnx_version()}
        dynamic = self._cache.load(
            f'{self.label}-network', facts, read=lambda data: data, make=self._write
        )
        return _fit(dynamic, canvas)

    def _write(self) -> bytes:
        logging.getLogger(__name__).info(
            'writing the network of %s as ONNX (once for these weights)', self.label
        )
        return write_onnx(self._model)


def _hash(model: GroundingModel) -> str:
    decoder = hash_state_dict(model.decoder.state_dict())
    # The training-free decoder's own vectors are not part of its state dict.
    facts = (
        model.trunk.name,
        model.trunk.sha256,
        model.decoder.description,
        decoder,
        repr(model.calibration),
        _VERSION,
    )
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
    """Front, backbone and decoder with names on what passes between them."""

    def __init__(self, model: GroundingModel) -> None:
        super().__init__()
        self.trunk = model.trunk
        self.decoder = _without_keywords(model.decoder)

    def forward(self, pixels: torch.Tensor, text: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return logits, the front's output and the stages."""
        front = self.trunk.front(pixels)
        stages = self.trunk.backbone(front)
        features = self.trunk.complete(front, stages, self.decoder.inputs)
        named = (stages[name] for name in self.trunk.backbone_stages)
        return self.decoder(features, text), front, *named


class _Prefixed(nn.ModuleDict):
    """A ModuleDict whose keys are prefixed inside: torch.export writes code with their names."""

    _PREFIX = 'scale_'

    def __init__(self, modules: nn.ModuleDict) -> None:
        super().__init__({self._PREFIX + name: module for name, module in modules.items()})

    def __getitem__(self, key: str) -> nn.Module:
        return super().__getitem__(self._PREFIX + key)


def _without_keywords(decoder: Decoder) -> Decoder:
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
    device = model.device
    n, k, h, w = 2, 3, 3, 4  # unlike each other and not 1, which torch.export takes for constants
    example = {
        'pixels': torch.zeros(n, 3, h * STRIDE, w * STRIDE, device=device),
        'text': torch.zeros(n, k, model.embed_dim, device=device),
    }
    batch, commands, rows, columns = (torch.export.Dim(name) for name in 'nkhw')
    sizes = {
        'pixels': {0: batch, 2: STRIDE * rows, 3: STRIDE * columns},
        'text': {0: batch, 1: commands},
    }
    with quiet_export():
        try:
            program = torch.onnx.export(
                _Exportable(model).eval(),
                kwargs=example,
                dynamo=True,
                dynamic_shapes=sizes,
                input_names=['pixels', 'text'],
                output_names=['logits', FRONT, *model.trunk.backbone_stages],
                opset_version=_OPSET,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise BackendError(f'torch can not write {model.name} as ONNX: {error}') from error
    if program is None:
        raise BackendError(f'torch has written nothing of {model.name}')
    return bytes(program.model_proto.SerializeToString())


def logits_only(dynamic: bytes) -> bytes:
    """Return the network for all sizes, without inner outputs and without the exporter's notes."""
    import onnx

    proto = onnx.load_from_string(dynamic)
    _strip(proto.graph)
    for node in proto.graph.node:
        node.ClearField('doc_string')
        del node.metadata_props[:]
    return bytes(proto.SerializeToString())


def _fit(dynamic: bytes, canvas: tuple[int, int]) -> bytes:
    """Return the network for one input size, with only logits for output."""
    import onnx

    proto = onnx.load_from_string(dynamic)
    inputs = {value.name: value for value in proto.graph.input}
    for axis, length in zip((2, 3), canvas, strict=True):
        inputs['pixels'].type.tensor_type.shape.dim[axis].dim_value = length
    _strip(proto.graph)
    return bytes(proto.SerializeToString())


def _strip(graph: Any) -> None:
    """Keep only the logits as output, and forget the shapes between."""
    del graph.output[1:]
    output = graph.output[0].type.tensor_type.shape.dim
    for axis in (2, 3):
        output[axis].Clear()
    del graph.value_info[:]
