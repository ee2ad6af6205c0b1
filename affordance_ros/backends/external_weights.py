# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Let an ONNX graph read its weights out of safetensors files beside it, so that they ship once.

ONNX calls it external data: a tensor names a file, an offset and a length. A safetensors file is
a header and then the plain bytes of its tensors, so a graph can point into it.
"""

import hashlib
import json
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto
from onnx import StringStringEntryProto
from onnx import TensorProto
from onnx import helper
from onnx import load_from_string
from onnx import numpy_helper

_LENGTH_BYTES = 8  # of the number before a safetensors header
_DTYPES = {'F16': (np.float16, TensorProto.FLOAT16), 'F32': (np.float32, TensorProto.FLOAT)}
_MIN_ELEMENTS = 64  # smaller tensors stay in the graph


@dataclass(frozen=True)
class _Stored:
    """Where the values of a tensor lie."""

    file: str
    offset: int
    length: int
    dtype: int  # TensorProto's number


def share_weights(graph: bytes, files: Sequence[Path]) -> bytes:
    """Replace a graph's weights by references to equal tensors in safetensors files.

    A tensor in float16 is cast to float32 in the graph.

    Args:
        graph: ONNX with all weights inside, in float32.
        files: Safetensors files, which will lie beside the graph.

    Returns:
        The ONNX without the weights that were found.
    """
    stored = {key: place for path in files for key, place in _tensors(path)}
    model = load_from_string(graph)
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _MIN_ELEMENTS:
            continue
        place = stored.get(_key(numpy_helper.to_array(tensor)))
        if place is None:
            continue
        if place.dtype != TensorProto.FLOAT:
            name, tensor.name = tensor.name, f'{tensor.name}:stored'
            casts.append(helper.make_node('Cast', [tensor.name], [name], to=TensorProto.FLOAT))
        _refer(tensor, place)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return bytes(model.SerializeToString())


def referred_files(model: ModelProto) -> set[str]:
    """Return the names of the files that a graph reads weights from."""
    return {
        entry.value
        for tensor in model.graph.initializer
        for entry in tensor.external_data
        if entry.key == 'location'
    }


def _refer(tensor: TensorProto, place: _Stored) -> None:
    tensor.ClearField('raw_data')
    tensor.ClearField('float_data')
    tensor.data_type = place.dtype
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (
        ('location', place.file),
        ('offset', str(place.offset)),
        ('length', str(place.length)),
    ):
        tensor.external_data.append(StringStringEntryProto(key=key, value=value))


def _tensors(path: Path) -> Iterator[tuple[str, _Stored]]:
    """Yield the float tensors of a safetensors file, by their values in float32."""
    data = path.read_bytes()
    start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], 'little')
    header = json.loads(data[_LENGTH_BYTES:start])
    for name, entry in header.items():
        if name == '__metadata__' or entry['dtype'] not in _DTYPES:
            continue
        dtype, number = _DTYPES[entry['dtype']]
        begin, end = entry['data_offsets']
        values = np.frombuffer(data[start + begin : start + end], dtype).reshape(entry['shape'])
        place = _Stored(path.name, start + begin, end - begin, number)
        yield _key(values.astype(np.float32)), place


def _key(values: NDArray[np.float32]) -> str:
    digest = hashlib.sha256(str(values.shape).encode())
    digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
