# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Run a TensorFlow.js graph model in numpy, in float64, by TensorFlow's definitions of the ops.

It shares nothing with `tools.import_household` or `ImageTower`, which are held against it: every
node is computed as the graph says, layouts and paddings included.
"""

import base64
import json
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Node = dict[str, Any]
_STORED_AS = {'float16': np.float16, 'float32': np.float32, 'int32': np.int32}


class GraphModel:
    """A graph model that is read from its JSON and the binary beside it.

    Args:
        path: The JSON, whose `weightsManifest` names the binary.

    Raises:
        ValueError: If the binary has another length than the manifest says.
    """

    def __init__(self, path: Path) -> None:
        graph = json.loads(path.read_text(encoding='utf-8'))
        self._nodes: dict[str, Node] = {n['name']: n for n in graph['modelTopology']['node']}
        self._constants: dict[str, Array] = {}
        for group in graph['weightsManifest']:
            data = b''.join((path.parent / name).read_bytes() for name in group['paths'])
            self._constants |= _weights(group['weights'], data)

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """Compute some nodes.

        Args:
            feeds: The placeholders' values, by their names.
            outputs: Names of nodes; the first output of each is returned.
        """
        known: dict[str, list[Array]] = {}
        for name, fed in feeds.items():
            known[name] = [np.asarray(fed, np.float64)]
        pending = list(outputs)
        while pending:
            node = self._nodes[pending[-1]]
            sources = [_output(source) for source in node.get('input', [])]
            missing = [name for name, _ in sources if name not in known]
            if pending[-1] in known or not missing:
                name = pending.pop()
                if name not in known:
                    inputs = [known[source][number] for source, number in sources]
                    known[name] = self._compute(node, inputs)
            else:
                pending += missing
        return [known[name][0] for name in outputs]

    def _compute(self, node: Node, inputs: list[Array]) -> list[Array]:
        """Return the node's outputs.

        Raises:
            NotImplementedError: If its op or one of its attributes is not known here.
        """
        if node['op'] == 'Const':
            return [self._constants[node['name']]]
        if node['op'] == 'SplitV':
            x, sizes, axis = inputs
            return np.split(x, np.cumsum(sizes)[:-1], axis=int(axis))
        if node['op'] not in _OPS:
            raise NotImplementedError(f'{node["op"]} of {node["name"]}')
        return [_OPS[node['op']](node.get('attr', {}), *inputs)]


def _output(source: str) -> tuple[str, int]:
    """Return a node's name and the number of its output."""
    name, _, number = source.partition(':')
    return name, int(number or 0)


def _weights(entries: list[dict[str, Any]], data: bytes) -> dict[str, Array]:
    """Return the constants by name; floats in float64, whatever they are stored as."""
    found: dict[str, Array] = {}
    offset = 0
    for entry in entries:
        dtype = np.dtype(_STORED_AS[entry.get('quantization', entry)['dtype']])
        count = int(np.prod(entry['shape']))
        values = np.frombuffer(data, dtype, count, offset).reshape(entry['shape'])
        offset += count * dtype.itemsize
        found[entry['name']] = values if dtype.kind == 'i' else values.astype(np.float64)
    if offset != len(data):
        raise ValueError(f'the weights take {offset} bytes of {len(data)}')
    return found


def _windows(attributes: Node, x: Array, size: tuple[int, int]) -> Array:
    """Return all windows of an image without padding: (N, H', W', C, *size)."""
    if base64.b64decode(attributes['padding']['s']) != b'VALID':
        raise NotImplementedError('padding other than VALID')
    if attributes.get('dilations', {}).get('list', {}).get('i', ['1'] * 4) != ['1'] * 4:
        raise NotImplementedError('dilation')
    if base64.b64decode(attributes['data_format']['s']) != b'NHWC':
        raise NotImplementedError('a layout other than NHWC')
    _, down, right, _ = (int(step) for step in attributes['strides']['list']['i'])
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
    return windows[:, ::down, ::right]


def _convolve(attributes: Node, x: Array, kernel: Array) -> Array:
    """Convolve (N, H, W, C) with (kh, kw, C, O)."""
    windows = _windows(attributes, x, kernel.shape[:2])
    result = np.zeros((*windows.shape[:3], kernel.shape[3]))
    for row in range(kernel.shape[0]):
        for column in range(kernel.shape[1]):
            result += windows[..., row, column] @ kernel[row, column]
    return result


def _max_pool(attributes: Node, x: Array) -> Array:
    _, height, width, _ = (int(side) for side in attributes['ksize']['list']['i'])
    return np.asarray(_windows(attributes, x, (height, width)).max(axis=(-2, -1)))


def _pad(_: Node, x: Array, widths: Array, value: float = 0.0) -> Array:
    return np.pad(x, widths, constant_values=float(value))


def _leaky_relu(attributes: Node, x: Array) -> Array:
    return np.where(x > 0, x, attributes['alpha']['f'] * x)


def _resize(attributes: Node, x: Array, size: Array) -> Array:
    """Interpolate (N, H, W, C) linearly, pixel centres at .5, edges repeated."""
    if attributes['align_corners']['b'] or not attributes['half_pixel_centers']['b']:
        raise NotImplementedError('another grid than that of half pixels')
    for axis, to in zip((1, 2), size, strict=True):
        at = (np.arange(to) + 0.5) * x.shape[axis] / to - 0.5
        below = np.floor(at).astype(int)
        share = (at - below).reshape([-1 if i == axis else 1 for i in range(4)])
        last = x.shape[axis] - 1
        low = np.take(x, below.clip(0, last), axis)
        x = low * (1 - share) + np.take(x, (below + 1).clip(0, last), axis) * share
    return x


def _sparse_to_dense(_: Node, places: Array, shape: Array, values: Array, rest: Array) -> Array:
    dense = np.full(shape, rest)
    dense[tuple(places.T)] = values
    return dense


_OPS = {
    'Add': lambda _, a, b: a + b,
    'AddV2': lambda _, a, b: a + b,
    'ConcatV2': lambda _, *inputs: np.concatenate(inputs[:-1], axis=int(inputs[-1])),
    'Conv2D': _convolve,
    'Identity': lambda _, x: x,
    'LeakyRelu': _leaky_relu,
    'MaxPool': _max_pool,
    'Pad': _pad,
    'PadV2': _pad,
    'Reshape': lambda _, x, shape: x.reshape(shape),
    'ResizeBilinear': _resize,
    'Sigmoid': lambda _, x: 1 / (1 + np.exp(-x)),
    'SparseToDense': _sparse_to_dense,
    'Transpose': lambda _, x, order: x.transpose(order),
}
