# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The trunk's features on disk: fp16, memory-mapped, bounded, kept for later epochs and runs."""

import fcntl
import logging
import os
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from affordance_ros.model.trunk import Trunk
from affordance_ros.safe_io.atomic import DiskFullError
from affordance_ros.safe_io.atomic import raise_if_full

_log = logging.getLogger(__name__)
_FP16_MAX = 65504.0
_KEY_CHARS = 32


class FeatureCache:
    """A store of features by key, for one trunk, input size and precision.

    Every process writes a shard of its own, which it holds by a lock, and reads all. A record is
    written before its line in the index, so a killed process leaves no half record behind.

    Args:
        folder: The folder of all caches; this one lies in a subfolder named for what it holds.
        trunk: The trunk.
        outputs: The trunk's outputs that are kept, in order.
        input_size: The side of the square input in pixels.
        precision: What the trunk computes in.
        max_bytes: The most that all shards together may hold.
        world: How many processes write at a time.
    """

    def __init__(
        self,
        folder: Path,
        trunk: Trunk,
        *,
        outputs: Sequence[str],
        input_size: int,
        precision: str,
        max_bytes: float,
        world: int = 1,
    ) -> None:
        name = f'{trunk.sha256[:16]}-{"-".join(outputs)}-{input_size}-{precision}'
        self.folder = folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self._shapes = _shapes(trunk, outputs, input_size)
        self._length = sum(int(np.prod(shape)) for shape in self._shapes.values())
        self._places: dict[str, tuple[Path, int]] = {}
        self._maps: dict[Path, NDArray[np.float16]] = {}
        self._index, self._records, self._path = self._own_shard()
        self._count = self._repair()
        used = sum(path.stat().st_size for path in self.folder.glob('*.f16'))
        self._room = max(0, int((max_bytes - used) / world / self.record_bytes))
        self._told_full = False
        self.refresh()

    @property
    def record_bytes(self) -> int:
        """Bytes that one image takes."""
        return 2 * self._length

    @property
    def keys(self) -> frozenset[str]:
        """All keys whose features can be read."""
        return frozenset(self._places)

    def refresh(self) -> None:
        """Learn what other processes have written."""
        for index in sorted(self.folder.glob('*.index')):
            records = index.with_suffix('.f16')
            whole = index.stat().st_size // (_KEY_CHARS + 1) * (_KEY_CHARS + 1)
            with index.open('rb') as file:
                keys = file.read(whole).decode('ascii').split()
            for slot, key in enumerate(keys):
                self._places.setdefault(key, (records, slot))
        self._maps.clear()

    def read(self, key: str) -> dict[str, torch.Tensor]:
        """Return an image's features by the outputs' names, fp16, without a batch dimension."""
        path, slot = self._places[key]
        if path not in self._maps or len(self._maps[path]) <= slot:
            flat = np.memmap(path, np.float16, 'r')
            whole = len(flat) // self._length
            self._maps[path] = flat[: whole * self._length].reshape(whole, self._length)
        # Copied: a tensor can't lie on memory that may not be written.
        parts = np.split(np.array(self._maps[path][slot]), self._offsets())
        return {
            name: torch.from_numpy(part).view(shape)
            for (name, shape), part in zip(self._shapes.items(), parts, strict=True)
        }

    def write(self, key: str, features: Mapping[str, torch.Tensor]) -> None:
        """Keep an image's features, if there is room and they aren't there yet.

        Args:
            key: 32 hexadecimal digits.
            features: By the outputs' names, without a batch dimension.
        """
        if key in self._places:
            return
        if self._room < 1:
            self._tell_full('has reached its size limit')
            return
        flat = np.concatenate([to_fp16(features[n]).cpu().numpy().ravel() for n in self._shapes])
        try:
            _write_at(self._records, flat.tobytes(), self._count * self.record_bytes)
            line = f'{key}\n'.encode()
            _write_at(self._index, line, self._count * len(line))
        except OSError as error:
            try:
                raise_if_full(error, self._path, self.record_bytes)
            except DiskFullError:
                self._room = 0
                self._tell_full('has filled the disk')
                return
            raise
        self._places[key] = (self._path, self._count)
        self._count += 1
        self._room -= 1

    def close(self) -> None:
        """Release the shard to other processes."""
        self._maps.clear()
        os.close(self._records)
        os.close(self._index)

    def _offsets(self) -> list[int]:
        return [int(o) for o in np.cumsum([int(np.prod(s)) for s in self._shapes.values()])[:-1]]

    def _own_shard(self) -> tuple[int, int, Path]:
        """Open the first shard that no other process writes."""
        number = 0
        while True:
            path = self.folder / f'{number:03d}.f16'
            index = os.open(path.with_suffix('.index'), os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(index, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(index)
                number += 1
                continue
            return index, os.open(path, os.O_RDWR | os.O_CREAT, 0o644), path

    def _repair(self) -> int:
        """Cut what a killed process left half-written; return the number of whole records."""
        lines = os.fstat(self._index).st_size // (_KEY_CHARS + 1)
        whole = min(lines, os.fstat(self._records).st_size // self.record_bytes)
        os.ftruncate(self._index, whole * (_KEY_CHARS + 1))
        os.ftruncate(self._records, whole * self.record_bytes)
        return whole

    def _tell_full(self, why: str) -> None:
        if not self._told_full:
            self._told_full = True
            _log.warning(
                'the feature cache %s %s with %d images; the others are computed each time',
                self.folder,
                why,
                len(self._places),
            )


def to_fp16(features: torch.Tensor) -> torch.Tensor:
    """Round to fp16; what lies beyond its range is moved to its end."""
    return features.float().clamp(-_FP16_MAX, _FP16_MAX).half()


@torch.no_grad()
def _shapes(trunk: Trunk, outputs: Sequence[str], input_size: int) -> dict[str, tuple[int, ...]]:
    device = trunk.device
    features = trunk(torch.zeros(1, 3, input_size, input_size, device=device), outputs)
    return {name: tuple(features[name].shape[1:]) for name in outputs}


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(descriptor, view, offset)
        view, offset = view[count:], offset + count
