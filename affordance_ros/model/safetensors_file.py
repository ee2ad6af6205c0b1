# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Read safetensors files whose header is looked at before anything is parsed or allocated."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors import safe_open

# The library reads headers of up to 100 MB. Names, shapes and offsets of a CLIP ResNet take 0.1.
MAX_HEADER_BYTES = 1 << 23
_LENGTH_BYTES = 8


class SafetensorsError(ValueError):
    """A file is no whole safetensors file, or its header is too large."""


def read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Return a file's tensors by name, on the CPU, and its metadata.

    Raises:
        SafetensorsError: If it is not whole, or its header claims a gigantic length.
        OSError: If it can't be read.
    """
    with path.open('rb') as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), 'little')
    if length > min(MAX_HEADER_BYTES, path.stat().st_size - _LENGTH_BYTES):
        raise SafetensorsError(
            f'its header claims {length:,} bytes, and the file has {path.stat().st_size:,}; at '
            f'most {MAX_HEADER_BYTES:,} are read'
        )
    try:
        with safe_open(path, framework='pt') as file:
            names = list(file.keys())
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except (SafetensorError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise SafetensorsError(str(error)) from error
