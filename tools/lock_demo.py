# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Write requirements/demo.txt: the part of lock.txt that `make demo` needs.

What a package needs is read from the installed packages' own metadata, so run it where lock.txt is
installed.
"""

import fnmatch
import re
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / 'requirements'
_NAME = re.compile(r'^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[([^\]]*)\])?')
_HEAD = '# The part of lock.txt that `make demo` needs; made by tools/lock_demo.py from demo.in.\n'


def normalise(name: str) -> str:
    """Return a package's name as all spellings of it have in common."""
    return re.sub(r'[-_.]+', '-', name).lower()


def read_lock(text: str) -> dict[str, list[str]]:
    """Return a lock's entries by name: each a version for some Pythons, with its hashes."""
    entries: dict[str, list[str]] = {}
    for block in re.split(r'\n(?=[A-Za-z0-9])', text.partition('\n')[2]):
        match = _NAME.match(block.strip())
        if match and not block.startswith('#'):
            entries.setdefault(normalise(match.group(1)), []).append(block.strip())
    return entries


def needed(wanted: Iterable[str], known: Iterable[str]) -> set[str]:
    """Return the names of packages with all that they need, as far as the lock has it.

    Markers are not evaluated: a package for another Python than this one has its marker in the
    lock. Extras count where they are asked for.
    """
    locked = set(known)
    found: set[str] = set()
    waiting = list(wanted)
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        match = _NAME.match(requirement)
        if match is None or requirement in seen:
            continue
        seen.add(requirement)
        name, extras = normalise(match.group(1)), (match.group(2) or '').split(',')
        if name not in locked:
            continue
        found.add(name)
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # for another Python
            continue
        for line in requires:
            extra = re.search(r'extra\s*==\s*[\'"]([^\'"]+)', line)
            if extra is None or extra.group(1) in extras:
                waiting.append(line.partition(';')[0].strip())
    return found


def demo_lock() -> str:
    """Return the text of demo.txt."""
    lines = (_FOLDER / 'demo.in').read_text(encoding='utf-8').splitlines()
    lock = read_lock((_FOLDER / 'lock.txt').read_text(encoding='utf-8'))
    wanted = []
    for line in lines:
        if line and not line.startswith('#'):
            matching = fnmatch.filter(lock, normalise(line))
            if not matching:
                raise SystemExit(f'{line} is not in lock.txt: add it to requirements.in first')
            wanted += matching
    names = needed(wanted, lock)
    return _HEAD + ''.join(f'{block}\n' for name in sorted(names) for block in lock[name])


def main() -> int:
    """Write the file; return 0."""
    path = _FOLDER / 'demo.txt'
    text = demo_lock()
    path.write_text(text, encoding='utf-8')
    sys.stdout.write(f'{path}: {text.count("==")} packages\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
