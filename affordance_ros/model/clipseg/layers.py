# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""CLIPSeg's transformer layers: the weights in transformers' modules, the arithmetic here.

transformers' own forward takes no map that is not square, and its signatures change between
versions; the names of its modules do not.
"""

from typing import Any

import torch
import torch.nn.functional as F


def run_encoder_layer(layer: Any, tokens: torch.Tensor, *, causal: bool = False) -> torch.Tensor:
    """Run a layer of CLIP, which normalises before attention and MLP.

    Args:
        layer: A CLIPSegEncoderLayer.
        tokens: (N, L, C).
        causal: Whether a token sees only those before it.

    Returns:
        (N, L, C).
    """
    tokens = tokens + _attend(layer.self_attn, layer.layer_norm1(tokens), causal=causal)
    return tokens + layer.mlp(layer.layer_norm2(tokens))


def run_decoder_layer(layer: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Run a layer of the decoder, which normalises after attention and MLP.

    Args:
        layer: A CLIPSegDecoderLayer.
        tokens: (N, L, C).

    Returns:
        (N, L, C).
    """
    tokens = layer.layer_norm1(tokens + _attend(layer.self_attn, tokens))
    normalised: torch.Tensor = layer.layer_norm2(tokens + layer.mlp(tokens))
    return normalised


def _attend(attention: Any, tokens: torch.Tensor, *, causal: bool = False) -> torch.Tensor:
    query, key, value = (
        project(tokens).unflatten(2, (attention.num_heads, -1)).transpose(1, 2)
        for project in (attention.q_proj, attention.k_proj, attention.v_proj)
    )  # (N, heads, L, d) each
    attended = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
    projected: torch.Tensor = attention.out_proj(attended.transpose(1, 2).flatten(2))
    return projected
