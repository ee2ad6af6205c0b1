# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Intervals, groups and charts of an evaluation."""

import math

import numpy as np
import pytest

from affordance_ros_eval.bootstrap import mean_interval
from affordance_ros_eval.charts import bars
from affordance_ros_eval.charts import cumulative_curve
from affordance_ros_eval.compare import compare
from affordance_ros_eval.published import PUBLISHED
from affordance_ros_eval.published import comparable
from affordance_ros_eval.results import Results
from affordance_ros_eval.results import load_results
from affordance_ros_eval.scoring import ImageScore
from affordance_ros_eval.summary import group_means
from affordance_ros_eval.summary import summarise


def score(name='a', affordance='hold', **values):
    plain = {'kld': 1.0, 'sim': 0.5, 'nss': 1.0, 'pointing': True}
    return ImageScore(
        affordance, 'cup', name, peak=1.0, constant=False, zero_truth=False, **{**plain, **values}
    )


def evaluation(scores):
    return Results('x', '?', 'locate', config={}, data={}, scores=scores, problems=[])


def test_an_interval_covers_the_mean_as_normal_theory_says(rng):
    values = rng.normal(3, 1, 400)
    low, high = mean_interval(list(values), [str(i) for i in range(400)])
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.02)
    assert high == pytest.approx(values.mean() + half, abs=0.02)


def test_actions_of_one_picture_are_drawn_together(rng):
    """Ten equal values of each picture tell no more than one."""
    values = rng.normal(0, 1, 50)
    single = mean_interval(list(values), [str(i) for i in range(50)])
    tenfold = mean_interval(list(np.repeat(values, 10)), [str(i // 10) for i in range(500)])
    assert tenfold == pytest.approx(single, abs=0.05)


def test_an_interval_is_the_same_in_every_run():
    assert mean_interval([1, 2, 5], ['a', 'b', 'c']) == mean_interval([1, 2, 5], ['a', 'b', 'c'])
    assert all(math.isnan(end) for end in mean_interval([], []))


def test_one_undefined_value_makes_the_published_mean_nan_and_is_counted():
    found = summarise([score('a', nss=2.0), score('b', nss=float('nan'))])['nss']
    assert math.isnan(found.published)
    assert (found.mean, found.count, found.undefined) == (2.0, 1, 1)


def test_zero_truths_count_in_the_metrics_and_not_in_pointing():
    found = summarise([score('a'), score('b', kld=0.0, sim=0.0, nss=0.0, pointing=None)])
    assert found['kld'].published == 0.5
    assert found['pointing'].published == 1.0


def test_groups_have_their_own_means():
    groups = group_means(
        [score('a', kld=1.0), score('b', kld=3.0), score('c', 'cut', nss=float('nan'))],
        lambda s: s.affordance,
    )
    assert list(groups) == ['cut', 'hold']
    assert groups['hold']['images'] == 2
    assert groups['hold']['kld'] == 2.0
    assert math.isnan(groups['cut']['nss'])


def test_results_come_back_as_they_were(tmp_path):
    before = evaluation([score('a', nss=float('nan')), score('b', pointing=None)])
    before.save(tmp_path / 'results.json')
    after = load_results(tmp_path / 'results.json')
    assert math.isnan(after.scores[0].nss)
    assert after.scores[1] == before.scores[1]
    assert (after.versions, after.created) == (before.versions, before.created)


def test_better_is_lower_in_kld_and_higher_elsewhere():
    a = evaluation([score(str(i), kld=2.0, nss=1.0) for i in range(30)])
    b = evaluation([score(str(i), kld=1.0, nss=0.5) for i in range(30)])
    verdicts = {d.measure: d.verdict for d in compare(a, b)}
    assert verdicts == {
        'kld': 'B', 'sim': 'no clear difference', 'nss': 'A', 'pointing': 'no clear difference',
    }  # fmt: skip
    assert compare(a, b)[0].b_better == 1.0


def test_only_rows_of_one_arithmetic_compare():
    names = {r.method for r in PUBLISHED if comparable(r, 'plsp')}
    assert names == {'WSAG-PLSP'}
    assert 'WSAG-PLSP' not in {r.method for r in PUBLISHED if comparable(r, 'locate')}
    assert not any(comparable(row, 'cross-view-ag-plus') for row in PUBLISHED)


def test_charts_take_what_there_is():
    assert 'mean 2.000' in cumulative_curve([1.0, 2.0, 3.0], title='KLD', mean=2.0)
    assert 'no image has a value' in cumulative_curve([], title='NSS', mean=float('nan'))
    assert 'NaN' not in cumulative_curve([2.0], title='KLD', mean=2.0)
    drawn = bars({'<b>': -1.0, 'x': float('nan')}, counts={'<b>': 1, 'x': 2}, title='t')
    assert 'bar below' in drawn and 'no value' in drawn and '&lt;b&gt; (1)' in drawn
