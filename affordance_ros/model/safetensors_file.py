# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Read safetensors files whose header is looked at before anything is parsed or allocated."""

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors import safe_open

from affordance_ros.safe_io.files import check_file

if TYPE_CHECKING:  # a robot may have no torch
    import torch

# The library reads headers of up to 100 MB. Names, shapes and offsets of a CLIP ResNet take 0.1.
MAX_HEADER_BYTES = 1 << 23
_LENGTH_BYTES = 8


class SafetensorsError(ValueError):
    """A file is not a whole safetensors file, or its header is too large."""


def read_safetensors(path: Path) -> 'tuple[dict[str, torch.Tensor], dict[str, str]]':
    """Return a file's tensors by name, on the CPU, and its metadata.

    Raises:
        SafetensorsError: If it is not whole, or its header claims a gigantic length.
        OSError: If it can't be read.
    """
    return _read(path, framework='pt')


def read_arrays(
    path: Path, *, limit_bytes: int, without: str = ''
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return a file's arrays by name and its metadata; needs no torch.

    Args:
        path: The file.
        limit_bytes: The largest file that is read.
        without: Leaves out the arrays whose names begin so; '' leaves out none.

    Raises:
        SafetensorsError: As `read_safetensors`.
        OSError: If it can't be read, or is larger than the limit.
    """
    check_file(path, limit_bytes=limit_bytes)
    return _read(path, framework='np', without=without)


def _read(
    path: Path, *, framework: str, without: str = ''
) -> tuple[dict[str, Any], dict[str, str]]:
    with path.open('rb') as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), 'little')
    if length > min(MAX_HEADER_BYTES, path.stat().st_size - _LENGTH_BYTES):
        raise SafetensorsError(
            f'its header claims {length:,} bytes, and the file has {path.stat().st_size:,}; at '
            f'most {MAX_HEADER_BYTES:,} are read'
        )
    try:
        with safe_open(path, framework=framework) as file:
            names = list(file.keys())
            if without:
                names = [name for name in names if not name.startswith(without)]
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except (SafetensorError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise SafetensorsError(str(error)) from error
