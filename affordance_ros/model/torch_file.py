# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Read the state dicts that torch.save wrote, without torch.load.

torch.load inflates zip bombs, and until torch 2.6 `weights_only` could be talked into running code
(CVE-2025-32434); robots often have older ones. The format is simple: a zip of uncompressed
records, one of them a pickle that names a few globals.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from affordance_ros.safe_io.plain_pickle import Maker
from affordance_ros.safe_io.plain_pickle import PickleRefusedError
from affordance_ros.safe_io.plain_pickle import parse_pickle

_MAX_PICKLE_BYTES = 1 << 26  # names and shapes alone: RN101's has 60 kB
_STORAGES = {
    'torch.FloatStorage': torch.float32,
    'torch.DoubleStorage': torch.float64,
    'torch.HalfStorage': torch.float16,
    'torch.BFloat16Storage': torch.bfloat16,
    'torch.LongStorage': torch.int64,
    'torch.IntStorage': torch.int32,
    'torch.ShortStorage': torch.int16,
    'torch.CharStorage': torch.int8,
    'torch.ByteStorage': torch.uint8,
    'torch.BoolStorage': torch.bool,
}


class TorchFileError(ValueError):
    """A file is none that torch.save wrote, or holds more than tensors and plain data."""


def read_torch_file(path: Path) -> Any:
    """Return what torch.save wrote: dicts, lists and plain data with tensors in them.

    Args:
        path: A zip file, as torch has written since 1.6.

    Raises:
        TorchFileError: If it is none, is damaged, or holds anything else.
        OSError: If it can't be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _Reader(archive, path.stat().st_size).read()
    except TorchFileError:
        raise
    except PickleRefusedError as error:
        raise TorchFileError(f'{error}; it holds more than tensors') from error
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise TorchFileError(
            f'it is no whole zip file of torch 1.6 or newer ({error}): it may be cut off'
        ) from error
    except (KeyError, RuntimeError, UnicodeDecodeError, ValueError) as error:
        raise TorchFileError(f'it is not as torch.save writes it: {error}') from error


class _Reader:
    """An open archive, with the storages that were read from it.

    Args:
        archive: The archive.
        size: Bytes of the file.
    """

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        records = archive.infolist()
        packed = [r.filename for r in records if r.compress_type != zipfile.ZIP_STORED]
        # Records may overlap: a thousand names for one piece of the file.
        if packed or sum(record.file_size for record in records) > size:
            raise TorchFileError('its records are compressed or overlap, which torch never writes')
        pickles = [r for r in records if r.filename.endswith('/data.pkl')]
        if len(pickles) != 1 or pickles[0].file_size > _MAX_PICKLE_BYTES:
            raise TorchFileError('it has no data.pkl, several, or a huge one')
        self._pickle = pickles[0]
        self._prefix = self._pickle.filename.removesuffix('data.pkl')
        self._storages: dict[str, torch.Tensor] = {}

    def read(self) -> Any:
        """Return the content."""
        order = f'{self._prefix}byteorder'
        if order in self._archive.namelist() and self._archive.read(order) != b'little':
            raise TorchFileError('it was written on a big-endian machine')
        known = {
            **_STORAGES,
            'collections.OrderedDict': Maker(dict),
            'torch._utils._rebuild_tensor_v2': Maker(_rebuild_tensor),
            'torch._utils._rebuild_parameter': Maker(lambda data, *_: data),
            'torch.Size': Maker(tuple),
        }
        return parse_pickle(
            self._archive.read(self._pickle), known=known, outside=self._read_storage
        )

    def _read_storage(self, reference: Sequence[Any]) -> torch.Tensor:
        """Return a storage as a flat tensor, which shares the bytes that were read."""
        kind, dtype, key, _, count = reference
        if kind != 'storage' or not isinstance(dtype, torch.dtype) or not isinstance(key, str):
            raise TorchFileError(f'it has a reference that is none to a storage: {kind!r:.40}')
        if key not in self._storages:
            record = self._archive.getinfo(f'{self._prefix}data/{key}')
            if record.file_size != count * dtype.itemsize:
                raise TorchFileError(
                    f'its storage {key} has {record.file_size} bytes, which are not {count} of '
                    f'{dtype}'
                )
            data = bytearray(self._archive.read(record))
            flat = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
            self._storages[key] = flat
        storage = self._storages[key]
        if storage.dtype != dtype or storage.numel() != count:
            raise TorchFileError(f'its storage {key} is used as several types')
        return storage


def _rebuild_tensor(
    storage: torch.Tensor, offset: int, size: Sequence[int], stride: Sequence[int], *_: Any
) -> torch.Tensor:
    """View a storage as torch does, if every element has a place of its own in it."""
    numbers = (offset, *size, *stride)
    if not isinstance(storage, torch.Tensor) or not all(type(n) is int for n in numbers):
        raise TorchFileError('it has a tensor whose shape is no list of whole numbers')
    if len(size) != len(stride) or min(numbers, default=0) < 0:
        raise TorchFileError(f'it has a tensor of size {size!r:.40} and stride {stride!r:.40}')
    count, last = 1, offset
    for length, step in zip(size, stride, strict=True):
        count *= length
        last += (length - 1) * step
    if count and (count > storage.numel() or last >= storage.numel()):
        raise TorchFileError(
            f'it has a tensor of size {size!r:.40} in a storage of {storage.numel()} numbers'
        )
    return storage.as_strided(size, stride, offset)
