# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""MiniLM in numpy, for a robot without torch; `sentences.py` is the same in torch."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from affordance_ros.model.household.quantized import QuantizedRows
from affordance_ros.model.household.shape import TowerShape

Array = NDArray[np.float32]
_LAYER_NORM_EPS = 1e-12


class NumpySentenceEncoder:
    """Turns the tokens of one sentence into its unit vector.

    The table of words, half of all weights, stays in int8: a sentence needs a few rows of it.

    Args:
        weights: By the names of `SentenceEncoder`'s parameters, float32 or quantized.
        shape: Its widths.
    """

    def __init__(self, weights: Mapping[str, Array | QuantizedRows], shape: TowerShape) -> None:
        self._heads = shape.text_heads
        self._words = weights['words.weight']
        self._weights = {
            name: value.dequantize() if isinstance(value, QuantizedRows) else value
            for name, value in weights.items()
            if name != 'words.weight'
        }
        self._layers = [f'layers.{number}.' for number in range(shape.text_layers)]

    def encode(self, tokens: Sequence[int]) -> Array:
        """Return the sentence's vector, (384,) float32.

        Args:
            tokens: With those that begin and end the sentence; at most 64.
        """
        numbers = np.asarray(tokens)
        words = self._words
        rows = words.dequantize(numbers) if isinstance(words, QuantizedRows) else words[numbers]
        x = self._norm(rows + self._weights['positions.weight'][: len(numbers)], 'norm')
        for layer in self._layers:
            attended = self._linear(self._attend(x, layer), layer + 'attended')
            x = self._norm(x + attended, layer + 'attended_norm')
            hidden = _gelu(self._linear(x, layer + 'hidden'))
            x = self._norm(x + self._linear(hidden, layer + 'output'), layer + 'output_norm')
        mean = x.mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    def _attend(self, x: Array, layer: str) -> Array:
        query, key, value = (
            self._linear(x, layer + part).reshape(len(x), self._heads, -1).transpose(1, 0, 2)
            for part in ('query', 'key', 'value')
        )  # (heads, L, d)
        scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(query.shape[-1]))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = scores / scores.sum(axis=-1, keepdims=True)
        return np.asarray((weights @ value).transpose(1, 0, 2).reshape(x.shape), np.float32)

    def _linear(self, x: Array, name: str) -> Array:
        result: Array = x @ self._weights[name + '.weight'].T + self._weights[name + '.bias']
        return result

    def _norm(self, x: Array, name: str) -> Array:
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + _LAYER_NORM_EPS)
        result: Array = centred / deviation * self._weights[name + '.weight']
        return np.asarray(result + self._weights[name + '.bias'], np.float32)


def _gelu(x: Array) -> Array:
    return np.asarray(0.5 * x * (1 + _erf(x * np.float32(0.5**0.5))), np.float32)


def _erf(x: Array) -> Array:
    """Approximate the error function to 1.5e-7 (Abramowitz and Stegun, 7.1.26)."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    tail = (
        ((((1.061405429 * t - 1.453152027) * t) + 1.421413741) * t - 0.284496736) * t + 0.254829592
    ) * t
    return np.asarray(np.sign(x) * (1 - tail * np.exp(-x * x)), np.float32)
