"""Read pickles of plain data, and nothing else: every global is refused by name."""

import io
import pickle
from pathlib import Path
from typing import Any
from typing import NoReturn


class PickleRefusedError(ValueError):
    """A pickle holds more than plain data, or is cut off."""


class PlainUnpickler(pickle.Unpickler):
    """An unpickler that builds lists, dicts, tuples, sets, texts, bytes and numbers alone.

    A pickle runs code by naming a global (`os.system`, `builtins.eval`, a class); where none can
    be named, there is nothing to call.
    """

    def find_class(self, module: str, name: str) -> NoReturn:
        """Refuse a global.

        Raises:
            PickleRefusedError: Always.
        """
        raise PickleRefusedError(f'it names the global {module}.{name}')

    def persistent_load(self, pid: Any) -> NoReturn:
        """Refuse a reference to something outside the file.

        Raises:
            PickleRefusedError: Always.
        """
        raise PickleRefusedError(f'it refers to an outside object ({pid!r})')


def load_plain_pickle(path: Path) -> Any:
    """Read a pickle that holds plain data, written by Python 2 or 3.

    Args:
        path: The file. Texts of Python 2 are read as UTF-8.

    Returns:
        Lists, dicts, texts, numbers, as they were written.

    Raises:
        PickleRefusedError: If the file holds anything else or is cut off.
    """
    data = path.read_bytes()
    try:
        return PlainUnpickler(io.BytesIO(data), encoding='utf-8').load()
    except PickleRefusedError as error:
        raise PickleRefusedError(
            f'{path} was refused: {error}, and a list of referring expressions needs none; '
            f'do not use this file, take the original one'
        ) from error
    except UnicodeDecodeError as error:
        raise PickleRefusedError(f'{path} holds text that is not UTF-8: {error}') from error
    except Exception as error:
        # A damaged pickle raises nearly anything: EOFError, KeyError, TypeError, MemoryError...
        raise PickleRefusedError(
            f'{path} is not a whole pickle of plain data ({type(error).__name__}: {error}): '
            f'it may be cut off; copy it again'
        ) from error
