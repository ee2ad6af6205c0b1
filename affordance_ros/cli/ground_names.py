# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which inputs of affordance-ground are photos, and what its outputs are called."""

import itertools
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from affordance_ros.image.source_frame import SourceError
from affordance_ros.sources import is_photo_name

_LONGEST = 100  # characters of each part; file systems take 255 bytes in all


def split_inputs(inputs: Sequence[str], commands: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell photos and commands apart.

    The last input is a command unless it is called like a path, which then is one.

    Args:
        inputs: Photos, folders, and maybe a command at the end.
        commands: Commands that are given as such.

    Raises:
        SourceError: If no command or no photo is left.
    """
    photos, wanted = list(inputs), list(commands)
    if photos and not _looks_like_path(photos[-1]):
        wanted.insert(0, photos.pop())
    if not wanted:
        raise SourceError(
            f'no command: {photos[-1]!r} is called like a path; give the command last, such as '
            f'photo.jpg "cut"'
        )
    if not photos:
        raise SourceError(
            'no photo: give at least one before the command, such as photo.jpg "cut"'
        )
    return photos, wanted


class Names:
    """What the outputs of each photo and command are called; no two are equal.

    That holds where a file system does not tell upper from lower case too.

    Args:
        photos: All photos of a run.
        commands: All its commands, cleaned.

    Attributes:
        photos: The name of each photo: its stem, with suffix or folder where stems would clash.
    """

    def __init__(self, photos: Sequence[Path], commands: Sequence[str]) -> None:
        stems = Counter(path.stem.casefold() for path in photos)
        files = Counter(path.name.casefold() for path in photos)
        wanted = []
        for path in photos:
            if stems[path.stem.casefold()] == 1:
                wanted.append(path.stem)
            elif files[path.name.casefold()] == 1:
                wanted.append(path.name.replace('.', '_'))
            else:
                wanted.append('_'.join(path.parts[-2:]).replace('.', '_'))
        self.photos = dict(zip(photos, _numbered(wanted), strict=True))
        slugs = [''.join(c if c.isalnum() else '_' for c in text) for text in commands]
        self._commands = dict(zip(commands, _numbered(slugs), strict=True))

    def of(self, photo: Path, command: str) -> str:
        """Return the name of one answer's outputs, without suffix."""
        return f'{self.photos[photo]}.{self._commands[command]}'


def _looks_like_path(text: str) -> bool:
    return bool(
        os.path.exists(os.path.expanduser(text))
        or is_photo_name(Path(text))
        or text.startswith(('/', './', '../', '~'))
        or ('/' in text and ' ' not in text)
    )


def _numbered(wanted: Sequence[str]) -> list[str]:
    """Return names in order, each with a number behind where an earlier one has it."""
    taken: set[str] = set()
    names = []
    for text in wanted:
        base = text[:_LONGEST]
        numbers = (f'{base}_{n}' for n in itertools.count(2))
        name = next(n for n in itertools.chain([base], numbers) if n.casefold() not in taken)
        taken.add(name.casefold())
        names.append(name)
    return names
