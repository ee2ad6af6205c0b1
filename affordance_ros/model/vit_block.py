# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A ViT's block, and the training-free heads: other ways through the last one.

With x the last block's input; q, k, v of ln_1(x) for each attention head, of d channels;
s = d^-1/2 and W the output projection, the location's token o is

    maskclip   o = W v                                     (ECCV 2022, sec. 3.2)
    clearclip  o = W softmax(s q q^T) v                    (ECCV 2024)
    naclip     o = W softmax(s k k^T + G) v                (WACV 2025)
               G_ij = exp(-|i - j|^2 / 50) for patches i and j, 0 for the class token
    sclip      y = x + W (softmax(s q q^T) + softmax(s k k^T)) v,  o = y + MLP(ln_2(y))
                                                           (ECCV 2024)

Each is written from its paper's formula. MaskCLIP's own code for a ViT adds residual and MLP,
which the paper's formula does not have, nor those who compare with it.
"""

from typing import Any

import torch
import torch.nn.functional as F

HEADS = ('naclip', 'maskclip', 'clearclip', 'sclip')
_NACLIP_STD = 5.0  # patches


def run_block(block: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Run a block as open_clip does.

    Args:
        block: open_clip's ResidualAttentionBlock.
        tokens: (N, L, C).

    Returns:
        (N, L, C).
    """
    query, key, value = _split(block, tokens)
    attended = F.scaled_dot_product_attention(query, key, value)
    tokens = tokens + _project(block, attended)
    return tokens + block.ls_2(block.mlp(block.ln_2(tokens)))


def dense_tokens(
    head: str, block: Any, tokens: torch.Tensor, grid: tuple[int, int]
) -> torch.Tensor:
    """Return a training-free head's token at every patch.

    Args:
        head: One of HEADS.
        block: The last block.
        tokens: (N, 1 + hw, C), what it reads.
        grid: (h, w).

    Returns:
        (N, hw, C), before the last norm and the projection to the space of text.
    """
    query, key, value = _split(block, tokens)  # (N, heads, 1 + hw, d)
    if head == 'maskclip':
        dense = _project(block, value)
    elif head == 'clearclip':
        dense = _project(block, F.scaled_dot_product_attention(query, query, value))
    elif head == 'naclip':
        near = F.pad(_neighbours(*grid, like=tokens), (1, 0, 1, 0))  # (1 + hw, 1 + hw)
        attended = F.scaled_dot_product_attention(key, key, value, attn_mask=near)
        dense = _project(block, attended)
    elif head == 'sclip':
        attended = F.scaled_dot_product_attention(query, query, value)
        attended = attended + F.scaled_dot_product_attention(key, key, value)
        dense = tokens + _project(block, attended)
        dense = dense + block.ls_2(block.mlp(block.ln_2(dense)))
    else:
        raise ValueError(f'head {head!r} is unknown; known are {", ".join(HEADS)}')
    return dense[:, 1:]


def _split(block: Any, tokens: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return query, key and value, (N, heads, L, d) each."""
    attention = block.attn
    packed = F.linear(block.ln_1(tokens), attention.in_proj_weight, attention.in_proj_bias)
    heads = packed.unflatten(2, (3, attention.num_heads, -1))  # (N, L, 3, heads, d)
    return tuple(heads.permute(2, 0, 3, 1, 4))


def _project(block: Any, attended: torch.Tensor) -> torch.Tensor:
    """Join the heads (N, heads, L, d) and apply the output projection W, (N, L, C)."""
    return block.ls_1(block.attn.out_proj(attended.transpose(1, 2).flatten(2)))


def _neighbours(height: int, width: int, *, like: torch.Tensor) -> torch.Tensor:
    """Return G, (hw, hw): a Gaussian of the distance between two patches, 1 at most."""
    rows, columns = _gaussian(height, like), _gaussian(width, like)
    # exp(-(dy^2 + dx^2)) is a product, and rows and columns are few.
    return (rows[:, None, :, None] * columns[None, :, None, :]).reshape(
        height * width, height * width
    )


def _gaussian(length: int, like: torch.Tensor) -> torch.Tensor:
    places = torch.arange(length, device=like.device).to(like.dtype)
    distance = places[:, None] - places
    return torch.exp(-distance.square() / (2 * _NACLIP_STD**2))
