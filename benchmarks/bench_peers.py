# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Other models of the field with random weights, built from their configurations: no download."""

import warnings
from collections.abc import Callable

import numpy as np
import torch

Pass = Callable[[], object]


def load_peers(say: Callable[[str], object], device: str) -> dict[str, Pass]:
    """Return a forward pass of each peer, by name; says why where there is none.

    On a CPU CLIPSeg comes also on OpenVINO, in float32 and, where the processor has it, all in
    bfloat16.

    Args:
        say: Takes the message that a package is missing.
        device: 'cpu' or 'cuda', where they run.
    """
    try:
        import transformers
    except ImportError:
        say('peers skipped: transformers is not installed (make build installs it)\n')
        return {}
    clipseg = transformers.CLIPSegForImageSegmentation(
        transformers.CLIPSegConfig(reduce_dim=64)
    ).eval()
    owlvit = transformers.OwlViTForObjectDetection(transformers.OwlViTConfig()).eval()
    dino = transformers.Dinov2Model(
        transformers.Dinov2Config(hidden_size=768, num_hidden_layers=12, num_attention_heads=12)
    ).eval()
    tokens = torch.ones(1, 16, dtype=torch.int64)

    def of(model: torch.nn.Module, size: int, **inputs: torch.Tensor) -> Pass:
        model.to(device)
        pixels = torch.zeros(1, 3, size, size, device=device)
        given = {name: value.to(device) for name, value in inputs.items()}

        @torch.inference_mode()
        def run() -> object:
            outputs = model(pixel_values=pixels, **given)
            if device == 'cuda':
                torch.cuda.synchronize()
            return outputs

        return run

    return {
        'CLIPSeg rd64, 352, torch': of(clipseg, 352, input_ids=tokens),
        **(_on_openvino(clipseg, 352, tokens) if device == 'cpu' else {}),
        'OWL-ViT B/32, 768, torch': of(owlvit, 768, input_ids=tokens),
        'DINOv2 ViT-B/14, 448, backbone, torch': of(dino, 448),
    }


class _Logits(torch.nn.Module):
    """CLIPSeg from pixels and tokens to its logits alone, for tracing."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self._model = model

    def forward(self, pixels: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Return the logits (N, 352, 352)."""
        logits: torch.Tensor = self._model(pixel_values=pixels, input_ids=tokens).logits
        return logits


def _on_openvino(clipseg: torch.nn.Module, size: int, tokens: torch.Tensor) -> dict[str, Pass]:
    try:
        import openvino
    except ImportError:
        return {}
    example = (torch.zeros(1, 3, size, size), tokens)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # tracing fixes what does not change here
        network = openvino.convert_model(_Logits(clipseg), example_input=example)
    network.reshape(
        {
            port: openvino.PartialShape(list(one.shape))
            for port, one in zip(network.inputs, example, strict=True)
        }
    )
    inputs = [np.ascontiguousarray(one.numpy()) for one in example]
    core = openvino.Core()
    passes: dict[str, Pass] = {}
    has_bf16 = 'BF16' in core.get_property('CPU', 'OPTIMIZATION_CAPABILITIES')
    for precision in ('f32', 'bf16') if has_bf16 else ('f32',):
        options = {'INFERENCE_PRECISION_HINT': precision, 'PERFORMANCE_HINT': 'LATENCY'}
        request = core.compile_model(network, 'CPU', options).create_infer_request()
        passes[f'CLIPSeg rd64, 352, openvino {precision}'] = lambda r=request: r.infer(inputs)
    return passes
