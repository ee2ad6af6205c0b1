# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The arithmetic floor: a model's FLOPs over the best rate at which this machine multiplies."""

from collections.abc import Callable
from collections.abc import Iterator

import numpy as np
import torch
from bench_timing import run_in_turn
from bench_timing import timed
from torch.utils.flop_counter import FlopCounterMode

_SIDES = (1024, 2048, 4096)
_CHANNELS, _SIDE = 256, 56

# Precision, FLOP and a function that does them.
Kernel = tuple[str, float, Callable[[], object]]


def measure_rates(rounds: int) -> dict[str, float]:
    """Return GFLOP/s of float32 and bfloat16, each the best of several kernels in all rounds.

    No library is the fastest everywhere (MKL's float32 product takes another path on AMD), so the
    floor is taken from whichever is.
    """
    kernels = dict(enumerate([*_products(), *_convolutions(), *_openvino_products()]))
    times = run_in_turn({str(k): timed(kernel[2]) for k, kernel in kernels.items()}, rounds)
    rates = {'f32': 0.0, 'bf16': 0.0}
    for k, (precision, flop, _) in kernels.items():
        rates[precision] = max(rates[precision], flop / 1e6 / min(times[str(k)]))
    return rates


def count_gflop(model: torch.nn.Module, *inputs: torch.Tensor) -> float:
    """Return the GFLOP of a forward pass; a multiplication and an addition are two."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(*inputs)
    return float(counter.get_total_flops()) / 1e9


def _products() -> Iterator[Kernel]:
    for side in _SIDES:
        for precision, dtype in (('f32', torch.float32), ('bf16', torch.bfloat16)):
            a = torch.randn(side, side).to(dtype)
            yield precision, 2.0 * side**3, lambda a=a: torch.mm(a, a)


def _convolutions() -> Iterator[Kernel]:
    flop = 2.0 * _CHANNELS**2 * 9 * _SIDE**2
    for precision, dtype in (('f32', torch.float32), ('bf16', torch.bfloat16)):
        layer = torch.nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1).to(dtype)
        layer = layer.to(memory_format=torch.channels_last)
        x = torch.randn(1, _CHANNELS, _SIDE, _SIDE).to(dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        yield precision, flop, torch.inference_mode()(lambda layer=layer, x=x: layer(x))


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
