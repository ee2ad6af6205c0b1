# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The arithmetic floor: a model's FLOPs over the best rate at which this machine multiplies."""

from collections.abc import Callable
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from affordance_ros.backends.torch_backend import exact_float32
from affordance_ros.model.grounding import GroundingModel
from benchmarks.bench_timing import run_in_turn
from benchmarks.bench_timing import timed

_SIDES = (1024, 2048, 4096)
_CHANNELS, _SIDE = 256, 56
_DTYPES = {
    'cpu': {'f32': torch.float32, 'bf16': torch.bfloat16},
    'cuda': {'f32': torch.float32, 'f16': torch.float16, 'bf16': torch.bfloat16},
}

# Precision, FLOP and a function that does them.
Kernel = tuple[str, float, Callable[[], object]]


def measure_rates(rounds: int, device: str) -> dict[str, float]:
    """Return GFLOP/s of each precision, each the best of several kernels in all rounds.

    No library is the fastest everywhere (MKL's float32 product takes another path on AMD), so the
    floor is taken from whichever is.
    """
    found = [*_products(device), *_convolutions(device)]
    if device == 'cpu':
        found += _openvino_products()
    kernels = dict(enumerate(found))
    times = run_in_turn({str(k): timed(kernel[2]) for k, kernel in kernels.items()}, rounds)
    rates = dict.fromkeys(_DTYPES[device], 0.0)
    for k, (precision, flop, _) in kernels.items():
        rates[precision] = max(rates[precision], flop / 1e6 / min(times[str(k)]))
    return rates


def count_gflop(model: torch.nn.Module, *inputs: torch.Tensor) -> float:
    """Return the GFLOP of a forward pass; a multiplication and an addition are two."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(*inputs)
    return float(counter.get_total_flops()) / 1e9


def count_stages_gflop(model: GroundingModel, pixels: torch.Tensor) -> float:
    """Return the GFLOP of the backbone, which half precision is for."""
    front, backbone = model.trunk.inference_parts()
    with torch.inference_mode():
        first = front(pixels)
    return count_gflop(backbone, first)


def _finished(device: str, kernel: Callable[[], object]) -> Callable[[], object]:
    """Return a function that runs a kernel and waits for its end."""

    def run() -> None:
        with exact_float32():
            kernel()
        if device == 'cuda':
            torch.cuda.synchronize()

    return torch.inference_mode()(run)


def _products(device: str) -> Iterator[Kernel]:
    for side in _SIDES:
        for precision, dtype in _DTYPES[device].items():
            a = torch.randn(side, side, device=device).to(dtype)
            yield precision, 2.0 * side**3, _finished(device, lambda a=a: torch.mm(a, a))


def _convolutions(device: str) -> Iterator[Kernel]:
    flop = 2.0 * _CHANNELS**2 * 9 * _SIDE**2
    for precision, dtype in _DTYPES[device].items():
        layer = torch.nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1, device=device, dtype=dtype)
        layer = layer.to(memory_format=torch.channels_last)
        x = torch.randn(1, _CHANNELS, _SIDE, _SIDE, device=device).to(dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        yield precision, flop, _finished(device, lambda layer=layer, x=x: layer(x))


def _openvino_products() -> Iterator[Kernel]:
    try:
        import openvino
        from openvino import opset13
    except ImportError:
        return
    core = openvino.Core()
    rng = np.random.default_rng(0)
    for side in _SIDES[:2]:
        x = rng.standard_normal((side, side), np.float32)
        for precision in ('f32', 'bf16'):
            left = opset13.parameter([side, side], np.float32)
            product = opset13.matmul(left, opset13.constant(x), False, False)
            options = {'INFERENCE_PRECISION_HINT': precision, 'PERFORMANCE_HINT': 'LATENCY'}
            compiled = core.compile_model(openvino.Model([product], [left]), 'CPU', options)
            request = compiled.create_infer_request()
            request.set_input_tensor(openvino.Tensor(x))
            yield precision, 2.0 * side**3, request.infer
