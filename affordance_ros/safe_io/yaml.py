# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Read YAML that somebody else may have written: plain data alone, without aliases, and small."""

from pathlib import Path
from typing import Any

import yaml

from affordance_ros.safe_io.files import read_bounded

MAX_BYTES = 1 << 20


class YamlError(ValueError):
    """A file or text is not YAML of plain data."""


class _Loader(yaml.SafeLoader):
    """A safe loader without aliases: a few lines of nested ones stand for billions of nodes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(
                None, None, 'aliases (*name) are not read: write the value out', event.start_mark
            )
        return super().compose_node(parent, index)


def read_yaml(path: Path) -> Any:
    """Return a file's content.

    Raises:
        YamlError: If it is too large, not UTF-8, not YAML, or more than plain data.
        OSError: If it can't be read.
    """
    try:
        return parse_yaml(read_bounded(path, limit_bytes=MAX_BYTES).decode())
    except UnicodeDecodeError as error:
        raise YamlError(f'it is not UTF-8: {error}') from error


def parse_yaml(text: str) -> Any:
    """Return a text's content; raises YamlError as `read_yaml`."""
    try:
        return yaml.load(text, _Loader)
    except RecursionError as error:
        raise YamlError('it is nested too deeply') from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # ValueError: a date such as 2020-13-45, a number of thousands of digits.
        raise YamlError(str(error)) from error
