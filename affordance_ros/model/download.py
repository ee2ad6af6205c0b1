# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Tell the size and the progress of a download by `logging`, whoever does the download."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DOWNLOAD_THREAD = 'affordance-download'
_LOG = logging.getLogger(__name__)
_PERIOD_S = 5.0


@contextmanager
def told_download(what: str, folder: Path, total_bytes: int | None) -> Iterator[None]:
    """Log that a download begins, how far it is every few seconds, and that it has ended.

    How far it is is read from the folder that it writes to, which grows.

    Args:
        what: What is downloaded.
        folder: Where to; it need not exist yet.
        total_bytes: Its size; None where that is not known.
    """
    begin = time.monotonic()
    size = 'a file of unknown size' if total_bytes is None else f'{total_bytes / 1e9:.2g} GB'
    _LOG.info(f'downloading {size} to {folder} ({what})')
    before = _size(folder)
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(_PERIOD_S):
            done = max(_size(folder) - before, 0)
            share = f' of {total_bytes / 1e6:.0f}' if total_bytes else ''
            _LOG.info(f'downloaded {done / 1e6:.0f}{share} MB in {time.monotonic() - begin:.0f} s')

    threading.Thread(target=tell, name=DOWNLOAD_THREAD, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
    _LOG.info(f'downloaded in {time.monotonic() - begin:.0f} s')


def _size(folder: Path) -> int:
    """Return the bytes in a folder's files, links aside."""
    total = 0
    for path in folder.rglob('*'):
        try:
            if path.is_file() and not path.is_symlink():
                total += path.stat().st_size
        except OSError:
            continue  # moved since: a finished download gets its real name
    return total
