# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Several runs of one method that differ in their seed: mean and deviation over the runs."""

import math
import statistics
from collections.abc import Sequence

from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.results import Results
from affordance_ros_eval.summary import MEASURES
from affordance_ros_eval.tables import markdown_table
from affordance_ros_eval.tables import number


def seeds_text(runs: Sequence[Results]) -> str:
    """Return each measure's mean and sample deviation over runs, as Markdown.

    Raises:
        EvaluationError: If there are fewer than two, or they are not of the same images and
            protocol.
    """
    if len(runs) < 2:
        raise EvaluationError('give at least two results.json: one run has no deviation')
    first = runs[0]
    keys = {score.key for score in first.scores}
    for run in runs[1:]:
        if run.protocol != first.protocol:
            raise EvaluationError(
                f'{first.name} was scored by {first.protocol} and {run.name} by {run.protocol}'
            )
        if {score.key for score in run.scores} != keys:
            raise EvaluationError(
                f'{first.name} and {run.name} were not scored on the same images: their spread '
                f'would be that of the data'
            )
    rows = []
    for measure in MEASURES:
        means = [run.summary()[measure].mean for run in runs]
        deviation = math.nan if any(map(math.isnan, means)) else statistics.stdev(means)
        each = ', '.join(map(number, means))
        rows.append((measure, number(statistics.fmean(means)), number(deviation), each))
    head = ('', 'mean', 'standard deviation', 'runs')
    return (
        f'{len(runs)} runs, {", ".join(run.name for run in runs)}\n'
        f'protocol {first.protocol}, {len(keys):,} images in each; the deviation (n - 1) is that '
        f'of the runs, not of the images\n\n{markdown_table(head, rows)}\n'
    )
