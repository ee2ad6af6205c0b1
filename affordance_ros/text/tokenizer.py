# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""CLIP's byte-pair tokenizer, for models that are exported and run without torch and open_clip.

The method is that of Sennrich et al. (ACL 2016) as in CLIP's `simple_tokenizer.py`, with its
vocabulary file; a test holds the tokens equal to open_clip's.
"""

import gzip
import html
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import ftfy
import regex

from affordance_ros.text.commands import TEXT_ENDS

_START, _END = TEXT_ENDS
_WORDS = regex.compile(
    rf"{_START}|{_END}|'s|'t|'re|'ve|'m|'ll|'d|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+",
    regex.IGNORECASE,
)
_WORD_END = '</w>'
_MERGES = 49152 - 256 - 2  # of the many in the file


class Tokenizer:
    """Turns text into CLIP's token numbers.

    Args:
        vocabulary: open_clip's bpe_simple_vocab_16e6.txt.gz.
    """

    def __init__(self, vocabulary: Path) -> None:
        lines = gzip.decompress(vocabulary.read_bytes()).decode('utf-8').split('\n')
        merges = [tuple(line.split()) for line in lines[1 : _MERGES + 1]]
        self._letters = _letters_of_bytes()
        letters = list(self._letters.values())
        tokens = [*letters, *(letter + _WORD_END for letter in letters)]
        tokens += [''.join(pair) for pair in merges]
        tokens += [_START, _END]
        self._numbers = {token: number for number, token in enumerate(tokens)}
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.start, self.end = self._numbers[_START], self._numbers[_END]
        self._split = lru_cache(maxsize=4096)(self._split_word)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, without start and end."""
        text = html.unescape(html.unescape(ftfy.fix_text(text)))
        text = ' '.join(text.split()).strip().lower()
        return [
            self._numbers[token] for word in _WORDS.findall(text) for token in self._split(word)
        ]

    def _split_word(self, word: str) -> tuple[str, ...]:
        """Merge a word's letters, the most frequent pair of the training text first."""
        if word in (_START, _END):
            return (word,)
        letters = [self._letters[byte] for byte in word.encode('utf-8')]
        parts = [*letters[:-1], letters[-1] + _WORD_END]
        while len(parts) > 1:
            best = min(pairwise(parts), key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if best not in self._ranks:
                break
            merged: list[str] = []
            for part in parts:
                if merged and (merged[-1], part) == best:
                    merged[-1] += part
                else:
                    merged.append(part)
            parts = merged
        return tuple(parts)


def _letters_of_bytes() -> dict[int, str]:
    """Return a printable letter for each byte: itself where it is one, else one from 256 on."""
    printable = [*range(ord('!'), ord('~') + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    letters = {byte: chr(byte) for byte in printable}
    others = (byte for byte in range(256) if byte not in letters)
    return letters | {byte: chr(256 + number) for number, byte in enumerate(others)}
