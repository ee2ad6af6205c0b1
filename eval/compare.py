# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Two evaluations of the same images: paired differences with intervals."""

import math
from dataclasses import dataclass

from affordance_ros_eval.bootstrap import mean_interval
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.metrics import HIGHER_IS_BETTER
from affordance_ros_eval.results import Results
from affordance_ros_eval.summary import MEASURES
from affordance_ros_eval.summary import value_of
from affordance_ros_eval.tables import markdown_table
from affordance_ros_eval.tables import number


@dataclass(frozen=True)
class Difference:
    """B minus A in one measure, over the images where both have a value.

    Attributes:
        measure: kld, sim, nss or pointing.
        mean_a: A's mean over these images.
        mean_b: B's.
        difference: The mean of the differences.
        low: The lower end of its 95 % bootstrap interval over images.
        high: The upper end.
        b_better: The share of images where B is strictly better.
        count: How many images.
    """

    measure: str
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    b_better: float
    count: int

    @property
    def verdict(self) -> str:
        """Say who is better where the interval keeps off 0."""
        if not self.count or self.low <= 0 <= self.high:
            return 'no clear difference'
        b_higher = self.difference > 0
        return 'B' if b_higher == HIGHER_IS_BETTER.get(self.measure, True) else 'A'


def compare(a: Results, b: Results) -> list[Difference]:
    """Pair the images of two results.

    Raises:
        EvaluationError: If they are of two protocols, of different data, or share no image.
    """
    if a.protocol != b.protocol:
        raise EvaluationError(
            f'A was scored by protocol {a.protocol} and B by {b.protocol}: their numbers do not '
            f'compare. Score one of them again; saved predictions need no new inference'
        )
    digests = [results.data.get('truth_sha256') for results in (a, b)]
    if None not in digests and digests[0] != digests[1]:
        raise EvaluationError(
            f'A and B were scored against different ground truths '
            f'({a.data.get("title")}: {digests[0]}; {b.data.get("title")}: {digests[1]})'
        )
    in_b = {score.key: score for score in b.scores}
    pairs = [(score, in_b[score.key]) for score in a.scores if score.key in in_b]
    if not pairs:
        raise EvaluationError(
            f'A ({len(a.scores)} images) and B ({len(b.scores)} images) share no image'
        )
    found = []
    for measure in MEASURES:
        rows = [(value_of(x, measure), value_of(y, measure), x.name) for x, y in pairs]
        kept = [row for row in rows if not (math.isnan(row[0]) or math.isnan(row[1]))]
        differences = [y - x for x, y, _ in kept]
        sign = 1 if HIGHER_IS_BETTER.get(measure, True) else -1
        count = len(kept)
        low, high = mean_interval(differences, [name for _, _, name in kept])
        found.append(
            Difference(
                measure,
                mean_a=_mean([x for x, _, _ in kept]),
                mean_b=_mean([y for _, y, _ in kept]),
                difference=_mean(differences),
                low=low,
                high=high,
                b_better=_mean([float(sign * d > 0) for d in differences]),
                count=count,
            )
        )
    return found


def comparison_text(a: Results, b: Results) -> str:
    """Return a comparison as Markdown; raises as `compare`."""
    differences = compare(a, b)
    rows = [
        (
            d.measure,
            number(d.mean_a),
            number(d.mean_b),
            f'{d.difference:+.4f}',
            f'{d.low:+.4f} to {d.high:+.4f}',
            f'{100 * d.b_better:.1f} %',
            f'{d.count:,}',
            d.verdict,
        )
        for d in differences
    ]
    head = ('', 'A', 'B', 'B - A', '95 % interval', 'B better', 'images', 'better')
    lost = len({s.key for s in a.scores} ^ {s.key for s in b.scores})
    return (
        f'A: {a.name}\nB: {b.name}\nprotocol {a.protocol}; {lost:,} images are in only one of '
        f'them and left out\n\n{markdown_table(head, rows)}\n'
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else float('nan')
