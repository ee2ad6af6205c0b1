# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Whose shared memory lies in /dev/shm."""

from pathlib import Path

_FOLDER = '/dev/shm/'


def mapped_by(pid):
    """Return the files of /dev/shm that a process has mapped."""
    try:
        lines = Path(f'/proc/{pid}/maps').read_text().splitlines()
    except (OSError, ValueError):
        return set()
    return {line.partition(_FOLDER)[2] for line in lines if _FOLDER in line}


def present():
    """Return the files that are there now."""
    return {path.name for path in Path(_FOLDER).iterdir()}


def left_behind(names, before):
    """Return those of a process's files that are still there and that nobody else has mapped.

    Args:
        names: What the process had mapped, other participants' files among it.
        before: What was there before the process, which others have made.
    """
    others = set()
    for folder in Path('/proc').iterdir():
        if folder.name.isdecimal():
            others |= mapped_by(folder.name)
    return (names & present()) - before - others
