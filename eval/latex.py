# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""An evaluation's tables for LaTeX (package booktabs), and the entries that they cite."""

from affordance_ros_eval.bibliography import BIBLIOGRAPHY
from affordance_ros_eval.comparison import MARK
from affordance_ros_eval.comparison import ComparisonLine
from affordance_ros_eval.comparison import comparison_lines
from affordance_ros_eval.comparison import comparison_notes
from affordance_ros_eval.results import Results
from affordance_ros_eval.summary import MEASURES
from affordance_ros_eval.summary import group_means
from affordance_ros_eval.tables import number_or_dash

_SPECIAL = {
    '\\': r'\textbackslash{}', '~': r'\textasciitilde{}', '^': r'\textasciicircum{}',
    '{': r'\{', '}': r'\}', '&': r'\&', '%': r'\%', '_': r'\_', '#': r'\#', '$': r'\$',
    MARK: r'$^\dagger$',
}  # fmt: skip
_END = (r'\bottomrule', r'\end{tabular}', r'\endgroup')


def _begin(columns: str) -> tuple[str, ...]:
    """Begin a table that fits a page of two columns."""
    return (
        r'\begingroup\footnotesize\setlength{\tabcolsep}{3pt}',
        rf'\begin{{tabular}}{{{columns}}}',
        r'\toprule',
    )


def latex_table(results: Results) -> str:
    """Return the comparison: published rows, those that do not compare marked, then our own."""
    lines = [
        f'% {results.name}, {results.data.get("title", "predictions")}, protocol '
        f'{results.protocol}, n = {len(results.scores)}',
        *_begin('lllrccc'),
        r'Method & Supervision & Protocol & $n$ & KLD $\downarrow$ & SIM $\uparrow$ & '
        r'NSS $\uparrow$ \\',
    ]
    block: tuple[bool, bool] | None = None
    for line in comparison_lines(results, results.summary()):
        if (line.ours, line.compares) != block:
            lines.append(r'\midrule')
            block = (line.ours, line.compares)
        lines += _rows(line)
    lines.append(r'\midrule')
    for note in comparison_notes(results):
        text = escape(note.replace('`', ''))
        lines.append(rf'\multicolumn{{7}}{{p{{\dimexpr\linewidth-2\tabcolsep}}}}{{{text}}} \\')
    return '\n'.join([*lines, *_END]) + '\n'


def _rows(line: ComparisonLine) -> list[str]:
    """Return a line, and for our own the intervals below it."""
    name = escape(line.method)
    if line.ours:
        name = rf'\textbf{{{name}}}'
    if line.cite:
        name += rf'~\cite{{{line.cite}}}'
    if not line.compares:
        name += _SPECIAL[MARK]
    images = str(line.images) if line.images else '--'
    values = [number_or_dash(value, '--') for value in line.values]
    cells = [name, escape(line.supervision), escape(line.protocol), images, *values]
    rows = [' & '.join(cells) + r' \\']
    if line.intervals:
        ends = [f'[{number_or_dash(low)}, {number_or_dash(high)}]' for low, high in line.intervals]
        rows.append(' & '.join([r'95\,\% intervals', '', '', '', *ends]) + r' \\')
    return rows


def latex_by_affordance(results: Results) -> str:
    """Return each affordance's means."""
    lines = [
        *_begin('lrcccc'),
        r'Affordance & $n$ & KLD $\downarrow$ & SIM $\uparrow$ & NSS $\uparrow$ & Pointing '
        r'$\uparrow$ \\',
        r'\midrule',
    ]
    for name, row in group_means(results.scores, lambda score: score.affordance).items():
        values = [number_or_dash(row[measure], '--') for measure in MEASURES]
        lines.append(' & '.join([escape(name or '-'), f'{row["images"]:.0f}', *values]) + r' \\')
    return '\n'.join([*lines, *_END]) + '\n'


def bibliography(results: Results) -> str:
    """Return the BibTeX entries that `latex_table` cites."""
    cited = {line.cite for line in comparison_lines(results, results.summary()) if line.cite}
    return '\n'.join(BIBLIOGRAPHY[key] for key in sorted(cited))


def escape(text: str) -> str:
    """Return text as LaTeX prints it."""
    return ''.join(_SPECIAL.get(character, character) for character in text)
