# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The objects of the tabletop world, read from `objects.yaml` and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from affordance_ros.safe_io.yaml import YamlError
from affordance_ros.safe_io.yaml import read_yaml
from affordance_ros_tabletop.errors import CatalogueError
from affordance_ros_tabletop.families import FAMILIES

DEFAULT_PATH = Path(__file__).with_name('objects.yaml')
SPLITS = ('train', 'val', 'test')
MIXED = 'mixed'


@dataclass(frozen=True)
class Scanned:
    """A scanned object of the asset wheels.

    Attributes:
        name: its key in the YAML.
        asset: folder below the assets' root, which holds `<folder name>.xml`.
        split: train, val or test.
        colour: its named colour, 'mixed' for several, or None where `tint` gives it one in
            each scene.
        tint: whether its texture is light enough to be multiplied by a colour.
        up: the axis of its frame that points up when it stands, 'y' or 'z'.
        piece: for a mesh that holds several things, which one; None takes all.
    """

    name: str
    asset: str
    split: str
    colour: str | None = None
    tint: bool = False
    up: str = 'z'
    piece: int | None = None


@dataclass(frozen=True)
class Generated:
    """A family of generated shapes and the styles that each split may use."""

    family: str
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]

    def styles(self, split: str) -> tuple[str, ...]:
        """Return the styles of a split."""
        return {'train': self.train, 'val': self.val, 'test': self.test}[split]


@dataclass(frozen=True)
class ObjectType:
    """A kind of object: one noun.

    Attributes:
        name: the noun, as used everywhere.
        names: the noun and its synonyms.
        actions: action -> names of the parts that it concerns; ('whole',) is all of the object.
        parts: names of the parts that expressions may speak of.
        colours: what a generated or tinted instance may be painted with.
        lie: chance that it lies on its side.
        unseen: whether FPN training never sees it.
        generated: its family of generated shapes, if any.
        part_rules: how parts of scanned instances are told apart, tried in order.
        scanned: its scanned instances by name.
    """

    name: str
    names: tuple[str, ...]
    actions: Mapping[str, tuple[str, ...]]
    parts: tuple[str, ...]
    colours: tuple[str, ...]
    lie: float = 0.0
    unseen: bool = False
    generated: Generated | None = None
    part_rules: tuple[Mapping[str, Any], ...] = ()
    scanned: Mapping[str, Scanned] = field(default_factory=dict)

    def has(self, split: str) -> bool:
        """Tell whether the split has an instance of this type."""
        return self.generated is not None or any(s.split == split for s in self.scanned.values())


@dataclass(frozen=True)
class Catalogue:
    """Everything that `objects.yaml` says.

    Attributes:
        parts: names of parts; a part mask holds 1 + the index.
        actions: AGD20K's action name -> words for it, the first is the query.
        kept_out: (noun, action) pairs that are tested in a subset of their own.
        colours: named colours as RGB in 0..1.
        types: object types by noun.
    """

    parts: tuple[str, ...]
    actions: Mapping[str, tuple[str, ...]]
    kept_out: frozenset[tuple[str, str]]
    colours: Mapping[str, tuple[float, float, float]]
    types: Mapping[str, ObjectType]

    def part_value(self, part: str) -> int:
        """Return a part's value in a part mask; 0 for 'body' and other unnamed parts."""
        return self.parts.index(part) + 1 if part in self.parts else 0

    def nouns(self, *, seen: bool = True, unseen: bool = True) -> list[str]:
        """Return the nouns of the seen types, the unseen types or both."""
        return [n for n, t in self.types.items() if (unseen if t.unseen else seen)]


@cache
def load_catalogue(path: Path = DEFAULT_PATH) -> Catalogue:
    """Read and check a catalogue file.

    Raises:
        CatalogueError: naming the entry that can't be and what would be right.
    """
    try:
        raw = read_yaml(path)
    except (OSError, YamlError) as error:
        raise CatalogueError(f'{path} is not readable as a catalogue: {error}') from error
    _known(str(path), raw, {'parts', 'actions', 'kept_out', 'colours', 'types'})
    types = {name: _object_type(name, entry) for name, entry in raw['types'].items()}
    catalogue = Catalogue(
        parts=tuple(raw['parts']),
        actions={a: tuple(words) for a, words in raw['actions'].items()},
        kept_out=frozenset((noun, action) for noun, action in raw['kept_out']),
        colours={c: (float(r), float(g), float(b)) for c, (r, g, b) in raw['colours'].items()},
        types=types,
    )
    _check(catalogue)
    return catalogue


def _known(where: str, entry: Mapping[str, Any], keys: set[str]) -> None:
    extra = set(entry) - keys
    if extra:
        raise CatalogueError(
            f'{where}: unknown {", ".join(sorted(extra))}; known are {", ".join(sorted(keys))}'
        )


def _object_type(name: str, entry: Mapping[str, Any]) -> ObjectType:
    _known(name, entry, set(ObjectType.__dataclass_fields__) - {'name'})
    actions = {
        action: (parts,) if isinstance(parts, str) else tuple(parts)
        for action, parts in entry['actions'].items()
    }
    generated = None
    if 'generated' in entry:
        _known(f'{name}.generated', entry['generated'], set(Generated.__dataclass_fields__))
        generated = Generated(
            family=entry['generated']['family'],
            **{split: tuple(entry['generated'][split]) for split in SPLITS},
        )
    scanned = {}
    for key, item in entry.get('scanned', {}).items():
        _known(f'{name}.{key}', item, set(Scanned.__dataclass_fields__) - {'name'})
        scanned[key] = Scanned(name=key, **item)
    return ObjectType(
        name=name,
        names=tuple(entry['names']),
        actions=actions,
        parts=tuple(entry['parts']),
        colours=tuple(entry['colours']),
        lie=float(entry.get('lie', 0.0)),
        unseen=bool(entry.get('unseen', False)),
        generated=generated,
        part_rules=tuple(entry.get('part_rules', ())),
        scanned=scanned,
    )


def _check(catalogue: Catalogue) -> None:
    for name, kind in catalogue.types.items():
        _among(name, kind.actions, catalogue.actions, 'action')
        named = (*kind.parts, *(p for ps in kind.actions.values() for p in ps if p != 'whole'))
        _among(name, named, catalogue.parts, 'part')
        _among(name, kind.colours, catalogue.colours, 'colour')
        for item in kind.scanned.values():
            _among(f'{name}.{item.name}', [item.split], SPLITS, 'split')
            if item.colour is None and not item.tint:
                raise CatalogueError(f'{name}.{item.name}: give it a colour or tint: true')
            _among(name, {item.colour} - {None, MIXED}, catalogue.colours, 'colour')
        if kind.generated is None:
            continue
        _among(name, [kind.generated.family], FAMILIES, 'family')
        shared = set(kind.generated.test) & {*kind.generated.train, *kind.generated.val}
        if shared:
            raise CatalogueError(
                f'{name}: test must have styles of its own, yet shares {", ".join(sorted(shared))}'
            )
        for style in {s for split in SPLITS for s in kind.generated.styles(split)}:
            try:
                FAMILIES[kind.generated.family](np.random.default_rng(0), style)
            except ValueError as error:
                raise CatalogueError(f'{name}: {error}') from error
    for noun, action in catalogue.kept_out:
        if action not in catalogue.types[noun].actions:
            raise CatalogueError(f'kept_out: {noun} has no action {action}')


def _among(where: str, values: Any, known: Any, what: str) -> None:
    for value in values:
        if value not in known:
            raise CatalogueError(
                f'{where}: unknown {what} {value!r}; known are {", ".join(sorted(known))}'
            )
