# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Prompt sets: how a command becomes what CLIP reads. Those in `prompt_sets/` ship."""

from dataclasses import dataclass
from pathlib import Path

from affordance_ros.safe_io.yaml import YamlError
from affordance_ros.safe_io.yaml import read_yaml

_FOLDER = Path(__file__).with_name('prompt_sets')
_KEYS = {'name', 'version', 'templates'}
MAX_TEMPLATES = 256  # CLIP's authors use 80 for ImageNet


class PromptSetError(ValueError):
    """A prompt set is unknown or its file is wrong."""


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


def shipped_prompt_sets() -> list[str]:
    """Return the names of the sets that come with the package."""
    return sorted(path.stem for path in _FOLDER.glob('*.yaml'))


def load_prompt_set(name_or_path: str) -> PromptSet:
    """Load a prompt set by its shipped name, or from a YAML file.

    Raises:
        PromptSetError: If there is no such set, or the file is malformed.
    """
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
    if not isinstance(content, dict) or content.keys() != _KEYS:
        found = sorted(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise PromptSetError(f'{path} must have exactly the keys {sorted(_KEYS)}, not {found}')
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
    if not isinstance(content['version'], int):
        raise PromptSetError(f'{path}: version must be a whole number')
    return PromptSet(str(content['name']), content['version'], tuple(templates))
