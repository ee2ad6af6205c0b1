# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Read pickles of plain data, such as RefCOCO's refs, without running anything that they bring.

`pickle.Unpickler` does the reading, with every global refused. Two attacks need no global: one
memo index of 32 bits makes it fill gigabytes, and hashing nested tuples overflows the C stack. So
the opcodes are looked through first: plain data needs neither such an index nor a tuple.
"""

import io
import pickle
import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import NoReturn

from affordance_ros.safe_io.files import read_bounded

MAX_BYTES = 1 << 28
# What pickle writes for lists, dicts, texts, bytes, numbers, booleans, None; protocols 0 to 5.
_PLAIN = {
    'PROTO', 'FRAME', 'STOP', 'MARK', 'POP', 'POP_MARK',
    'MEMOIZE', 'PUT', 'BINPUT', 'LONG_BINPUT', 'GET', 'BINGET', 'LONG_BINGET',
    'NONE', 'NEWTRUE', 'NEWFALSE', 'INT', 'BININT', 'BININT1', 'BININT2',
    'LONG', 'LONG1', 'LONG4', 'FLOAT', 'BINFLOAT',
    'STRING', 'BINSTRING', 'SHORT_BINSTRING', 'UNICODE', 'SHORT_BINUNICODE', 'BINUNICODE',
    'BINUNICODE8', 'BINBYTES', 'SHORT_BINBYTES', 'BINBYTES8',
    'EMPTY_LIST', 'APPEND', 'APPENDS', 'LIST', 'EMPTY_DICT', 'DICT', 'SETITEM', 'SETITEMS',
}  # fmt: skip

_OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}


class PickleRefusedError(ValueError):
    """A pickle holds more than plain data, or is cut off."""


class _PlainUnpickler(pickle.Unpickler):
    """Holds the line if an opcode that names a global is ever taken for plain."""

    def find_class(self, module: str, name: str, /) -> NoReturn:
        raise PickleRefusedError(f'it names the global {module}.{name}')

    def persistent_load(self, reference: Any, /) -> NoReturn:
        raise PickleRefusedError('it refers to an object outside the file')


def load_plain_pickle(path: Path) -> Any:
    """Read a pickle that holds plain data, written by Python 2 or 3.

    Args:
        path: The file. Texts of Python 2 are read as UTF-8.

    Returns:
        Lists, dicts, texts, bytes and numbers, as they were written.

    Raises:
        PickleRefusedError: If the file holds anything else, is too large or is cut off.
    """
    try:
        return parse_pickle(read_bounded(path, limit_bytes=MAX_BYTES))
    except OSError as error:
        raise PickleRefusedError(f'{path} can not be read: {error.strerror}') from error
    except PickleRefusedError as error:
        raise PickleRefusedError(f'{path} was refused: {error}') from error


def parse_pickle(data: bytes) -> Any:
    """Return what a pickle holds.

    Raises:
        PickleRefusedError: If it holds anything but plain data, or is cut off.
    """
    # Protocol 0 is text, which file transfers and version control may change.
    if data[:1] not in (b'\x80', b'') and b'\r\n' in data:
        raise PickleRefusedError(
            'its line ends are CRLF: it was copied as text; copy it again as binary data'
        )
    try:
        _check_opcodes(data)
        return _PlainUnpickler(io.BytesIO(data), encoding='utf-8').load()
    except PickleRefusedError:
        raise
    except UnicodeDecodeError as error:
        raise PickleRefusedError(
            f'it holds text that is not UTF-8 ({error.reason} at byte {error.start} of a text): '
            f'Python 2 wrote it in another encoding; load it with encoding="latin-1" and pickle '
            f'it again'
        ) from error
    # The unpickler documents no list of what a damaged stream may raise.
    except Exception as error:
        raise PickleRefusedError(
            f'it is not a whole pickle of plain data ({type(error).__name__}: {error}): it may be '
            f'cut off; copy it again'
        ) from error


def _check_opcodes(data: bytes) -> None:
    """Refuse opcodes that plain data does not need, and memo indices beyond the file."""
    for name, argument, position in _opcodes(data):
        if name in ('GLOBAL', 'STACK_GLOBAL', 'INST'):
            what = f'the global {argument.replace(" ", "."):.80}' if argument else 'a global'
            if b'numpy' in data:
                raise PickleRefusedError(
                    f'it names {what}: NumPy numbers are not plain data; make them Python numbers '
                    f'before pickling, by int(...) or .tolist()'
                )
            raise PickleRefusedError(
                f'it names {what}, which plain data does not need; do not use this file, take the '
                f'original one'
            )
        if name not in _PLAIN:
            raise PickleRefusedError(
                f'it has the opcode {name} at byte {position}, which plain data does not need'
            )
        if name.endswith('PUT') and not 0 <= argument <= len(data):
            raise PickleRefusedError(f'it has a memo index of {argument}, beyond its own size')


def _opcodes(data: bytes) -> Iterator[tuple[str, Any, int]]:
    """Yield each opcode's name, argument and place.

    As `pickletools.genops`, but for the texts of Python 2, which that takes for ASCII.
    """
    stream = io.BytesIO(data)
    name = ''
    while name != 'STOP':
        position = stream.tell()
        code = stream.read(1)
        if not code:
            raise EOFError('the end comes too early')
        opcode = _OPCODES.get(code.decode('latin-1'))
        if opcode is None:
            raise ValueError(f'byte {position} is not an opcode')
        name, argument = opcode.name, None
        if name == 'STRING':
            stream.readline()
        elif opcode.arg is not None:
            argument = opcode.arg.reader(stream)
        yield name, argument, position
