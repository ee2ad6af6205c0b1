# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What all HTML reports share: the page and its tables."""

from collections.abc import Iterable
from collections.abc import Sequence
from html import escape
from pathlib import Path


def page(title: str, body: Iterable[str]) -> str:
    """Return a page that needs no network.

    Args:
        title: As text.
        body: HTML elements; empty ones are left out.
    """
    style = Path(__file__).with_name('report.css').read_text(encoding='utf-8')
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><style>{style}</style></head><body>\n'
        + '\n'.join(part for part in body if part)
        + '\n</body></html>\n'
    )


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, value_column: int | None = None
) -> str:
    """Return a table; the column of values, if there is one, may break anywhere."""
    heading = ''.join(f'<th>{escape(cell)}</th>' for cell in head)
    lines = []
    for row in rows:
        cells = ''.join(
            f'<td class="value">{escape(cell)}</td>'
            if index == value_column
            else f'<td>{escape(cell)}</td>'
            for index, cell in enumerate(row)
        )
        lines.append(f'<tr>{cells}</tr>')
    return f'<div class="scroll"><table><tr>{heading}</tr>{"".join(lines)}</table></div>'
