# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Rows of figures as Markdown, and files of them."""

from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


def table(rows: Rows) -> str:
    """Return rows of the same keys as a Markdown table; floats with two decimals."""
    keys = list(rows[0])
    lines = [f'| {" | ".join(keys)} |', '|---' * len(keys) + '|']
    for row in rows:
        cells = (f'{v:.2f}' if isinstance(v, float) else str(v) for v in row.values())
        lines.append(f'| {" | ".join(cells)} |')
    return '\n'.join(lines) + '\n'


def write(path: Path | None, text: str) -> None:
    """Write a text where a path is given, and make its folder."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
