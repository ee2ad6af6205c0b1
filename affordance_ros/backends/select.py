# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which backend runs a model: the one asked for, or the fastest that works here, and why."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import TypeAlias

import numpy as np

from affordance_ros.backends.base import AUTO
from affordance_ros.backends.base import Backend
from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.base import BackendError
from affordance_ros.backends.base import Network
from affordance_ros.backends.cache import DiskCache
from affordance_ros.backends.exported import ExportedModel
from affordance_ros.backends.precision_record import find_record
from affordance_ros.targets.activation import sigmoid

if TYPE_CHECKING:  # a robot may have no torch
    from affordance_ros.model.grounding import GroundingModel

Model: TypeAlias = 'GroundingModel | ExportedModel'

# Fastest first, as docs/performance.md has measured them.
_ORDER = {'cpu': ('openvino', 'onnxruntime', 'torch'), 'cuda': ('torch',)}
# The precision that a backend is faster in, on a device; elsewhere f32 is all there is.
_FASTER = {('openvino', 'cpu'): 'bf16', ('torch', 'cuda'): 'f16', ('tensorrt', 'cuda'): 'f16'}
# A backend whose heat differs by more from torch's is broken: rounding is far below, in f32 and in
# the others.
_MAX_ERROR = {'f32': 1e-3, 'f16': 0.02, 'bf16': 0.1}


@dataclass(frozen=True)
class Choice:
    """The backend that runs a model.

    Attributes:
        backend: The backend, tried out.
        reason: Why this one, in one line for people.
    """

    backend: Backend
    reason: str


def choose_backend(
    model: Model, config: BackendConfig, canvas: tuple[int, int] = (224, 224)
) -> Choice:
    """Make the backend that the configuration asks for, and try it out.

    Args:
        model: The loaded model.
        config: What is asked for.
        canvas: (height, width) of the input to try it on, which is compiled by that.

    Raises:
        BackendError: If the backend that is asked for does not work, or none does.
    """
    device = str(model.device).split(':')[0]
    names = _ORDER.get(device, ('torch',)) if config.backend == AUTO else (config.backend,)
    failures: list[str] = []
    for name in names:
        try:
            precision, why = _precision(name, model, config)
            backend = _MAKERS[name](model, replace(config, precision=precision))
            if (name, device) != ('torch', 'cpu'):
                _try_out(backend, model, precision, canvas)
        except Exception as error:
            # Runtimes raise errors of many kinds; whichever it is, the next one is tried.
            failures.append(f'{name}: {error}')
            continue
        fastest = f'the fastest on {device}' if config.backend == AUTO else 'as asked for'
        return Choice(backend, '; '.join([f'{fastest}{why}', *failures]))
    raise BackendError('no backend works: ' + '; '.join(failures))


def _precision(name: str, model: Model, config: BackendConfig) -> tuple[str, str]:
    """Return the precision to use, and why if there was a choice."""
    if config.precision != AUTO:
        return config.precision, ''
    faster = _FASTER.get((name, str(model.device).split(':')[0]))
    if faster is None:
        return 'f32', ''
    if name == 'openvino':
        from affordance_ros.backends.openvino_backend import processor_has_bf16

        if not processor_has_bf16():
            return 'f32', ', f32 because this processor has no bfloat16'
    record = find_record(name, faster, model.family, model.decoder_kind)
    if record is None:
        unknown = (
            f'nobody has measured {faster} with a {model.family} trunk and a '
            f'{model.decoder_kind} decoder'
        )
        return 'f32', f', f32 because {unknown}'
    return (faster if record.passes else 'f32'), f', {record}'


def _try_out(backend: Backend, model: Model, precision: str, canvas: tuple[int, int]) -> None:
    """Hold one answer of a backend against torch's; an exported one was when it was exported.

    Raises:
        BackendError: If it differs by more than rounding, or is not finite.
    """
    rng = np.random.default_rng(0)
    pixels = rng.standard_normal((1, *canvas, 3), np.float32).transpose(0, 3, 1, 2)
    text = model.text.vector(['hold the mug'])[None]
    heat = sigmoid(backend.run(pixels, text))
    if isinstance(model, ExportedModel):
        expected = heat
    else:
        expected = sigmoid(_reference(model).run(pixels, text))
    error = float(np.abs(heat - expected).max())
    if not error <= _MAX_ERROR[precision]:
        raise BackendError(f'its heat differs from torch by {error:.2g}: it is not used')


def _require(module: str, name: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise BackendError(f'not installed (pip install {name})')


def _torch(model: Model, config: BackendConfig) -> Backend:
    if isinstance(model, ExportedModel):
        raise BackendError('an exported model holds no weights for torch')
    if model.device.type == 'cuda':
        from affordance_ros.backends.cuda_backend import CudaBackend

        return CudaBackend(model, config.precision)
    if config.precision != 'f32':
        raise BackendError(f'torch runs f32 on a CPU, not {config.precision}')
    return _reference(model)


def _reference(model: 'GroundingModel') -> Backend:
    from affordance_ros.backends.torch_backend import TorchBackend

    return TorchBackend(model)


def _openvino(model: Model, config: BackendConfig) -> Backend:
    _require('openvino', 'openvino')
    from affordance_ros.backends.openvino_backend import OpenVINOBackend

    cache = DiskCache.at(config.cache_dir)
    return OpenVINOBackend(
        _network(model, cache), precision=config.precision, config=config, cache=cache
    )


def _onnxruntime(model: Model, config: BackendConfig) -> Backend:
    _require('onnxruntime', 'onnxruntime')
    from affordance_ros.backends.onnxruntime_backend import OnnxRuntimeBackend

    network = _network(model, DiskCache.at(config.cache_dir))
    return OnnxRuntimeBackend(network, precision=config.precision, config=config)


def _tensorrt(model: Model, config: BackendConfig) -> Backend:
    _require('onnxruntime', 'onnxruntime-gpu tensorrt')
    from affordance_ros.backends.tensorrt_backend import TensorRTBackend

    cache = DiskCache.at(config.cache_dir)
    index = 0
    if not isinstance(model, ExportedModel):
        index = model.device.index or 0
    return TensorRTBackend(
        _network(model, cache, device='cuda'),
        precision=config.precision,
        device_index=index,
        embed_dim=model.embed_dim,
        cache=cache,
    )


def _network(model: Model, cache: DiskCache, device: str = 'cpu') -> Network:
    if isinstance(model, ExportedModel):
        return model.network
    if model.device.type != device:
        raise BackendError(
            f'runs on {device}, and the model is on {model.device}: set device {device}'
        )
    from affordance_ros.backends.onnx_export import TorchNetwork

    return TorchNetwork(model, cache)


_MAKERS: dict[str, Callable[[Model, BackendConfig], Backend]] = {
    'torch': _torch,
    'openvino': _openvino,
    'onnxruntime': _onnxruntime,
    'tensorrt': _tensorrt,
}
