# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The file of both towers: safetensors with the image in fp16 and the text in int8; no torch."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from affordance_ros.model.errors import WeightsError
from affordance_ros.model.household.quantized import QuantizedRows
from affordance_ros.model.household.shape import TowerShape
from affordance_ros.model.safetensors_file import SafetensorsError
from affordance_ros.model.safetensors_file import read_arrays

FORMAT = 'affordance_ros.household'
FORMAT_VERSION = 1
TRUNK_FILE, TOKENIZER_FILE = 'trunk.safetensors', 'tokenizer.json'
_IMAGE, _TEXT, _CLASSES, _SCALES = 'image.', 'text.', 'classes', ':scales'
_MAX_BYTES = 1 << 28

Array = NDArray[np.float32]


@dataclass(frozen=True)
class TowerWeights:
    """The weights of both towers."""

    shape: TowerShape
    image: Mapping[str, Array]  # by the names of `ImageTower`'s parameters
    text: Mapping[str, Array | QuantizedRows]  # by the names of `SentenceEncoder`'s parameters
    class_vectors: Array  # (80, 384), see `class_phrase`
    sources: Mapping[str, str]  # which files they were imported from, with their sha256

    def write(self, path: Path) -> None:
        """Write them as safetensors."""
        tensors: dict[str, NDArray[Any]] = {_CLASSES: self.class_vectors}
        for name, value in self.image.items():
            tensors[_IMAGE + name] = value.astype(np.float16)
        for name, weight in self.text.items():
            if isinstance(weight, QuantizedRows):
                tensors[_TEXT + name] = weight.rows
                tensors[_TEXT + name + _SCALES] = weight.scales
            else:
                tensors[_TEXT + name] = weight
        about = {'shape': asdict(self.shape), 'sources': dict(self.sources)}
        metadata = {
            'format': FORMAT,
            'format_version': str(FORMAT_VERSION),
            'about': json.dumps(about, sort_keys=True),
        }
        path.write_bytes(save(tensors, metadata))

    @classmethod
    def read(cls, path: Path, *, image: bool = True) -> 'TowerWeights':
        """Read what `write` wrote.

        Args:
            path: The file.
            image: Whether to read the image tower's weights too.

        Raises:
            WeightsError: If the file is missing, damaged or of another kind.
        """
        try:
            tensors, metadata = read_arrays(
                path, limit_bytes=_MAX_BYTES, without='' if image else _IMAGE
            )
            if metadata.get('format') != FORMAT:
                raise ValueError(f'its format is {metadata.get("format")!r}, not {FORMAT!r}')
            if metadata.get('format_version') != str(FORMAT_VERSION):
                raise ValueError(f'its format version is not {FORMAT_VERSION}')
            about = json.loads(metadata['about'])
            text: dict[str, Array | QuantizedRows] = {}
            for name, value in _below(tensors, _TEXT).items():
                if value.dtype == np.int8:
                    text[name] = QuantizedRows(value, tensors[_TEXT + name + _SCALES])
                elif not name.endswith(_SCALES):
                    text[name] = value.astype(np.float32)
            return cls(
                shape=TowerShape(**about['shape']),
                image={k: v.astype(np.float32) for k, v in _below(tensors, _IMAGE).items()},
                text=text,
                class_vectors=tensors[_CLASSES].astype(np.float32),
                sources={str(k): str(v) for k, v in about['sources'].items()},
            )
        except (SafetensorsError, OSError, KeyError, TypeError, ValueError, RecursionError) as e:
            raise WeightsError(f'{path} does not hold the towers of household: {e}') from e


def _below(tensors: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
