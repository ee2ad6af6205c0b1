# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which files a parameter may name once the node runs: a client far away must not choose any."""

import os
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path

from rclpy.node import Node
from rclpy.parameter import Parameter

import affordance_ros
from affordance_ros.backends.base import NO_CACHE
from affordance_ros.backends.exported import is_exported
from affordance_ros.model.config import looks_like_path
from affordance_ros.text.prompts import AUTO
from affordance_ros.text.prompts import shipped_prompt_sets

# The parameters that name a file, and when their value is one.
_NAMES_A_FILE: dict[str, Callable[[str], bool]] = {
    'model': lambda value: os.sep in value or is_exported(value),
    'weights': looks_like_path,
    'checkpoint': bool,
    'cache_dir': lambda value: value not in ('', NO_CACHE),
    'prompt_set': lambda value: value not in (AUTO, *shipped_prompt_sets()),
}


class FileGuard:
    """Lets parameters name files in given folders, and those that were named at the start.

    The package's own folder and ~/.config/affordance_ros are always among the folders.

    Args:
        allowed_dirs: More folders, separated by ':'.
        at_start: The values that the parameters have at the start, by whoever started the node.

    Raises:
        ValueError: If a folder is not there.
    """

    def __init__(self, allowed_dirs: str, at_start: Mapping[str, str]) -> None:
        own = Path(str(affordance_ros.__file__)).parent
        folders = [own, Path('~/.config/affordance_ros')]
        for name in filter(None, allowed_dirs.split(os.pathsep)):
            folder = Path(name)
            if not folder.expanduser().is_dir():
                raise ValueError(f'allowed_dirs: {name!r} is not a folder')
            folders.append(folder)
        self._folders = [_real(folder) for folder in folders]
        self._given = {_real(Path(value)) for value in at_start.values() if value}

    @classmethod
    def of(cls, node: Node) -> 'FileGuard':
        """Make the guard of a node whose parameters have just been declared."""
        at_start = {name: node.get_parameter(name).value for name in _NAMES_A_FILE}
        return cls(node.get_parameter('allowed_dirs').value, at_start)

    def check(self, changes: Iterable[Parameter]) -> None:
        """Refuse changed values that name files elsewhere, whether these are there or not.

        Raises:
            ValueError: Naming the parameter and the folders.
        """
        for change in changes:
            names_a_file = _NAMES_A_FILE.get(change.name)
            if names_a_file is None or not names_a_file(change.value):
                continue
            path = _real(Path(change.value))
            inside = any(path.is_relative_to(folder) for folder in self._folders)
            if not inside and path not in self._given:
                raise ValueError(
                    f'{change.name} {change.value!r} is neither a known name nor a file that may '
                    f'be named while the node runs; start the node with it, or with its folder in '
                    f'allowed_dirs; allowed are {", ".join(map(str, self._folders))}'
                )


def _real(path: Path) -> Path:
    """Return a path as it is after every link; a loop of links leads nowhere."""
    try:
        return path.expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(f'the path {str(path)!r} can not be followed: {error}') from error
