# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Write files so that a reader sees the old one or the whole new one, whatever happens."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class DiskFullError(OSError):
    """There is no room to write; nothing that was there before is lost."""

    def __str__(self) -> str:
        return str(self.strerror)  # without the number before it


@contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file in the same folder, which takes the path's place once it is whole.

    Args:
        path: Where to; the folder must exist.

    Yields:
        The file to write to. If the block raises, the old file, if any, is untouched.
    """
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        with temporary.open('wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file by way of a temporary one in the same folder.

    Args:
        path: Where to; the folder must exist.
        data: The content.

    Raises:
        DiskFullError: If the disk or the quota is full; the old file, if any, is untouched.
    """
    try:
        with open_atomically(path) as file:
            file.write(data)
    except OSError as error:
        raise_if_full(error, path, len(data))
        raise


def raise_if_full(error: OSError, path: Path, size: int) -> None:
    """Turn "no space left" into an error that says what to do.

    Args:
        error: What the system said.
        path: What was being written.
        size: How many bytes it has.

    Raises:
        DiskFullError: If that is what the error means.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise DiskFullError(
            error.errno,
            f'the disk is full: {path} needs {size / 1e6:.1f} MB; what was saved before is '
            f'untouched. Free some space in {path.parent} and run the command again; '
            f'training goes on with --resume',
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
