# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""BERT's word pieces for MiniLM, by the `tokenizers` library; no torch."""

from pathlib import Path

from tokenizers import Tokenizer

from affordance_ros.model.errors import WeightsError
from affordance_ros.safe_io.files import read_bounded
from affordance_ros.text.commands import CommandError

_MAX_BYTES = 1 << 22
# What a text must not hold: BERT's own marks, by which it begins, ends and hides pieces.
_MARKS = ('[CLS]', '[SEP]', '[PAD]', '[MASK]')


class WordPieces:
    """Turns prompts into token numbers.

    Args:
        path: MiniLM's tokenizer.json.
        max_tokens: How many the encoder reads, with the two that begin and end a text.

    Raises:
        WeightsError: If the file is missing or is not a tokenizer.
    """

    def __init__(self, path: Path, *, max_tokens: int) -> None:
        try:
            data = read_bounded(path, limit_bytes=_MAX_BYTES)
            self._tokenizer = Tokenizer.from_str(data.decode('utf-8'))
        except Exception as error:  # the library raises a bare Exception
            raise WeightsError(
                f'{path} is not a readable tokenizer ({error}): install affordance_ros again'
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._max_tokens = max_tokens
        self._marks = {self._tokenizer.token_to_id(mark) for mark in _MARKS}

    def check_length(self, prompt: str) -> None:
        """Refuse a prompt that would be cut off or misread.

        Raises:
            CommandError: If it has too many tokens or holds one of BERT's marks.
        """
        tokens = self._tokenizer.encode(prompt, add_special_tokens=False).ids
        if not self._marks.isdisjoint(tokens):
            raise CommandError(
                f'the prompt {prompt[:40]!r} holds one of {", ".join(_MARKS)}, by which the text '
                f'encoder marks pieces of a text: give plain text'
            )
        limit = self._max_tokens - 2
        if len(tokens) > limit:
            raise CommandError(
                f'the prompt {prompt[:40]!r}... has {len(tokens)} tokens, and the text encoder '
                f'reads {limit}: give a shorter command'
            )

    def encode(self, prompt: str) -> list[int]:
        """Return a prompt's tokens with those that begin and end it; the rest is cut off."""
        tokens: list[int] = self._tokenizer.encode(prompt).ids
        return [*tokens[: self._max_tokens - 1], tokens[-1]][: len(tokens)]
