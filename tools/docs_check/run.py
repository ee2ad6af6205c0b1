# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Runs the blocks of a page as a reader would: in order, in a copy of the repository."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tools.docs_check.pages import Block
from tools.docs_check.pages import Page
from tools.docs_check.pages import find_files

DEFAULT_LIMIT_S = 300.0
# What the pages call the reader's own files, and what stands in for them here.
_PROPS = {
    'kitchen.jpg': 'samples/photos/000000099053.jpg',
    'photos': 'samples/photos',
    'drive.mcap': 'samples/tabletop/tabletop.mcap',
    'drive': 'samples/tabletop',
}
# Where no model is named, OpenAI's weights would be downloaded: the embedded model stands in.
_PRELUDE = """
set -euo pipefail
source scripts/env.sh
with_model() { [[ " $* " == *" --model "* ]] || set -- "$@" --model household; command "$@"; }
affordance-ground() { with_model affordance-ground "$@"; }
affordance-bag() { with_model affordance-bag "$@"; }
"""
TESTS = ('tests/text/test_commands.py', 'tests/targets/test_instances.py')
_ENVIRONMENT = {
    # `make test` in a page runs the checks of style and types, and of the tests these.
    'PYTEST_ARGS': ' '.join(TESTS),
    'HF_HUB_OFFLINE': '1',
    'OMP_NUM_THREADS': '1',
}
_BUILT = ('.venv', 'install')
_EDITABLE = ('eval', 'tabletop', 'training')


@dataclass(frozen=True)
class Outcome:
    """What became of a block.

    Attributes:
        block: The page and the line of its fence.
        duration_s: How long it ran.
        problem: What went wrong, with the end of its output; '' if nothing did.
    """

    block: str
    duration_s: float
    problem: str


def run_page(page: Page, root: Path) -> Iterator[Outcome]:
    """Run a page's blocks in order, until one fails: later ones may need what it should leave."""
    blocks = [b for b in page.blocks if b.language in ('bash', 'python') and b.verb != 'not run']
    if not blocks:
        return
    with tempfile.TemporaryDirectory(prefix='docs-check-') as folder:
        copy = Path(folder) / 'affordance_ros'
        copy_repository(root, copy)
        for block in blocks:
            begin = time.monotonic()
            problem = _run_block(block, copy)
            name = f'{page.path.relative_to(root)}:{block.line}'
            yield Outcome(name, time.monotonic() - begin, problem)
            if problem:
                return


def copy_repository(root: Path, copy: Path) -> None:
    """Copy the sources, link what is built, and lay out the reader's own files."""
    for path in find_files(root):
        target = copy / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    for name in _BUILT:
        if (root / name).exists():
            (copy / name).symlink_to(root / name)
    # The environment's editable packages are the checkout's: these come before them.
    names = _names(copy)
    names.mkdir()
    for folder in _EDITABLE:
        (names / f'affordance_ros_{folder}').symlink_to(copy / folder)
    for name, sample in _PROPS.items():
        if (copy / sample).exists():
            (copy / name).symlink_to(copy / sample)
    # Some commands ask git which files there are.
    subprocess.run(['git', 'init', '--quiet'], cwd=copy, check=True)


def _names(copy: Path) -> Path:
    """Return where the copy's packages have the names by which they are imported."""
    return copy.with_name('names')


def parse_marker(marker: str) -> tuple[float, str]:
    """Return the time limit in seconds and the output to wait for that a marker asks for.

    Raises:
        ValueError: If it asks for something else.
    """
    match = re.fullmatch(r'(?:(\d+) s)?(?:,? ?until "([^"]+)")?', marker)
    if match is None:
        raise ValueError(
            f'the marker {marker!r} is unknown; use "300 s", or until "text" for what never ends'
        )
    return float(match[1] or DEFAULT_LIMIT_S), match[2] or ''


def _run_block(block: Block, copy: Path) -> str:
    """Run a block; return what is wrong, or ''."""
    try:
        limit_s, awaited = parse_marker(block.marker)
    except ValueError as error:
        return str(error)
    text = block.text
    if block.language == 'python':
        text = f"python - <<'END_OF_PYTHON'\n{text}\nEND_OF_PYTHON"
    hidden = ('AMENT_PREFIX_PATH', 'PYTHONPATH', 'COLCON_PREFIX_PATH', 'CMAKE_PREFIX_PATH')
    kept = {k: v for k, v in os.environ.items() if k not in hidden}
    with tempfile.TemporaryFile('w+') as output:
        process = subprocess.Popen(
            ['bash', '-c', _PRELUDE + text],
            cwd=copy,
            env={
                'ROS_DOMAIN_ID': str(1 + os.getpid() % 100),
                'PYTHONPATH': str(_names(copy)),
                **kept,
                **_ENVIRONMENT,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + limit_s
        try:
            while process.poll() is None and time.monotonic() < deadline:
                if awaited and awaited in _read(output):
                    return ''
                try:
                    process.wait(0.5)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            _end(process)
        shown = _read(output)
    if awaited:
        return f'{awaited!r} was not printed within {limit_s:g} s:\n{shown[-3000:]}'
    if process.returncode:
        timed_out = time.monotonic() >= deadline
        how = f'was not done after {limit_s:g} s' if timed_out else f'exit {process.returncode}'
        return f'{how}:\n{shown[-3000:]}'
    return ''


def _read(output: IO[str]) -> str:
    """Return all output so far, without moving the place where the process writes on."""
    data = os.pread(output.fileno(), 1 << 24, 0)
    return data.decode(errors='replace')


def _end(process: subprocess.Popen) -> None:
    """Stop what a block has started, and what it has left behind, as Ctrl-C would."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
