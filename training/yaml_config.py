# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Read a dataclass from YAML, key by key: what is unknown or of another type is an error."""

import dataclasses
import typing
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import TypeVar

from affordance_ros.safe_io.yaml import YamlError
from affordance_ros.safe_io.yaml import parse_yaml
from affordance_ros.safe_io.yaml import read_yaml

T = TypeVar('T')


class ConfigError(ValueError):
    """A configuration has an unknown key or a value that can't be used."""


def load_config(kind: type[T], path: Path | None, *, overrides: Sequence[str] = ()) -> T:
    """Read a configuration.

    Args:
        kind: The dataclass.
        path: A YAML file whose keys are the dataclass's; None for the defaults.
        overrides: 'optim.epochs=3' and the like, which win over the file.

    Raises:
        ConfigError: If the file is not YAML, a key is unknown or a value can't be used.
    """
    content: Any = {}
    if path is not None:
        try:
            content = read_yaml(path) or {}
        except (OSError, YamlError) as error:
            raise ConfigError(f'the configuration {path} is not readable: {error}') from error
    for override in overrides:
        key, equals, text = override.partition('=')
        if not equals:
            raise ConfigError(f'--set {override!r} must be written key=value')
        *parents, last = key.split('.')
        place = content
        for parent in parents:
            place = place.setdefault(parent, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise ConfigError(f'--set {override!r}: {key} is not a key of the configuration')
        try:
            place[last] = parse_yaml(text)
        except YamlError as error:
            raise ConfigError(f'--set {override!r} is not readable: {error}') from error
    return from_mapping(kind, content)


def from_mapping(kind: type[T], content: object, *, where: str = '') -> T:
    """Build a dataclass from a mapping, checking keys and types.

    Raises:
        ConfigError: Naming the key, what came, and what is known or expected.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f'{where or "the configuration"} is {content!r:.60}, not a mapping')
    hints = typing.get_type_hints(kind)
    known = [f.name for f in dataclasses.fields(kind)]  # type: ignore[arg-type]
    unknown = [str(key) for key in content if key not in known]
    prefix = f'{where}.' if where else ''
    if unknown:
        raise ConfigError(
            f'unknown key {prefix}{unknown[0]}; known are {", ".join(prefix + k for k in known)}'
        )
    values = {key: _convert(hints[key], value, prefix + key) for key, value in content.items()}
    try:
        return kind(**values)
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f'{where or "the configuration"}: {error}') from error


def _convert(hint: Any, value: object, where: str) -> Any:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_mapping(hint, value, where=where)
    if typing.get_origin(hint) is tuple:
        item = typing.get_args(hint)[0]
        if not isinstance(value, list | tuple):
            raise ConfigError(f'{where} is {value!r:.60}, expected a list')
        return tuple(
            _convert(item, entry, f'{where}[{index}]') for index, entry in enumerate(value)
        )
    if hint is float and isinstance(value, int | str) and not isinstance(value, bool):
        try:
            return float(value)  # YAML reads 1e-4 as a text
        except ValueError:
            pass
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f'{where} is {value!r:.60}, expected {hint.__name__}')
    return value
