# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Read files that others may have made: regular ones, up to a size that is looked at first."""

import errno
import hashlib
import os
import stat
from pathlib import Path
from pathlib import PurePosixPath


class FileRefusedError(OSError):
    """A file is larger than what is expected of its kind, or not a regular file."""


def check_file(path: Path, *, limit_bytes: int) -> int:
    """Return a file's size in bytes.

    Raises:
        FileRefusedError: If it is a device, a pipe or a folder, or larger than the limit.
        OSError: If it is not there.
    """
    about = path.stat()
    _check(about, limit_bytes)
    return about.st_size


def read_bounded(path: Path, *, limit_bytes: int) -> bytes:
    """Return a file's bytes.

    Raises:
        FileRefusedError: As `check_file`; nothing is read then.
        OSError: If it can't be read.
    """
    # A pipe that nobody writes to would hold up a plain open for good.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check(os.fstat(descriptor), limit_bytes)
        with os.fdopen(descriptor, 'rb', closefd=False) as file:
            data = file.read(limit_bytes + 1)  # it may have grown since
    finally:
        os.close(descriptor)
    if len(data) > limit_bytes:
        raise _too_large(len(data), limit_bytes)
    return data


def sha256_of_file(path: Path) -> str:
    """Return the hex sha256 of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def join_inside(folder: Path, name: str) -> Path:
    """Return the path of a file that a data file names, below the folder that it belongs to.

    Raises:
        FileRefusedError: If the name leads out of the folder, or is none.
    """
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == '/' or '..' in parts or '\0' in name:
        raise FileRefusedError(
            errno.EPERM,
            f'the file name {name!r:.80} leads out of {folder}; only names below it are read',
        )
    return folder / name


def _check(about: os.stat_result, limit_bytes: int) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise FileRefusedError(errno.EINVAL, 'not a regular file')
    if about.st_size > limit_bytes:
        raise _too_large(about.st_size, limit_bytes)


def _too_large(size: int, limit_bytes: int) -> FileRefusedError:
    return FileRefusedError(
        errno.EFBIG, f'it has {size:,} bytes or more, and at most {limit_bytes:,} are read'
    )
