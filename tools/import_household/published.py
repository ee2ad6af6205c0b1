# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Read a published file whose sha256 is known."""

import hashlib
from pathlib import Path

from affordance_ros.safe_io.files import read_bounded

_MAX_BYTES = 1 << 28


class ImportRefusedError(RuntimeError):
    """A published file is missing, or is not the one that is known."""


def read_published(path: Path, *, sha256: str) -> bytes:
    """Return a file's bytes.

    Raises:
        ImportRefusedError: If it can't be read or has another sha256.
    """
    try:
        data = read_bounded(path, limit_bytes=_MAX_BYTES)
    except OSError as error:
        raise ImportRefusedError(f'{path} is not readable: {error}') from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != sha256:
        raise ImportRefusedError(
            f'{path} has the sha256 {digest}, and {sha256} is expected: it is another version or '
            f'damaged; get the file that docs/training.md names'
        )
    return data
