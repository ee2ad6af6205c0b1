# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Read the state dicts that torch.save wrote: torch.load with weights_only, behind more checks.

torch.load inflates zip bombs, lets a pickle make byte arrays of any size, and gives a tensor of
any size on a storage of one number. So the zip file and the names in its pickle are looked at
before, and the tensors afterwards. Until torch 2.6 `weights_only` could be talked into running
code (CVE-2025-32434): older ones are refused.
"""

import pickle
import pickletools
import zipfile
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

_MAX_PICKLE_BYTES = 1 << 26  # names and shapes alone: RN101's has 60 kB
_MIN_TORCH = (2, 6)
# What state dicts name; weights_only allows much more.
_KNOWN = {
    'collections OrderedDict', 'torch Size',
    'torch._utils _rebuild_tensor_v2', 'torch._utils _rebuild_parameter',
    *(f'torch {kind}Storage' for kind in (
        'Float', 'Double', 'Half', 'BFloat16', 'Long', 'Int', 'Short', 'Char', 'Byte', 'Bool',
    )),
}  # fmt: skip


class TorchFileError(ValueError):
    """A file was not written by torch.save, or holds more than tensors and plain data."""


def read_torch_file(path: Path) -> Any:
    """Return what torch.save wrote: dicts, lists and plain data with tensors in them.

    Args:
        path: A zip file, as torch has written since 1.6.

    Returns:
        The content, its tensors on the CPU.

    Raises:
        TorchFileError: If it is not such a file, is damaged, or holds anything else.
        OSError: If it can't be read.
    """
    if tuple(map(int, torch.__version__.split('.')[:2])) < _MIN_TORCH:
        raise TorchFileError(
            f'torch {torch.__version__} can not read it safely: install torch 2.6 or newer, or '
            f'convert the file to safetensors'
        )
    try:
        _check_archive(path)
        content = torch.load(path, map_location='cpu', weights_only=True)
    except TorchFileError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise TorchFileError(
            f'not a whole zip file of torch 1.6 or newer ({error}): it may be cut off'
        ) from error
    except pickle.UnpicklingError as error:
        raise TorchFileError('it holds more than tensors and plain data') from error
    except OSError:
        raise
    # torch documents no list of what a damaged file may raise.
    except Exception as error:
        raise TorchFileError(f'it is not as torch.save writes it: {error}') from error
    for tensor in _tensors(content):
        _check_tensor(tensor)
    return content


def _check_archive(path: Path) -> None:
    """Refuse what would take more memory than the file has bytes."""
    with zipfile.ZipFile(path) as archive:
        records = archive.infolist()
        packed = any(r.compress_type != zipfile.ZIP_STORED for r in records)
        # Records may overlap: a thousand names for one piece of the file.
        if packed or sum(r.file_size for r in records) > path.stat().st_size:
            raise TorchFileError('its records are compressed or overlap, which torch never writes')
        pickles = [r for r in records if r.filename.endswith('/data.pkl')]
        if len(pickles) != 1 or pickles[0].file_size > _MAX_PICKLE_BYTES:
            raise TorchFileError('it has no data.pkl, several, or a huge one')
        if damaged := archive.testzip():
            raise TorchFileError(f'its record {damaged} is damaged: the CRC-32 does not fit')
        _check_names(archive.read(pickles[0]))


def _check_names(data: bytes) -> None:
    """Refuse a pickle that names anything but tensors, their storages and plain containers."""
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ('GLOBAL', 'STACK_GLOBAL', 'INST') and argument not in _KNOWN:
            name = str(argument).replace(' ', '.')
            raise TorchFileError(f'it names the global {name:.80}; it holds more than tensors')


def _tensors(content: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors of nested containers, each container once."""
    waiting, seen = [content], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, Mapping | list | tuple) and id(value) not in seen:
            seen.add(id(value))
            waiting.extend(value.values() if isinstance(value, Mapping) else value)


def _check_tensor(tensor: torch.Tensor) -> None:
    """Refuse a tensor that claims more numbers than its storage has."""
    if tensor.layout != torch.strided or tensor.device.type != 'cpu' or tensor.is_quantized:
        raise TorchFileError(
            f'it has a tensor of layout {tensor.layout} on {tensor.device}; dense ones are read'
        )
    held = tensor.untyped_storage().nbytes() // tensor.element_size()
    if tensor.numel() > held:
        raise TorchFileError(
            f'it has a tensor of size {tuple(tensor.shape)!s:.40} in a storage of {held} numbers'
        )
