# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A page of documentation: its fenced blocks with their markers, its links, its headings."""

import re
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_FENCE = re.compile(r'^(?P<indent> *)(?P<ticks>`{3,})(?P<info>.*)$')
_MARKER = re.compile(r'^<!-- *(?P<verb>run|not run)\b:? *(?P<text>.*?) *-->$')
_LINK = re.compile(r'!?\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^()\s]+(?:\([^()]*\))?)\)')
_CODE = re.compile(r'(`+).+?\1')
_HEADING = re.compile(r'^#{1,6} +(?P<text>.+?) *#*$')


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        line: Where its fence opens, from 1.
        language: The first word behind the fence; '' where there is none.
        text: What it holds.
        verb: 'run' or 'not run', as the comment right above it says; '' without one.
        marker: The rest of that comment.
    """

    line: int
    language: str
    text: str
    verb: str
    marker: str


@dataclass(frozen=True)
class Page:
    """A Markdown file of the repository."""

    path: Path

    @cached_property
    def _lines(self) -> list[str]:
        return self.path.read_text(encoding='utf-8').splitlines()

    @cached_property
    def blocks(self) -> list[Block]:
        """The fenced blocks in order."""
        return [block for block, _ in self._fences()]

    @cached_property
    def prose(self) -> list[tuple[int, str]]:
        """The numbered lines outside of fenced blocks."""
        inside = {n for block, end in self._fences() for n in range(block.line, end + 1)}
        return [(n, line) for n, line in enumerate(self._lines, 1) if n not in inside]

    @cached_property
    def links(self) -> list[tuple[int, str]]:
        """The numbered targets of links and images, but for those shown as code."""
        return [
            (n, match['target'])
            for n, line in self.prose
            for match in _LINK.finditer(_CODE.sub('`code`', line))
        ]

    @cached_property
    def anchors(self) -> set[str]:
        """The anchors of its headings, as GitHub makes them."""
        anchors: set[str] = set()
        for _, line in self.prose:
            if match := _HEADING.match(line):
                slug = slugify(match['text'])
                count = sum(1 for a in anchors if re.fullmatch(rf'{re.escape(slug)}(-\d+)?', a))
                anchors.add(f'{slug}-{count}' if count else slug)
        return anchors

    def _fences(self) -> Iterator[tuple[Block, int]]:
        """Yield each block with the line on which it ends."""
        opened: tuple[int, str, str] | None = None  # line, ticks, info
        for number, line in enumerate(self._lines, 1):
            match = _FENCE.match(line)
            if opened is None:
                if match:
                    opened = (number, match['ticks'], match['info'].strip())
            elif match and not match['info'].strip() and match['ticks'] >= opened[1]:
                begin, _, info = opened
                verb, marker = self._marker_above(begin)
                text = textwrap.dedent('\n'.join(self._lines[begin : number - 1])) + '\n'
                yield Block(begin, (info.split() or [''])[0], text, verb, marker), number
                opened = None
        if opened is not None:
            raise ValueError(f'{self.path}:{opened[0]}: this block is never closed')

    def _marker_above(self, line: int) -> tuple[str, str]:
        match = _MARKER.match(self._lines[line - 2].strip()) if line >= 2 else None
        return (match['verb'], match['text']) if match else ('', '')


def slugify(heading: str) -> str:
    """Return GitHub's anchor of a heading."""
    shown = re.sub(r'!?\[([^\]]*)\]\([^)]*\)', r'\1', heading).replace('`', '')
    return re.sub(r'[^\w\- ]', '', shown.lower()).replace(' ', '-')


def find_pages(root: Path) -> list[Page]:
    """Return the Markdown files that git tracks or does not ignore."""
    return [Page(path) for path in find_files(root) if path.suffix == '.md']


def find_files(root: Path) -> list[Path]:
    """Return the files that git tracks or does not ignore, as far as they exist."""
    listed = subprocess.run(
        ['git', 'ls-files', '--cached', '--others', '--exclude-standard', '-z'],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (root / name for name in sorted(set(listed.split('\0'))) if name)
    return [path for path in paths if path.is_file()]
