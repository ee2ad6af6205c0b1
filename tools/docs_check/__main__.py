# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Check the documentation: links, images, what its blocks name; with --run also run them."""

import argparse
import sys
from pathlib import Path

from tools.docs_check.commands import check_block
from tools.docs_check.pages import find_pages
from tools.docs_check.run import run_page
from tools.docs_check.static import REASONS
from tools.docs_check.static import check_page


def main() -> int:
    """Check the pages and say what is wrong; return 0, or 1 if anything is."""
    parser = argparse.ArgumentParser(prog='python -m tools.docs_check', description=__doc__)
    parser.add_argument('pages', nargs='*', type=Path, help='some pages only (default: all)')
    parser.add_argument('--run', action='store_true', help='also run the blocks, page by page')
    parser.add_argument('--root', type=Path, default=Path.cwd(), help='the repository')
    options = parser.parse_args()
    root = options.root.resolve()
    wanted = {path.resolve() for path in options.pages}
    pages = [page for page in find_pages(root) if not wanted or page.path in wanted]
    problems: list[str] = []
    unrun: dict[str, int] = {}
    for page in pages:
        problems += check_page(page, root)
        for block in page.blocks:
            if block.verb == 'not run':
                unrun[block.marker] = unrun.get(block.marker, 0) + 1
            if block.language == 'bash':
                name = f'{page.path.relative_to(root)}:{block.line}'
                problems += [f'{name}: {problem}' for problem in check_block(block, root)]
    if options.run and not problems:
        for page in pages:
            for outcome in run_page(page, root):
                if outcome.problem:
                    problems.append(f'{outcome.block}: {outcome.problem}')
                else:
                    sys.stdout.write(f'ran {outcome.block} in {outcome.duration_s:.0f} s\n')
                    sys.stdout.flush()
    for reason, count in sorted(unrun.items()):
        meaning = REASONS.get(reason, 'unknown')
        sys.stdout.write(f'not run: {count} ({reason}: {meaning})\n')
    for problem in problems:
        sys.stderr.write(f'{problem}\n')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
