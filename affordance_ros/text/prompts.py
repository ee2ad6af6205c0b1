# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Prompt sets: how a command becomes what the text encoder reads. Those in `prompt_sets/` ship."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from affordance_ros.safe_io.yaml import YamlError
from affordance_ros.safe_io.yaml import read_yaml
from affordance_ros.text.part_prompts import PartTableError
from affordance_ros.text.part_prompts import read_part_prompts

_FOLDER = Path(__file__).with_name('prompt_sets')
_KEYS = {'name', 'version', 'templates'}
_PART_KEYS = {'name', 'version', 'phrase', 'actions'}
MAX_TEMPLATES = 256  # CLIP's authors use 80 for ImageNet


class PromptSetError(ValueError):
    """A prompt set is unknown or its file is wrong."""


class Prompts(Protocol):
    """What all prompt sets do."""

    @property
    def label(self) -> str:
        """Name and version, as checkpoints keep them."""

    def expand(self, command: str) -> list[str]:
        """Return all prompts for a command."""

    def alternatives(self, command: str) -> list[list[str]]:
        """Return the prompts in groups.

        The text vectors of a group are averaged; each group gives a map, and the heat of the
        command is the highest of them.
        """


@dataclass(frozen=True)
class PromptSet:
    """Templates whose text vectors are averaged.

    Attributes:
        name: The set's name.
        version: Raised when a template changes, so that checkpoints can name what they saw.
        templates: Texts with one '{}' each, where the command goes.
    """

    name: str
    version: int
    templates: tuple[str, ...]

    @property
    def label(self) -> str:
        """Name and version, as checkpoints keep them."""
        return f'{self.name}@{self.version}'

    def expand(self, command: str) -> list[str]:
        """Return the prompts for a command, one for each template."""
        return [template.replace('{}', command) for template in self.templates]

    def alternatives(self, command: str) -> list[list[str]]:
        """Return all prompts as one group; see `Prompts`."""
        return [self.expand(command)]


AUTO = 'auto'  # the prompt set that suits the model
_BY_FAMILY = {'household': 'parts'}  # for the others the bare command, as the paper has it


def shipped_prompt_sets() -> list[str]:
    """Return the names of the sets that come with the package."""
    return sorted(path.stem for path in _FOLDER.glob('*.yaml'))


def load_prompt_set(name_or_path: str, *, family: str = '') -> Prompts:
    """Load a prompt set by its shipped name, or from a YAML file.

    Args:
        name_or_path: Such as 'parts', 'my_parts.yaml', or 'auto' for what suits the model.
        family: The family of the model's trunk.

    Raises:
        PromptSetError: If there is no such set, or the file is malformed.
    """
    if name_or_path == AUTO:
        name_or_path = _BY_FAMILY.get(family, 'verb')
    shipped = _FOLDER / f'{name_or_path}.yaml'
    path = shipped if name_or_path in shipped_prompt_sets() else Path(name_or_path).expanduser()
    if not path.is_file():
        raise PromptSetError(
            f'prompt set {name_or_path!r} is neither a file nor one of {shipped_prompt_sets()}'
        )
    try:
        content = read_yaml(path)
    except YamlError as error:
        raise PromptSetError(f'{path} is not YAML: {error}') from error
    except OSError as error:
        raise PromptSetError(f'{path} can not be read: {error.strerror}') from error
    keys = content.keys() if isinstance(content, dict) else set()
    if keys not in (_KEYS, _PART_KEYS):
        found = sorted(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise PromptSetError(
            f'{path} must have exactly the keys {sorted(_KEYS)}, or {sorted(_PART_KEYS)}, not '
            f'{found}'
        )
    if not isinstance(content['version'], int):
        raise PromptSetError(f'{path}: version must be a whole number')
    if keys == _PART_KEYS:
        try:
            return read_part_prompts(content)
        except PartTableError as error:
            raise PromptSetError(f'{path}: {error}') from error
    templates = content['templates']
    if not isinstance(templates, list) or not 1 <= len(templates) <= MAX_TEMPLATES:
        raise PromptSetError(
            f'{path}: templates must be a list of at least one and at most {MAX_TEMPLATES} texts'
        )
    for template in templates:
        if not isinstance(template, str) or template.count('{}') != 1:
            raise PromptSetError(
                f'{path}: the template {template!r:.60} must be a text with one "{{}}"'
            )
    return PromptSet(str(content['name']), content['version'], tuple(templates))
