# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What categories and parts are called: the vocabulary file and the phrases made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from affordance_ros.safe_io.yaml import read_yaml

VOCABULARY_FILE = Path(__file__).parent / 'vocabulary.yaml'
_ARTICLES = ('', 'the ', 'a ')


@dataclass(frozen=True)
class Vocabulary:
    """Names of categories and parts; the file explains the fields."""

    names: Mapping[str, list[str]]
    parts: Mapping[str, list[str]]
    parts_of: Mapping[str, Mapping[str, list[str]]]
    alone: frozenset[str]
    common: frozenset[str]

    @classmethod
    def load(cls, path: Path = VOCABULARY_FILE) -> 'Vocabulary':
        """Read the shipped vocabulary."""
        content = read_yaml(path)
        return cls(
            content['names'],
            content['parts'],
            content['parts_of'],
            frozenset(content['alone']),
            frozenset(content['common']),
        )

    def of(self, category: str) -> list[str]:
        """Return a category's names, its own first."""
        return [category, *self.names.get(category, ())]

    def thing(self, category: str) -> list[str]:
        """Return the phrases for all things of a category: 'cup', 'the cup', 'a cup', 'mug' ..."""
        return [article + name for name in self.of(category) for article in _ARTICLES]

    def part(self, part: str, category: str) -> list[str]:
        """Return the phrases for a part: 'handle of the cup', 'cup handle' ..."""
        names = [part, *self.parts.get(part, ()), *self.parts_of.get(category, {}).get(part, ())]
        phrases = [
            phrase
            for name in names
            for thing in self.of(category)
            for phrase in (
                f'{name} of the {thing}',
                f'{thing} {name}',
                f'the {name} of the {thing}',
            )
        ]
        if part in self.alone:
            phrases += [article + name for name in names for article in ('', 'the ')]
        return phrases
