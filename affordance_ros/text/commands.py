# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Commands: what a human says, cleaned and checked before anything else sees it."""

import unicodedata
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass

MAX_COMMAND_CHARS = 200
# The tokens by which CLIP begins and ends a text, as its tokenizer spells them.
TEXT_ENDS = ('<start_of_text>', '<end_of_text>')


class CommandError(ValueError):
    """A command can't be used; the text says why and what to do."""


def parse_command(text: str) -> str:
    """Clean a command and refuse what is none.

    White space is collapsed, underscores become spaces ("drink_with" is AGD20K's way to write
    "drink with"), letters are composed (NFC). Case stays: CLIP's tokenizer ignores it.

    Args:
        text: The command as it came.

    Returns:
        The command to show and to make prompts from.

    Raises:
        CommandError: If it is blank, too long, or holds control characters.
    """
    if len(text) > MAX_COMMAND_CHARS:
        raise CommandError(
            f'the command has {len(text)} characters, and at most {MAX_COMMAND_CHARS} are '
            f'allowed: give a short phrase such as "hold the mug"'
        )
    command = ' '.join(unicodedata.normalize('NFC', text).replace('_', ' ').split())
    for character in command:
        # Cc: control, Cs: lone surrogates, which no encoder takes.
        if unicodedata.category(character) in ('Cc', 'Cs'):
            raise CommandError(
                f'the command holds the control character U+{ord(character):04X}: '
                f'give plain text such as "hold the mug"'
            )
    if not any(character.isalnum() for character in command):
        raise CommandError(
            'the command is blank (it has no letter or digit): '
            'give a phrase such as "hold the mug"'
        )
    return command


def command_warning(command: str) -> str:
    """Say what a person should know of a command that is accepted all the same.

    Args:
        command: What `parse_command` returned.

    Returns:
        A sentence if the command has letters of a script other than Latin, else ''. CLIP's byte
        pairs encode every script, but its text transformer was trained on English.
    """
    foreign = next(
        (c for c in command if c.isalpha() and not unicodedata.name(c, '').startswith('LATIN')), ''
    )
    if not foreign:
        return ''
    return (
        f'the command has letters that are not Latin ({foreign}); CLIP was trained on English, '
        f'so expect little of it'
    )


def check_tokens(prompt: str, tokens: Sequence[int], *, ends: Collection[int], limit: int) -> None:
    """Refuse a prompt that CLIP's text transformer would not read as it is meant.

    Args:
        prompt: The text, for the message.
        tokens: Its tokens, without those that begin and end a text.
        ends: The numbers of those two.
        limit: How many tokens fit between them.

    Raises:
        CommandError: If it has more tokens, or holds one of those that begin and end a text.
    """
    if not set(tokens).isdisjoint(ends):
        raise CommandError(
            f'the prompt {prompt[:40]!r} holds one of {", ".join(TEXT_ENDS)}, by which '
            f'CLIP marks its ends: give plain text'
        )
    if len(tokens) > limit:
        raise CommandError(
            f'the prompt {prompt[:40]!r}... has {len(tokens)} tokens, and the text transformer '
            f'reads {limit}: give a shorter command'
        )


@dataclass(frozen=True)
class BoundCommand:
    """A command and its number."""

    text: str
    id: int
