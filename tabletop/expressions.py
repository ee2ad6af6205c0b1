# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Referring expressions with exact masks: objects, attributes, relations and parts.

No expression holds a word of an action: what FPN training reads is nouns, colours, places.
An expression that fits several objects names them all, and its region is their union.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.catalogue import MIXED
from affordance_ros_tabletop.catalogue import Catalogue
from affordance_ros_tabletop.frame import Frame
from affordance_ros_tabletop.regions import region
from affordance_ros_tabletop.regions import visible_parts
from affordance_ros_tabletop.words import article

# How far apart, as a share of the image's width, two objects must be to be left or right.
SIDE_MARGIN = 0.08
# How much farther from the camera, in metres, to be behind.
DEPTH_MARGIN_M = 0.04

_OBJECT = ('the {n}', '{n}', '{an}', 'any {n}')
_COLOUR = ('the {c} {n}', '{c} {n}', 'the {n} that is {c}', '{n} in {c}')
_PART = ('the {p} of the {n}', '{n} {p}', 'the {p} on the {n}', '{p} of {an}')
_COLOUR_PART = ('the {p} of the {c} {n}', '{p} of {c} {n}', 'the {c} {n}, its {p}')
_BARE_PART = ('the {p}', '{p}', '{ap}', 'any {p}')
_SIDES = {
    'left': ('the {n} to the left of the {m}', '{n} left of {m}'),
    'right': ('the {n} to the right of the {m}', '{n} right of {m}'),
    'behind': ('the {n} behind the {m}', '{n} farther away than the {m}'),
    'front': ('the {n} in front of the {m}', '{n} nearer than the {m}'),
    'on': ('the {n} on the {m}', '{n} lying on {m}'),
}
_EXTREMES = {
    'leftmost': ('the leftmost {n}', 'the {n} on the far left'),
    'rightmost': ('the rightmost {n}', 'the {n} on the far right'),
    'nearest': ('the nearest {n}', 'the {n} closest to the camera'),
    'farthest': ('the farthest {n}', 'the {n} farthest from the camera'),
}


@dataclass(frozen=True)
class Expression:
    """A phrase and what it names.

    Attributes:
        text: the phrase.
        kind: object, attribute, relation, part or absent.
        owners: indices of the named objects, in order; empty where the thing is absent.
        part: name of the part, or None for whole objects.
        noun: the type that it speaks of, or None for a part alone.
        relation: left, right, behind, front, on, leftmost, rightmost, nearest, farthest, or None.
        anchor: index of the object that the relation is to, or None.
        colour: the colour that it names, or None.
    """

    text: str
    kind: str
    owners: tuple[int, ...]
    part: str | None = None
    noun: str | None = None
    relation: str | None = None
    anchor: int | None = None
    colour: str | None = None

    def mask(self, frame: Frame, catalogue: Catalogue) -> NDArray[np.bool_]:
        """Return the (H, W) mask of what it names in its frame."""
        value = None if self.part is None else catalogue.part_value(self.part)
        return region(frame, self.owners, value)


@dataclass(frozen=True)
class _Place:
    """Where each object is: column of its middle and its distance from the camera."""

    x: NDArray[np.float64]
    far: NDArray[np.float64]
    width: int


def _place(frame: Frame) -> _Place:
    x, far = [], []
    for k in range(len(frame.objects)):
        mask = frame.instance == k + 1
        x.append(np.nonzero(mask)[1].mean())
        far.append(np.median(frame.depth[mask]))
    return _Place(np.array(x), np.array(far), frame.rgb.shape[1])


def _holds(frame: Frame, place: _Place, relation: str, subject: int, anchor: int) -> bool:
    if relation == 'on':
        return frame.objects[subject].support == anchor
    if frame.objects[subject].support == anchor or frame.objects[anchor].support == subject:
        return False
    side = (place.x[subject] - place.x[anchor]) / place.width
    away = place.far[subject] - place.far[anchor]
    tests: dict[str, Callable[[], bool]] = {
        'left': lambda: side < -SIDE_MARGIN,
        'right': lambda: side > SIDE_MARGIN,
        'behind': lambda: away > DEPTH_MARGIN_M,
        'front': lambda: away < -DEPTH_MARGIN_M,
    }
    return bool(tests[relation]())


