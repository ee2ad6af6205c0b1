# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Read pickles of plain data without `pickle`: a machine that knows no opcode that does anything.

Python's own unpickler, even with every global refused, can be made to fill gigabytes by one memo
index of 32 bits, and to overflow the stack by hashing nested tuples. Here memory grows with the
bytes of the file alone, nothing recurses, and dictionaries have texts and numbers as keys.
"""

import codecs
import struct
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affordance_ros.safe_io.files import read_bounded

MAX_BYTES = 1 << 28


class PickleRefusedError(ValueError):
    """A pickle holds more than plain data, or is cut off."""


@dataclass(frozen=True)
class Maker:
    """What stands for a global that a caller allows; only these can be called.

    Attributes:
        make: Takes the arguments of the call.
    """

    make: Callable[..., Any]


def load_plain_pickle(path: Path) -> Any:
    """Read a pickle that holds plain data, written by Python 2 or 3.

    Args:
        path: The file. Texts of Python 2 are read as UTF-8.

    Returns:
        Lists, tuples, dicts, texts, bytes, numbers, as they were written.

    Raises:
        PickleRefusedError: If the file holds anything else, is too large or is cut off.
    """
    try:
        return parse_pickle(read_bounded(path, limit_bytes=MAX_BYTES))
    except OSError as error:
        raise PickleRefusedError(f'{path} can not be read: {error.strerror}') from error
    except PickleRefusedError as error:
        raise PickleRefusedError(f'{path} was refused: {error}') from error


def parse_pickle(
    data: bytes,
    *,
    known: Mapping[str, Any] | None = None,
    outside: Callable[[Any], Any] | None = None,
) -> Any:
    """Return what a pickle holds.

    Args:
        data: Its bytes.
        known: By 'module.name', what stands for a global; a `Maker` where it may be called.
        outside: Resolves a reference to something outside the pickle.

    Raises:
        PickleRefusedError: If it holds anything but plain data and what is known, or is cut off.
    """
    try:
        return _Machine(data, known or {}, outside).run()
    except (IndexError, KeyError, TypeError, AttributeError, struct.error, OverflowError) as error:
        raise PickleRefusedError(
            f'it is not a whole pickle of plain data ({type(error).__name__}: {error}): it may be '
            f'cut off; copy it again'
        ) from error
    except UnicodeDecodeError as error:
        raise PickleRefusedError(f'it holds text that is not UTF-8: {error}') from error
    except PickleRefusedError:
        raise
    except ValueError as error:
        raise PickleRefusedError(f'it holds what is no number or text: {error}') from error


class _Machine:
    """The pickle machine: a stack, a memo, and the opcodes of protocols 0 to 5 for plain data."""

    def __init__(
        self, data: bytes, known: Mapping[str, Any], outside: Callable[[Any], Any] | None
    ) -> None:
        self._data = data
        self._at = 0
        self._known = known
        self._outside = outside
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        data, operations = self._data, _OPERATIONS
        while (code := data[self._at]) != 0x2E:  # STOP
            operation = operations.get(code)
            if operation is None:
                raise PickleRefusedError(
                    f'it has the opcode {bytes([code])!r} at byte {self._at}, which plain data '
                    f'does not need'
                )
            self._at += 1
            operation(self)
        return self._stack.pop()

    # --- Reading ---------------------------------------------------------------------------------

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise IndexError('the end comes too early')
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def number(self, layout: str) -> Any:
        (value,) = struct.unpack(layout, self.take(struct.calcsize(layout)))
        return value

    def sized(self, layout: str) -> bytes:
        size = self.number(layout)
        if size < 0:
            raise IndexError('a size is negative')
        return self.take(size)

    def line(self) -> bytes:
        end = self._data.index(b'\n', self._at)
        piece = self._data[self._at : end]
        self._at = end + 1
        return piece

    # --- Stack and memo --------------------------------------------------------------------------

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def mark(self) -> None:
        self._marks.append(len(self._stack))

    def since_mark(self) -> list[Any]:
        start = self._marks.pop()
        values = self._stack[start:]
        del self._stack[start:]
        return values

    def tuple_of(self, count: int) -> None:
        values = tuple(self._stack[-count:])
        if len(values) < count:
            raise IndexError('a tuple lacks its values')
        self._stack[-count:] = [values]

    def store(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    def fetch(self, index: int) -> None:
        self._stack.append(self._memo[index])

    def memoize(self) -> None:
        self.store(len(self._memo))

    # --- Containers ------------------------------------------------------------------------------

    def append(self) -> None:
        value = self._stack.pop()
        self.extend([value])

    def extend(self, values: list[Any]) -> None:
        _checked(self._stack[-1], list).extend(values)

    def set_item(self) -> None:
        value = self._stack.pop()
        key = self._stack.pop()
        self.set_items([key, value])

    def set_items(self, flat: list[Any]) -> None:
        if len(flat) % 2:
            raise IndexError('a key lacks its value')
        target = _checked(self._stack[-1], dict)
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            if not isinstance(key, str | int | bytes):
                raise PickleRefusedError(f'it has a {type(key).__name__} as a key')
            target[key] = value

    def dict_of(self, flat: list[Any]) -> None:
        self.push({})
        self.set_items(flat)

    # --- What could do something -----------------------------------------------------------------

    def name(self, module: str, name: str) -> None:
        full = f'{module}.{name}'
        if full not in self._known:
            raise PickleRefusedError(
                f'it names the global {full:.80}, which plain data does not need; do not use this '
                f'file, take the original one'
            )
        self.push(self._known[full])

    def stack_name(self) -> None:
        name = _checked(self._stack.pop(), str)
        self.name(_checked(self._stack.pop(), str), name)

    def call(self) -> None:
        arguments = _checked(self._stack.pop(), tuple)
        self._stack[-1] = _checked(self._stack[-1], Maker).make(*arguments)

    def build(self) -> None:
        self._stack.pop()  # attributes of a dict, such as a state dict's _metadata
        _checked(self._stack[-1], dict)

    def refer(self) -> None:
        reference = self._stack.pop()
        if self._outside is None:
            raise PickleRefusedError('it refers to an object outside the file')
        self.push(self._outside(reference))


def _checked(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f'a {type(value).__name__} stands where a {kind.__name__} must')
    return value


def _integer(line: bytes) -> int | bool:
    if line in (b'00', b'01'):  # how protocol 0 writes False and True
        return line == b'01'
    return int(line.removesuffix(b'L'))


def _quoted(line: bytes) -> str:
    text = line.strip()
    if len(text) < 2 or text[:1] not in (b'"', b"'") or text[:1] != text[-1:]:
        raise ValueError('a text lacks its quotes')
    return codecs.escape_decode(text[1:-1])[0].decode()


_OPERATIONS: dict[int, Callable[[_Machine], Any]] = {
    ord(code): operation
    for code, operation in {
        '\x80': lambda m: m.take(1),  # PROTO
        '\x95': lambda m: m.take(8),  # FRAME
        '(': lambda m: m.mark(),
        '0': lambda m: m._stack.pop(),
        '1': lambda m: m.since_mark(),
        # Numbers.
        'N': lambda m: m.push(None),
        '\x88': lambda m: m.push(True),
        '\x89': lambda m: m.push(False),
        'I': lambda m: m.push(_integer(m.line())),
        'L': lambda m: m.push(_integer(m.line())),
        'J': lambda m: m.push(m.number('<i')),
        'K': lambda m: m.push(m.number('B')),
        'M': lambda m: m.push(m.number('<H')),
        '\x8a': lambda m: m.push(int.from_bytes(m.sized('B'), 'little', signed=True)),
        '\x8b': lambda m: m.push(int.from_bytes(m.sized('<i'), 'little', signed=True)),
        'F': lambda m: m.push(float(m.line())),
        'G': lambda m: m.push(m.number('>d')),
        # Texts; a byte string of Python 2 is one too.
        'S': lambda m: m.push(_quoted(m.line())),
        'T': lambda m: m.push(m.sized('<i').decode()),
        'U': lambda m: m.push(m.sized('B').decode()),
        'V': lambda m: m.push(m.line().decode('raw_unicode_escape')),
        'X': lambda m: m.push(m.sized('<I').decode('utf-8', 'surrogatepass')),
        '\x8c': lambda m: m.push(m.sized('B').decode('utf-8', 'surrogatepass')),
        '\x8d': lambda m: m.push(m.sized('<Q').decode('utf-8', 'surrogatepass')),
        'B': lambda m: m.push(m.sized('<I')),
        'C': lambda m: m.push(m.sized('B')),
        '\x8e': lambda m: m.push(m.sized('<Q')),
        # Containers.
        ']': lambda m: m.push([]),
        'a': lambda m: m.append(),
        'e': lambda m: m.extend(m.since_mark()),
        'l': lambda m: m.push(m.since_mark()),
        ')': lambda m: m.push(()),
        '\x85': lambda m: m.tuple_of(1),
        '\x86': lambda m: m.tuple_of(2),
        '\x87': lambda m: m.tuple_of(3),
        't': lambda m: m.push(tuple(m.since_mark())),
        '}': lambda m: m.push({}),
        'd': lambda m: m.dict_of(m.since_mark()),
        's': lambda m: m.set_item(),
        'u': lambda m: m.set_items(m.since_mark()),
        # The memo.
        'g': lambda m: m.fetch(int(m.line())),
        'h': lambda m: m.fetch(m.number('B')),
        'j': lambda m: m.fetch(m.number('<I')),
        'p': lambda m: m.store(int(m.line())),
        'q': lambda m: m.store(m.number('B')),
        'r': lambda m: m.store(m.number('<I')),
        '\x94': lambda m: m.memoize(),
        # What is refused unless the caller knows it.
        'c': lambda m: m.name(m.line().decode(), m.line().decode()),
        '\x93': lambda m: m.stack_name(),
        'R': lambda m: m.call(),
        'b': lambda m: m.build(),
        'Q': lambda m: m.refer(),
    }.items()
}
