# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Compiled models on disk, found by a hash of everything that they depend on."""

import hashlib
import json
import logging
import os
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from affordance_ros.backends.base import NO_CACHE
from affordance_ros.safe_io.atomic import open_atomically

_LOG = logging.getLogger(__name__)
_DIGEST_BYTES = hashlib.sha256().digest_size

T = TypeVar('T')


class DiskCache:
    """Keeps bytes by the facts that they were made from; other facts never find them.

    A file begins with the sha256 of the rest, so that a damaged one is seen before a backend reads
    it: some would crash. The folder may be deleted at any time.

    Args:
        folder: Where the files lie; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @classmethod
    def at(cls, cache_dir: str) -> 'DiskCache':
        """Return the cache that the parameter `cache_dir` names."""
        if cache_dir == NO_CACHE:
            return cls(None)
        if cache_dir:
            return cls(Path(cache_dir).expanduser())
        base = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
        return cls(Path(base).expanduser() / 'affordance_ros')

    def load(
        self,
        label: str,
        facts: Mapping[str, str],
        *,
        read: Callable[[bytes], T],
        make: Callable[[], bytes],
    ) -> T:
        """Return what `read` makes of the bytes kept, or of fresh ones that are then kept.

        Args:
            label: The start of the file's name, for people.
            facts: All that the bytes depend on.
            read: Turns bytes into what is wanted; what it raises on kept bytes makes them anew.
            make: Makes the bytes.
        """
        path = self._path(label, facts)
        if path is not None and (kept := _read_checked(path)) is not None:
            try:
                return read(kept)
            except Exception as error:
                # Backends raise errors of many kinds; whichever it is, the file is of no use.
                _LOG.warning('%s could not be used and is made anew: %s', path, error)
        data = make()
        if path is not None:
            _write(path, data)
        return read(data)

    def folder(self, label: str, facts: Mapping[str, str]) -> Path | None:
        """Return a folder for what a backend itself keeps of such facts; None keeps nothing."""
        path = self._path(label, facts, suffix='')
        if path is not None:
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                _LOG.warning('the compiled model is not kept: %s', error)
                return None
        return path

    def _path(self, label: str, facts: Mapping[str, str], suffix: str = '.bin') -> Path | None:
        if self._folder is None:
            return None
        digest = hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode()).hexdigest()
        safe = ''.join(c if c.isalnum() or c in '-_.' else '_' for c in label)
        return self._folder / f'{safe}-{digest[:24]}{suffix}'


def _read_checked(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, payload = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if hashlib.sha256(payload).digest() != digest:
        _LOG.warning('%s is damaged and is made anew', path)
        return None
    return payload


def _write(path: Path, data: bytes) -> None:
    """Write atomically; a folder that can't be written costs time at the next start, no more."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_atomically(path) as file:
            file.write(hashlib.sha256(data).digest())
            file.write(data)
    except OSError as error:
        _LOG.warning('the compiled model is not kept: %s', error)