class ExpressionWriter:
    """Writes expressions for frames.

    Args:
        catalogue: nouns, parts and colours.
        synonyms: chance that a synonym stands for a noun.
    """

    def __init__(self, catalogue: Catalogue, synonyms: float = 0.25) -> None:
        self._catalogue = catalogue
        self._synonyms = synonyms

    def write(self, frame: Frame, rng: np.random.Generator) -> list[Expression]:
        """Write one expression of every kind that fits, about every object and part."""
        by_noun: dict[str, list[int]] = {}
        for k, item in enumerate(frame.objects):
            by_noun.setdefault(item.noun, []).append(k)
        result: list[Expression] = []
        for noun, owners in by_noun.items():
            result.append(self._say(_OBJECT, rng, 'object', tuple(owners), noun=noun))
            result += self._colours(frame, noun, owners, rng)
        result += self._parts(frame, by_noun, rng)
        result += self._relations(frame, by_noun, rng)
        return result

    def absent(self, frame: Frame, rng: np.random.Generator, *, unseen: bool) -> Expression:
        """Write an expression about a thing that is not in the frame.

        Args:
            frame: the scene.
            rng: source of randomness.
            unseen: whether it may speak of types that FPN training never sees.
        """
        here = {o.noun for o in frame.objects}
        # Half of the time the noun is there and the colour isn't: the harder kind.
        if here and rng.random() < 0.5:
            noun = str(rng.choice(sorted(here)))
            worn = {o.colour for o in frame.objects if o.noun == noun}
            free = [c for c in self._catalogue.types[noun].colours if c not in worn]
            if free and MIXED not in worn:
                return self._say(
                    _COLOUR, rng, 'absent', (), noun=noun, colour=str(rng.choice(free))
                )
        nouns = [n for n in self._catalogue.nouns(unseen=unseen) if n not in here]
        return self._say(_OBJECT, rng, 'absent', (), noun=str(rng.choice(nouns)))

    def _say(
        self,
        templates: tuple[str, ...],
        rng: np.random.Generator,
        kind: str,
        owners: tuple[int, ...],
        *,
        noun: str | None = None,
        part: str | None = None,
        relation: str | None = None,
        anchor: int | None = None,
        anchor_noun: str = '',
        colour: str | None = None,
    ) -> Expression:
        name = self._name(noun, rng) if noun else ''
        text = str(rng.choice(templates)).format(
            n=name,
            an=article(name) if name else '',
            c=colour,
            p=part,
            ap=article(part) if part else '',
            m=anchor_noun,
        )
        return Expression(text, kind, owners, part, noun, relation, anchor, colour)

    def _name(self, noun: str, rng: np.random.Generator) -> str:
        names = self._catalogue.types[noun].names
        if len(names) == 1 or rng.random() >= self._synonyms:
            return names[0]
        return str(rng.choice(names[1:]))

    def _colours(
        self, frame: Frame, noun: str, owners: list[int], rng: np.random.Generator
    ) -> list[Expression]:
        result = []
        for colour in sorted({frame.objects[k].colour for k in owners} - {MIXED, noun}):
            named = tuple(k for k in owners if frame.objects[k].colour == colour)
            result.append(self._say(_COLOUR, rng, 'attribute', named, noun=noun, colour=colour))
        return result

    def _parts(
        self, frame: Frame, by_noun: dict[str, list[int]], rng: np.random.Generator
    ) -> list[Expression]:
        result = []
        shown = {k: visible_parts(frame, self._catalogue, k) for k in range(len(frame.objects))}
        # A part's name alone means every such part, so all that bear it count, however small.
        for part in sorted({p for parts in shown.values() for p in parts}):
            bearers = [
                k
                for k, o in enumerate(frame.objects)
                if part in self._catalogue.types[o.noun].parts
            ]
            result.append(self._say(_BARE_PART, rng, 'part', tuple(bearers), part=part))
            for noun in sorted({frame.objects[k].noun for k in bearers}):
                mine = tuple(k for k in by_noun[noun])
                if not any(part in shown[k] for k in mine):
                    continue
                result.append(self._say(_PART, rng, 'part', mine, noun=noun, part=part))
                for colour in sorted({frame.objects[k].colour for k in mine} - {MIXED, noun}):
                    named = tuple(k for k in mine if frame.objects[k].colour == colour)
                    if any(part in shown[k] for k in named):
                        result.append(
                            self._say(
                                _COLOUR_PART,
                                rng,
                                'part',
                                named,
                                noun=noun,
                                part=part,
                                colour=colour,
                            )
                        )
        return result

    def _relations(
        self, frame: Frame, by_noun: dict[str, list[int]], rng: np.random.Generator
    ) -> list[Expression]:
        place = _place(frame)
        result = []
        for noun, owners in by_noun.items():
            for other, anchors in by_noun.items():
                if other == noun or len(anchors) > 1:
                    continue  # with two anchors, 'left of the plate' would not say which
                for relation, templates in _SIDES.items():
                    named = tuple(
                        k for k in owners if _holds(frame, place, relation, k, anchors[0])
                    )
                    if named:
                        result.append(
                            self._say(
                                templates,
                                rng,
                                'relation',
                                named,
                                noun=noun,
                                relation=relation,
                                anchor=anchors[0],
                                anchor_noun=self._name(other, rng),
                            )
                        )
            if len(owners) > 1:
                result += self._extremes(place, noun, owners, rng)
        return result

    def _extremes(
        self, place: _Place, noun: str, owners: list[int], rng: np.random.Generator
    ) -> list[Expression]:
        result = []
        keys = {
            'leftmost': place.x / place.width / SIDE_MARGIN,
            'rightmost': -place.x / place.width / SIDE_MARGIN,
            'nearest': place.far / DEPTH_MARGIN_M,
            'farthest': -place.far / DEPTH_MARGIN_M,
        }
        for relation, key in keys.items():
            order = np.array(owners)[np.argsort(key[owners], kind='stable')].tolist()
            if key[order[1]] - key[order[0]] > 1:  # only where it is beyond doubt
                result.append(
                    self._say(
                        _EXTREMES[relation],
                        rng,
                        'relation',
                        (order[0],),
                        noun=noun,
                        relation=relation,
                    )
                )
        return result
