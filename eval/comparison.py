# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""An evaluation beside published methods: which may stand there, and why not."""

from collections.abc import Mapping
from dataclasses import dataclass

from affordance_ros_eval.metrics import METRICS
from affordance_ros_eval.published import PUBLISHED
from affordance_ros_eval.published import comparable
from affordance_ros_eval.results import Results
from affordance_ros_eval.summary import Mean

MARK = '†'  # behind a published method whose numbers do not compare
NO_PAPER_ROW = (
    "AffordanceCLIP's own numbers are not in the table: no source at hand of this package's "
    'authors gives them.'
)


@dataclass(frozen=True)
class ComparisonLine:
    """A method's line beside others.

    Attributes:
        method: Its name.
        supervision: What it was trained with.
        protocol: Whose arithmetic.
        values: KLD, SIM, NSS; NaN where a paper gives none.
        ours: True for the evaluation's own line.
        compares: False for a published line of another or an unknown arithmetic.
        cite: A key of `bibliography`, or ''.
        intervals: Of the values, (low, high) each; only for our own line.
        images: How many were scored; 0 where that is not known.
    """

    method: str
    supervision: str
    protocol: str
    values: tuple[float, ...]
    ours: bool
    compares: bool = True
    cite: str = ''
    intervals: tuple[tuple[float, float], ...] = ()
    images: int = 0


def why_alone(results: Results) -> str:
    """Return why no published number may stand beside an evaluation's; '' if they may."""
    if not results.data.get('real'):
        return 'the data are not AGD20K'
    if not results.complete:
        return 'the run was stopped early'
    expected = int(results.data.get('published_images', 0))
    scored = len(results.scores)
    if not expected:
        return f'nobody has published numbers on {results.data.get("split")}'
    if scored != expected:
        return f'{scored:,} images were scored, and published numbers are over {expected:,}'
    return ''


def comparison_lines(results: Results, summary: Mapping[str, Mean]) -> list[ComparisonLine]:
    """Return the published lines that may be shown, those that compare first, then our own."""
    split = str(results.data.get('split', ''))
    lines = []
    for row in () if why_alone(results) else PUBLISHED:
        values = row.on(split)
        if values is not None:
            lines.append(
                ComparisonLine(
                    row.method,
                    row.supervision,
                    row.protocol,
                    values,
                    ours=False,
                    compares=comparable(row, results.protocol),
                    cite=row.cite,
                )
            )
    lines.sort(key=lambda line: not line.compares)
    means = [summary[measure] for measure in METRICS]
    return [
        *lines,
        ComparisonLine(
            results.name,
            results.supervision,
            results.protocol,
            tuple(mean.published for mean in means),
            ours=True,
            intervals=tuple((mean.low, mean.high) for mean in means),
            images=len(results.scores),
        ),
    ]


def comparison_notes(results: Results) -> list[str]:
    """Return what has to be said of the table, in every format."""
    if reason := why_alone(results):
        return [f'No published row is shown: {reason}.']
    return [
        "Published rows are their papers' own numbers. `common` is the arithmetic of locate, ooal "
        'and cross-view-ag.',
        f'{MARK}: of another arithmetic than `{results.protocol}`, or of one that its source does '
        f'not state: not to be compared.',
        NO_PAPER_ROW,
    ]
