# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Commands as part phrases: "pick up the knife" becomes "handle of the knife".

A model that was trained on names of things and of their parts knows "handle of the knife" better
than "pick up the knife". The table of actions is a YAML file, `prompt_sets/parts.yaml`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ACTION_KEYS = {'say', 'alone', 'objects', 'other'}
_ARTICLES = r'(?:the|a|an|this|that|these|those|my|your|some)'
# What may stand between the action and the object: "sit down on the bench".
_LINKS = r'(?:down|up|in|into|on|onto|from|out of|off|at|to|by|things?|something|it|inside)'
_LEAD = re.compile(rf'^(?:{_LINKS}\s+)*(?:{_ARTICLES}\s+)?', re.IGNORECASE)
_INSTRUMENT = re.compile(rf'\bwith\s+(?:{_ARTICLES}\s+)?(.+)$', re.IGNORECASE)
MAX_WORDS = 100_000  # of all entries together


class PartTableError(ValueError):
    """A table of actions is malformed."""


@dataclass(frozen=True)
class PartAction:
    """An action, and the part that it is done on."""

    say: tuple[str, ...]  # how a command for it begins
    alone: tuple[str, ...]  # parts where the command names no object; () for the command as it is
    objects: Mapping[str, tuple[str, ...]]  # parts by object; () for the object itself
    other: tuple[str, ...]  # parts of any other object; () for the command as it is


@dataclass(frozen=True)
class PartPrompts:
    """A prompt set that turns actions into part phrases.

    Commands that are not in the table stay as they are.
    """

    name: str
    version: int
    phrase: str  # with {part} and {object}
    actions: tuple[PartAction, ...]

    @property
    def label(self) -> str:
        """Name and version, as checkpoints keep them."""
        return f'{self.name}@{self.version}'

    def expand(self, command: str) -> list[str]:
        """Return the prompts for a command, each of which is an answer to it."""
        found = self._find(command)
        if found is None:
            return [command]
        action, rest = found
        target = _object_of(rest)
        if not target:
            return list(action.alone) or [command]
        known = _longest(action.objects, target)
        if known is None:
            return [self._say(part, target) for part in action.other] or [command]
        return [self._say(part, target) for part in action.objects[known]] or [target]

    def alternatives(self, command: str) -> list[list[str]]:
        """Return each prompt as an answer of its own; see `Prompts`."""
        return [[prompt] for prompt in self.expand(command)]

    def _find(self, command: str) -> tuple[PartAction, str] | None:
        """Return the action with the longest matching words, and the rest of the command."""
        best: tuple[PartAction, str] | None = None
        length = 0
        for action in self.actions:
            for words in action.say:
                if len(words) > length and (rest := _after(words, command)) is not None:
                    best, length = (action, rest), len(words)
        return best

    def _say(self, part: str, target: str) -> str:
        return self.phrase.format(part=part, object=target)


def read_part_prompts(content: Mapping[str, Any]) -> PartPrompts:
    """Build the set from a YAML file's content, whose name and version are checked.

    Raises:
        PartTableError: Saying which entry is wrong and what is expected.
    """
    phrase = content['phrase']
    fields = re.findall(r'\{(.*?)\}', phrase) if isinstance(phrase, str) else []
    if sorted(fields) != ['object', 'part']:
        raise PartTableError(f'phrase is {phrase!r:.60}; it must hold {{part}} and {{object}}')
    entries = content['actions']
    if not isinstance(entries, list) or not entries:
        raise PartTableError('actions must be a list of at least one action')
    actions = tuple(_action(entry, number) for number, entry in enumerate(entries, start=1))
    said = [words for action in actions for words in action.say]
    if repeated := sorted({words for words in said if said.count(words) > 1}):
        raise PartTableError(f'{repeated[0]!r} is said for several actions')
    if sum(len(a.say) + len(a.objects) for a in actions) > MAX_WORDS:
        raise PartTableError(f'the table has more than {MAX_WORDS:,} entries')
    return PartPrompts(str(content['name']), content['version'], phrase, actions)


def _action(entry: Any, number: int) -> PartAction:
    where = f'action {number}'
    if not isinstance(entry, dict):
        raise PartTableError(f'{where} is {entry!r:.60}, not a mapping')
    if unknown := sorted(map(str, entry.keys() - _ACTION_KEYS)):
        known = ', '.join(sorted(_ACTION_KEYS))
        raise PartTableError(f'{where} has the unknown key {unknown[0]}; known are {known}')
    say, objects = entry.get('say'), entry.get('objects', {})
    if not isinstance(say, list) or not say:
        raise PartTableError(f'{where}: say must list at least one way to begin the command')
    if not isinstance(objects, dict):
        raise PartTableError(f'{where}: objects must be parts by object')
    objects = {name: _parts(value) for name, value in objects.items()}
    alone, other = _parts(entry.get('alone')), _parts(entry.get('other'))
    texts = [*say, *objects, *(part for parts in objects.values() for part in parts)]
    texts += [*alone, *other]
    for text in texts:
        if not isinstance(text, str):
            raise PartTableError(
                f'{where} holds {text!r:.40}, not a text: put words such as on, off, yes and no '
                f'in quotes'
            )
    words = tuple(' '.join(text.lower().split()) for text in say)
    if '' in words:
        raise PartTableError(f'{where}: a way to say it is blank')
    return PartAction(
        say=words,
        alone=alone,
        objects={' '.join(name.lower().split()): parts for name, parts in objects.items()},
        other=other,
    )


def _parts(value: Any) -> tuple[Any, ...]:
    """Return one part, a list of parts, or none, as a tuple."""
    if value is None or value == '':
        return ()
    return tuple(value) if isinstance(value, list) else (value,)


def _after(words: str, command: str) -> str | None:
    """Return what follows words at the start of a command, or None if it begins otherwise."""
    start = command.lower().split()
    own = words.split()
    if start[: len(own)] != own:
        return None
    return ' '.join(command.split()[len(own) :])


def _object_of(rest: str) -> str:
    """Return the object that the rest of a command names, without its article; '' for none."""
    if instrument := _INSTRUMENT.search(rest):
        return instrument.group(1).strip()
    return _LEAD.sub('', f'{rest} ', count=1).strip()


def _longest(objects: Mapping[str, tuple[str, ...]], target: str) -> str | None:
    """Return the longest known object whose words stand in a phrase, one after the other."""
    padded = f' {target.lower()} '
    known = [name for name in objects if f' {name} ' in padded]
    return max(known, key=len, default=None)
