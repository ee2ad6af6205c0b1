# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The sha256 of a file."""

import hashlib
from pathlib import Path


def sha256_of_file(path: Path) -> str:
    """Return the hex sha256 of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
