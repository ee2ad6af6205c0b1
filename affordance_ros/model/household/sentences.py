# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""MiniLM (all-MiniLM-L6-v2, Apache-2.0) in torch, for training: a BERT whose tokens are averaged.

`numpy_sentences.py` is the same without torch; a test holds their vectors equal.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from affordance_ros.model.household.shape import TowerShape

LAYER_NORM_EPS = 1e-12


class SentenceEncoder(nn.Module):
    """Turns tokens into the unit vectors of sentences.

    Args:
        shape: Its widths.
    """

    def __init__(self, shape: TowerShape) -> None:
        super().__init__()
        width = shape.text_width
        self.words = nn.Embedding(shape.vocabulary, width)
        # With the one token type that a single sentence has, added in.
        self.positions = nn.Embedding(shape.max_tokens, width)
        self.norm = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.layers = nn.ModuleList(_Layer(shape) for _ in range(shape.text_layers))

    def forward(self, tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Encode sentences.

        Args:
            tokens: Of K sentences, with those that begin and end each.

        Returns:
            (K, 384) float32 unit vectors.
        """
        device = self.words.weight.device
        rows = [torch.tensor(row, device=device) for row in tokens]
        numbers = pad_sequence(rows, batch_first=True)  # (K, L)
        lengths = torch.tensor([len(row) for row in rows], device=device)
        real = torch.arange(numbers.shape[1], device=device) < lengths[:, None]  # (K, L)
        x = self.norm(self.words(numbers) + self.positions.weight[: numbers.shape[1]])
        for layer in self.layers:
            x = layer(x, real)  # (K, L, 384)
        mean = (x * real[..., None]).sum(dim=1) / lengths[:, None]
        return F.normalize(mean, dim=-1)


class _Layer(nn.Module):
    """Attention and a feed-forward network, each followed by LayerNorm."""

    def __init__(self, shape: TowerShape) -> None:
        super().__init__()
        width, hidden = shape.text_width, shape.text_hidden
        self._heads = shape.text_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.attended = nn.Linear(width, width)
        self.attended_norm = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.hidden = nn.Linear(width, hidden)
        self.output = nn.Linear(hidden, width)
        self.output_norm = nn.LayerNorm(width, eps=LAYER_NORM_EPS)

    def forward(self, x: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        k, length, width = x.shape
        query, key, value = (
            part(x).view(k, length, self._heads, -1).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )  # (K, heads, L, d)
        attended = F.scaled_dot_product_attention(
            query, key, value, attn_mask=real[:, None, None, :]
        )
        attended = attended.transpose(1, 2).reshape(k, length, width)
        x = self.attended_norm(x + self.attended(attended))
        return self.output_norm(x + self.output(F.gelu(self.hidden(x))))
