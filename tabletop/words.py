# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Words for things and actions, and the rules about which may stand together."""

from __future__ import annotations

import re
from functools import cache

from affordance_ros_tabletop.catalogue import load_catalogue

# Words of action phrases that say nothing of the action.
_FILLERS = {
    'with',
    'from',
    'out',
    'up',
    'into',
    'on',
    'off',
    'around',
    'have',
    'a',
    'of',
    'take',
    'the',
}

_PLURALS = {'scissors', 'tines', 'bristles', 'leaves', 'keys', 'buttons', 'pages'}


def tokens(text: str) -> list[str]:
    """Split a text into lower-case words."""
    return re.findall(r"[a-z']+", text.lower())


def article(noun: str) -> str:
    """Put 'a' or 'an' before a noun phrase; nothing before 'scissors' and other plurals."""
    if noun.split()[-1] in _PLURALS and ' of ' not in noun:
        return noun
    return f'{"an" if noun[0] in "aeiou" else "a"} {noun}'


def says(text: str, phrase: str) -> bool:
    """Tell whether a text has a phrase as whole words."""
    words, wanted = tokens(text), tokens(phrase)
    return any(words[k : k + len(wanted)] == wanted for k in range(len(words)))


@cache
def _action_words() -> dict[str, frozenset[str]]:
    return {
        action: frozenset(w for p in phrases for w in tokens(p)) - _FILLERS
        for action, phrases in load_catalogue().actions.items()
    }


def action_words(action: str | None = None) -> frozenset[str]:
    """Return the telling words of one action, or of all."""
    table = _action_words()
    return table[action] if action else frozenset().union(*table.values())
