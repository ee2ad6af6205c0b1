# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Mutations: bytes, numbers, texts, and trees of plain data, all drawn from one generator."""

import copy
from collections.abc import Sequence
from random import Random
from typing import Any

INTEGERS = (
    0, 1, -1, 2, 7, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 10**6, 2**31 - 1, 2**31,
    2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**31), -(2**63), 10**30,
)  # fmt: skip
FLOATS = (0.0, -0.0, 0.5, -1.0, 1e-300, 1e12, 1e300, float('inf'), float('-inf'), float('nan'))
TEXTS = (
    '', ' ', 'cut', 'hold the mug', '\0', '\n', '..', '../../etc/passwd', '/dev/zero', '{}', '%s',
    '{{}}', "'", '"', '\\', '$(whoami)', '`id`', '<end_of_text>', '\ud800', '\u202e', '\u0301' * 9,
    '\U0001f600', 'x' * 300, '&' * 50, '&lt;' * 30, '!!python/object', '*a', '--ros-args', '-p',
    'a:=b', '[', '{', '~', '0x1F', '1e999', 'null', 'true', '\x1b[31m', '\ufeff', 'ß' * 60, '剪切',
)  # fmt: skip


def mutate_bytes(rng: Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Return a few changes away from some bytes; `others` lend pieces."""
    changed = bytearray(data)
    for _ in range(1 + rng.randrange(4)):
        size = len(changed)
        at = rng.randrange(size + 1)
        kind = rng.randrange(9)
        if kind == 0 and size:
            changed[at % size] ^= 1 << rng.randrange(8)
        elif kind == 1 and size:
            changed[at % size] = rng.randrange(256)
        elif kind == 2:
            del changed[at : at + 1 + rng.randrange(16)]
        elif kind == 3:
            changed[at:at] = rng.randbytes(1 + rng.randrange(16))
        elif kind == 4:
            del changed[at:]
        elif kind == 5:
            number = rng.choice(INTEGERS) % 2**32
            width = rng.choice((1, 2, 4))
            order = rng.choice(('little', 'big'))
            piece = (number % 256**width).to_bytes(width, order)  # type: ignore[arg-type]
            changed[at : at + width] = piece
        elif kind == 6:
            piece = bytes(changed[at : at + rng.randrange(64)])
            changed[at:at] = piece * (1 + rng.randrange(8))
        elif kind == 7 and others:
            other = rng.choice(others)
            start = rng.randrange(len(other) + 1)
            changed[at : at + rng.randrange(64)] = other[start : start + rng.randrange(256)]
        elif size:
            start = rng.randrange(size)
            changed[at : at + 8] = changed[start : start + 8]
    return bytes(changed)


def draw_text(rng: Random, words: Sequence[str] = TEXTS) -> str:
    """Return words, odd characters of all planes, or both."""
    parts = []
    for _ in range(1 + rng.randrange(5)):
        if rng.random() < 0.6:
            parts.append(rng.choice(words))
        else:
            highest = rng.choice((0x7F, 0xFF, 0xFFFF, 0x10FFFF))
            parts += [chr(rng.randrange(highest + 1)) for _ in range(rng.randrange(12))]
    return rng.choice(('', ' ', '_')).join(parts)


def draw_value(rng: Random) -> Any:
    """Return a piece of plain data, small or odd."""
    kind = rng.randrange(8)
    if kind < 2:
        return rng.choice(INTEGERS)
    if kind == 2:
        return rng.choice(FLOATS)
    if kind < 5:
        return draw_text(rng)
    if kind == 5:
        return [draw_value(rng) for _ in range(rng.randrange(3))]
    if kind == 6:
        return {str(draw_value(rng))[:20]: rng.choice(INTEGERS)}
    return rng.choice((None, True, False))


def mutate_tree(rng: Random, tree: Any) -> Any:
    """Return a copy of plain data with one to three values replaced, removed or added."""
    changed = copy.deepcopy(tree)
    for _ in range(1 + rng.randrange(3)):
        place = changed
        while True:
            if isinstance(place, dict) and place:
                key: Any = rng.choice(list(place))
            elif isinstance(place, list) and place:
                key = rng.randrange(len(place))
            else:
                break
            inner = place[key]
            if isinstance(inner, dict | list) and inner and rng.random() < 0.85:
                place = inner
                continue
            _change(rng, place, key)
            break
    return changed


def _change(rng: Random, place: Any, key: Any) -> None:
    kind = rng.randrange(6)
    if kind == 0:
        del place[key]
    elif kind == 1 and isinstance(place[key], str):
        place[key] += draw_text(rng)
    elif kind == 2 and isinstance(place[key], int | float):
        place[key] = -place[key] if rng.random() < 0.3 else place[key] * rng.choice((2, 0.5, 1e6))
    elif kind == 3 and isinstance(place, list):
        place.insert(key, copy.deepcopy(place[key]))
    else:
        place[key] = draw_value(rng)
