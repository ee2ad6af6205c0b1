# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Tables for people: Markdown and LaTeX, with the published rows where they compare."""

import math
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from affordance_ros_eval.metrics import METRICS
from affordance_ros_eval.published import PUBLISHED
from affordance_ros_eval.published import comparable
from affordance_ros_eval.results import Results
from affordance_ros_eval.summary import MEASURES
from affordance_ros_eval.summary import Mean
from affordance_ros_eval.summary import group_means

_HEADINGS = {'kld': 'KLD (lower)', 'sim': 'SIM', 'nss': 'NSS', 'pointing': 'pointing'}


@dataclass(frozen=True)
class ComparisonLine:
    """A method's line beside others.

    Attributes:
        method: Its name.
        supervision: What it was trained with.
        protocol: Whose arithmetic.
        values: KLD, SIM, NSS.
        ours: True for the evaluation's own line.
    """

    method: str
    supervision: str
    protocol: str
    values: tuple[float, ...]
    ours: bool


def markdown_report(results: Results) -> str:
    """Return everything that is printed of an evaluation, as Markdown."""
    summary = results.summary()
    parts = [
        f'# {results.name}: {_dataset(results)}, protocol {results.protocol}',
        *([] if results.complete else ['**Stopped early: these are partial results.**']),
        markdown_table(_comparison_head(), _comparison_rows(results, summary)),
        _comparison_note(results),
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


def latex_table(results: Results) -> str:
    """Return the comparison as a LaTeX tabular (package booktabs)."""
    lines = [
        f'% {results.name}, {_dataset(results)}, protocol {results.protocol}, '
        f'n = {len(results.scores)}',
        r'\begin{tabular}{lllccc}',
        r'\toprule',
        r'Method & Supervision & Protocol & KLD $\downarrow$ & SIM $\uparrow$ & '
        r'NSS $\uparrow$ \\',
        r'\midrule',
    ]
    compared = comparison_lines(results, results.summary())
    for line in compared:
        cells = [line.method, line.supervision, line.protocol, *map(number, line.values)]
        escaped = [_escape(cell) for cell in cells]
        if line.ours:
            lines += [r'\midrule'] if len(compared) > 1 else []
            escaped[0] = rf'\textbf{{{escaped[0]}}}'
        lines.append(' & '.join(escaped) + r' \\')
    return '\n'.join([*lines, r'\bottomrule', r'\end{tabular}']) + '\n'


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


def setting_rows(results: Results) -> list[tuple[str, str]]:
    """Return settings, data and versions as rows."""
    rows = [('protocol', results.protocol), ('created', results.created)]
    for group in (results.config, results.data, results.versions):
        rows += [(k, str(v)) for k, v in group.items() if k != 'warnings']
    return rows


def comparison_lines(results: Results, summary: Mapping[str, Mean]) -> list[ComparisonLine]:
    """Return the published lines, where the data are AGD20K, and then our own."""
    split = str(results.data.get('split', ''))
    lines = []
    for row in PUBLISHED if results.data.get('real') else ():
        values = row.on(split)
        if values is not None:
            lines.append(
                ComparisonLine(row.method, row.supervision, row.protocol, values, ours=False)
            )
    ours = tuple(summary[m].published for m in METRICS)
    return [
        *lines,
        ComparisonLine(results.name, results.supervision, results.protocol, ours, ours=True),
    ]


def _dataset(results: Results) -> str:
    return str(results.data.get('title', 'predictions'))


def all_counts(results: Results) -> dict[str, int]:
    """Return the numbers of images, after how many were published where that is known."""
    counts = results.counts()
    expected = results.data.get('published_images')
    return {'published': int(expected), **counts} if expected else counts


def _comparison_head() -> tuple[str, ...]:
    return ('method', 'supervision', 'protocol', *(_HEADINGS[m] for m in METRICS))


def _comparison_rows(results: Results, summary: Mapping[str, Mean]) -> list[tuple[str, ...]]:
    rows = []
    for line in comparison_lines(results, summary):
        name = f'**{line.method}**' if line.ours else line.method
        rows.append((name, line.supervision, line.protocol, *map(number, line.values)))
    return rows


def _comparison_note(results: Results) -> str:
    if not results.data.get('real'):
        return 'The data are not AGD20K, so no published row compares with this and none is shown.'
    other = [row.method for row in PUBLISHED if not comparable(row, results.protocol)]
    note = (
        f"Published rows are their papers' own numbers. `common` is the arithmetic of locate, "
        f'ooal and cross-view-ag. Not of the arithmetic of `{results.protocol}`, so not to be '
        f'compared: {", ".join(other) or "none"}.'
    )
    return note


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


def _escape(text: str) -> str:
    for character in '&%_#$':
        text = text.replace(character, '\\' + character)
    return text
