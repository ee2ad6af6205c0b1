# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Captions for contrastive pretraining: of whole images, of whole objects and of parts.

Captions of images and of whole objects may speak of what one does with a thing, as captions on
the web do. A crop of a part is named by part nouns only. Kept-out noun-action pairs never occur.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tabletop.catalogue import MIXED
from tabletop.catalogue import Catalogue
from tabletop.catalogue import ObjectType
from tabletop.frame import Frame
from tabletop.frame import SceneObject
from tabletop.regions import box
from tabletop.regions import region
from tabletop.regions import visible_parts
from tabletop.words import article
from tabletop.words import breaks_kept_out

MIN_OBJECT_PX, MIN_PART_CROP_PX = 80, 25

_PLAIN = ('{an}', '{n}', 'the {n}', 'a picture of {an}', '{an} on a table', 'this is {an}')
_COLOURED = (
    '{acn}',
    '{c} {n}',
    'the {c} {n}',
    'a picture of {acn}',
    '{acn} on a table',
    'the {n} is {c}',
    '{an} in {c}',
)
_WITH_PART = ('{an} with its {p}', '{acn} with {ap}', 'the {n} and its {p}')
_ACTION = (
    '{an} to {v}',
    '{acn} to {v}',
    'something to {v}',
    '{v}',
    '{an} you can {v}',
    '{v}: {an}',
    'the {n}, for when you {v}',
    'to {v} you need {an}',
)
_ACTION_PART = (
    '{an} with {ap} to {v}',
    '{v}: the {p} of the {n}',
    '{v} by the {p}',
    'to {v}, use the {p} of the {n}',
    '{acn}, {v} at its {p}',
    '{v} the {p}',
    'the {p} of the {n} is where you {v}',
)
_PART_CROP = (
    '{ap}',
    '{p}',
    'the {p} of the {n}',
    'the {p} of {acn}',
    '{n} {p}',
    'a close look at {ap}',
    'a picture of the {p} of {an}',
)
_JOINERS = (', ', ' and ', ' next to ', ' with ', ' beside ')


@dataclass(frozen=True)
class CaptionedBox:
    """A picture or a crop of it, and captions.

    Attributes:
        kind: scene, object or part.
        box: x, y, width, height in pixels, or None for the whole picture.
        captions: several ways to say it; of an object or a part, its plain name comes first.
        owner: index of the object, or None for the whole picture.
        part: name of the part for a part crop, else None.
    """

    kind: str
    box: tuple[int, int, int, int] | None
    captions: tuple[str, ...]
    owner: int | None = None
    part: str | None = None


class CaptionWriter:
    """Writes captions for frames.

    Args:
        catalogue: nouns, actions and the kept-out pairs.
        actions: chance that a caption of an object speaks of an action.
        synonyms: chance that a synonym stands for a noun.
    """

    def __init__(self, catalogue: Catalogue, actions: float = 0.5, synonyms: float = 0.2) -> None:
        self._catalogue = catalogue
        self._actions = actions
        self._synonyms = synonyms

    def write(
        self, frame: Frame, rng: np.random.Generator, *, each: int = 6
    ) -> list[CaptionedBox]:
        """Write `each` captions of the picture and of every large enough object and part.

        Those of objects and parts begin with the plain name, as pictures in a shop are titled:
        two pictures of a kind then have a text in common.
        """
        items = [CaptionedBox('scene', None, self._several(each, lambda: self.scene(frame, rng)))]
        for k, item in enumerate(frame.objects):
            mask = region(frame, [k])
            if int(mask.sum()) < MIN_OBJECT_PX:
                continue
            texts = (item.noun, *self._several(each - 1, lambda item=item: self.whole(item, rng)))
            items.append(CaptionedBox('object', box(mask), _distinct(texts), k))
            for part in visible_parts(frame, self._catalogue, k):
                crop = region(frame, [k], self._catalogue.part_value(part))
                if int(crop.sum()) < MIN_PART_CROP_PX:
                    continue
                others = self._several(
                    each - 1, lambda item=item, part=part: self.part(item, part, rng)
                )
                texts = (f'{item.noun} {part}', *others)
                items.append(CaptionedBox('part', box(crop), _distinct(texts), k, part))
        return items

    def _several(self, count: int, write: object) -> tuple[str, ...]:
        assert callable(write)
        return _distinct(str(write()) for _ in range(count))

    def scene(self, frame: Frame, rng: np.random.Generator) -> str:
        """Write a caption of some of the objects of a picture."""
        count = min(len(frame.objects), int(rng.integers(1, 5)))
        chosen = rng.permutation(len(frame.objects))[:count]
        for actions in (self._actions * 0.6, 0.0):
            parts = [
                self._object_phrase(frame.objects[int(k)], rng, actions, noun=True) for k in chosen
            ]
            text = str(rng.choice(_JOINERS)).join(parts)
            if not breaks_kept_out(text, self._catalogue):
                return text
        return text

    def whole(self, item: SceneObject, rng: np.random.Generator) -> str:
        """Write a caption of a whole object."""
        text = self._object_phrase(item, rng, self._actions, noun=False)
        if breaks_kept_out(text, self._catalogue):
            return self._object_phrase(item, rng, 0.0, noun=False)
        return text

    def part(self, item: SceneObject, part: str, rng: np.random.Generator) -> str:
        """Write a caption of a crop of a part: part nouns, never an action."""
        return self._fill(str(rng.choice(_PART_CROP)), item, rng, part=part)

    def _object_phrase(
        self, item: SceneObject, rng: np.random.Generator, actions: float, *, noun: bool
    ) -> str:
        kind = self._catalogue.types[item.noun]
        doable = [a for a in kind.actions if (item.noun, a) not in self._catalogue.kept_out]
        if not doable or rng.random() >= actions:
            plain = item.colour in (item.noun, MIXED) or rng.random() < 0.45
            templates: tuple[str, ...] = _PLAIN if plain else _COLOURED
            if kind.parts and rng.random() < 0.2:
                return self._fill(
                    str(rng.choice(_WITH_PART)), item, rng, part=str(rng.choice(kind.parts))
                )
            return self._fill(str(rng.choice(templates)), item, rng)
        action = str(rng.choice(doable))
        parts = kind.actions[action]
        by_part = parts != ('whole',) and rng.random() < 0.5
        templates = _ACTION_PART if by_part else _ACTION
        if noun:
            templates = tuple(t for t in templates if 'n}' in t)
        phrases = self._catalogue.actions[action]
        verb = phrases[0] if rng.random() < 0.7 else str(rng.choice(phrases))
        return self._fill(
            str(rng.choice(templates)),
            item,
            rng,
            verb=verb,
            part=str(rng.choice(parts)) if by_part else '',
        )

    def _fill(
        self,
        template: str,
        item: SceneObject,
        rng: np.random.Generator,
        *,
        verb: str = '',
        part: str = '',
    ) -> str:
        name = self._name(self._catalogue.types[item.noun], rng)
        colour = '' if item.colour in (name, MIXED) else item.colour
        full = f'{colour} {name}'.strip()
        return (
            template.format(
                n=name,
                an=article(name),
                c=colour,
                acn=article(full),
                v=verb,
                p=part,
                ap=article(part) if part else '',
            )
            .replace('  ', ' ')
            .strip()
        )

    def _name(self, kind: ObjectType, rng: np.random.Generator) -> str:
        if len(kind.names) == 1 or rng.random() >= self._synonyms:
            return kind.names[0]
        return str(rng.choice(kind.names[1:]))


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
