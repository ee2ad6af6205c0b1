# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Scores at all thresholds, against counting pixel by pixel; the forecast of a run."""

import math

import numpy as np
import pytest

from affordance_ros_training.forecast import Forecast
from affordance_ros_training.sweep import THRESHOLDS
from affordance_ros_training.sweep import Sweep
from affordance_ros_training.sweep import sweep_sums
from affordance_ros_training.validate import ReferringScores
from affordance_ros_training.validate import iou_sums


@pytest.fixture
def pairs(rng):
    masks = [rng.random((9, 12)) < 0.4 for _ in range(8)]
    masks[3][:] = False  # a sentence that names nothing
    return [(rng.normal(0, 3, m.shape).astype(np.float32) + 2 * m, m) for m in masks]


def test_every_threshold_is_as_counted(pairs):
    found = Sweep.from_sums(sum(sweep_sums(*pair) for pair in pairs))
    named = [(1 / (1 + np.exp(-z.astype(float))), m) for z, m in pairs if m.any()]
    for row in found.rows():
        above = [heat > row['threshold'] for heat, _ in named]
        hits = [(a & m).sum() for a, (_, m) in zip(above, named, strict=True)]
        unions = [(a | m).sum() for a, (_, m) in zip(above, named, strict=True)]
        assert row['overall_iou'] == pytest.approx(sum(hits) / sum(unions))
        each = np.array(hits) / np.array(unions)
        assert row['mean_iou'] == pytest.approx(each.mean())
        assert row['precision'] == pytest.approx(sum(hits) / sum(a.sum() for a in above))
        assert row['recall'] == pytest.approx(sum(hits) / sum(m.sum() for _, m in named))
    assert found.best == max(zip(THRESHOLDS, found.overall_iou, strict=True), key=lambda p: p[1])
    assert THRESHOLDS[0] == 0.05 and THRESHOLDS[-1] == 0.95 and len(THRESHOLDS) == 19


def test_the_half_is_the_printed_score(pairs):
    sweep = Sweep.from_sums(sum(sweep_sums(*pair) for pair in pairs))
    scores = ReferringScores.from_sums(sum(iou_sums(z > 0, m) for z, m in pairs), sweep)
    half = sweep.rows()[THRESHOLDS.index(0.5)]
    assert half['overall_iou'] == pytest.approx(scores.overall_iou)
    assert half['mean_iou'] == pytest.approx(scores.mean_iou)
    assert scores.flat()['best_threshold'] == sweep.best[0]


def test_the_loss_is_the_papers_over_all_sentences(pairs):
    losses = []
    for logits, mask in pairs:
        heat = 1 / (1 + np.exp(-logits.astype(float)))
        losses.append(-np.where(mask, np.log(heat), np.log(1 - heat)).mean())
    found = Sweep.from_sums(sum(sweep_sums(*pair) for pair in pairs))
    assert found.loss == pytest.approx(np.mean(losses))
    far = np.full((2, 2), -1e4, np.float32)
    assert Sweep.from_sums(sweep_sums(far, np.ones((2, 2), bool))).loss == 1e4


def test_where_the_iou_ties_the_lower_loss_is_better():
    def scores(iou, loss):
        sweep = Sweep(loss, *([(0.0,) * len(THRESHOLDS)] * 4))
        return ReferringScores(iou, 0.0, (0.0,), 1.0, 1, sweep)

    assert scores(0.0, 0.5).rank > scores(0.0, 0.6).rank
    assert scores(0.2, 0.9).rank > scores(0.1, 0.1).rank
    assert scores(0.0, 9.0).rank > (-1.0, -math.inf), 'any model is better than none'


def test_the_forecast_leaves_the_first_steps_out_and_is_told_once():
    forecast = Forecast(7206)
    told = [forecast.step(seconds) for seconds in (90.0, 90.0, 1.0, 1.0, 1.0, 1.0, 1.0)]
    assert told[5].startswith('about 2 hours to go')
    assert not any(told[:5]) and not told[6]
