# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Tables for people, in Markdown."""

import math
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from affordance_ros_eval.comparison import MARK
from affordance_ros_eval.comparison import ComparisonLine
from affordance_ros_eval.comparison import comparison_lines
from affordance_ros_eval.comparison import comparison_notes
from affordance_ros_eval.metrics import METRICS
from affordance_ros_eval.results import Results
from affordance_ros_eval.summary import MEASURES
from affordance_ros_eval.summary import Mean
from affordance_ros_eval.summary import group_means

_HEADINGS = {'kld': 'KLD (lower)', 'sim': 'SIM', 'nss': 'NSS', 'pointing': 'pointing'}


def markdown_report(results: Results) -> str:
    """Return everything that is printed of an evaluation, as Markdown."""
    summary = results.summary()
    parts = [
        f'# {results.name}: {_dataset(results)}, protocol {results.protocol}',
        *([] if results.complete else ['**Stopped early: these are partial results.**']),
        markdown_table(comparison_head(), _comparison_rows(results, summary)),
        *comparison_notes(results),
        '## Means',
        markdown_table(
            ('measure', 'mean', '95 % interval', 'images', 'without a value'),
            [_mean_row(name, mean) for name, mean in summary.items()],
        ),
        _undefined_note(summary),
        '## What was scored',
        markdown_table(('', 'images'), [(k, f'{n:,}') for k, n in all_counts(results).items()]),
        *[f'- {warning}' for warning in results.data.get('warnings', ())],
        '## Settings',
        markdown_table(('setting', 'value'), setting_rows(results)),
        '## By affordance',
        group_table(group_means(results.scores, lambda s: s.affordance)),
        '## By object',
        group_table(group_means(results.scores, lambda s: s.object)),
    ]
    return '\n\n'.join(part for part in parts if part) + '\n'


def console_summary(results: Results) -> str:
    """Return the few lines that end a run."""
    lines = [
        f'{results.name} on {_dataset(results)}, protocol {results.protocol}, '
        f'smooth {results.config.get("smooth", 0) or "off"}'
    ]
    for name, mean in results.summary().items():
        text = f'  {name:<9} {number(mean.published)}  [{number(mean.low)}, {number(mean.high)}]'
        if mean.undefined and name in METRICS:
            text += (
                f'  (no value for {mean.undefined:,} images; mean of the others '
                f'{number(mean.mean)})'
            )
        lines.append(text)
    counts = ', '.join(f'{k} {n:,}' for k, n in all_counts(results).items())
    return '\n'.join([*lines, f'  images: {counts}']) + '\n'


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)]
    lines += ['| ' + ' | '.join(cell.replace('|', '\\|') for cell in row) + ' |' for row in rows]
    return '\n'.join(lines)


def group_table(groups: Mapping[str, Mapping[str, float]]) -> str:
    """Return groups' means as a Markdown table."""
    head = ('', 'images', *(_HEADINGS[m] for m in MEASURES))
    rows = [
        (name or '-', f'{row["images"]:,.0f}', *(number(row[m]) for m in MEASURES))
        for name, row in groups.items()
    ]
    return markdown_table(head, rows)


def number(value: float) -> str:
    """Write a measure as the literature does, or 'nan'."""
    return 'nan' if math.isnan(value) else f'{value:.3f}'


def number_or_dash(value: float, dash: str = '-') -> str:
    """Write a measure, or a dash where there is none."""
    return dash if math.isnan(value) else number(value)


def setting_rows(results: Results) -> list[tuple[str, str]]:
    """Return settings, data and versions as rows."""
    rows = [('protocol', results.protocol), ('created', results.created)]
    for group in (results.config, results.data, results.versions):
        rows += [(k, str(v)) for k, v in group.items() if k != 'warnings']
    return rows


def _dataset(results: Results) -> str:
    return str(results.data.get('title', 'predictions'))


def all_counts(results: Results) -> dict[str, int]:
    """Return the numbers of images, after how many were published where that is known."""
    counts = results.counts()
    expected = results.data.get('published_images')
    return {'published': int(expected), **counts} if expected else counts


def comparison_head() -> tuple[str, ...]:
    """Return the headings of `comparison_cells`."""
    return ('method', 'supervision', 'protocol', 'images', *(_HEADINGS[m] for m in METRICS))


def comparison_cells(line: ComparisonLine) -> tuple[str, ...]:
    """Return a comparison's line as plain text, our own with its intervals."""
    values = [number_or_dash(value) for value in line.values]
    if line.intervals:
        values = [
            f'{value} [{number(low)}, {number(high)}]'
            for value, (low, high) in zip(values, line.intervals, strict=True)
        ]
    name = line.method if line.compares else f'{line.method} {MARK}'
    images = f'{line.images:,}' if line.images else '-'
    return (name, line.supervision, line.protocol, images, *values)


def _comparison_rows(results: Results, summary: Mapping[str, Mean]) -> list[tuple[str, ...]]:
    rows = []
    for line in comparison_lines(results, summary):
        name, *others = comparison_cells(line)
        rows.append((f'**{name}**' if line.ours else name, *others))
    return rows


def _mean_row(name: str, mean: Mean) -> tuple[str, ...]:
    interval = f'{number(mean.low)} to {number(mean.high)}'
    return (name, number(mean.mean), interval, f'{mean.count:,}', f'{mean.undefined:,}')


def _undefined_note(summary: Mapping[str, Mean]) -> str:
    names = [name for name in METRICS if summary[name].undefined]
    if not names:
        return ''
    return (
        f"The protocol's formula has no value for some images in {', '.join(names)} (constant "
        f'predictions: 0 / 0), so its plain mean is nan; the means here leave these images out.'
    )
