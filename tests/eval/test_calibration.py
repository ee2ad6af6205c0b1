# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Scores that mean a chance: the fit, its reliability, and a calibrated checkpoint."""

import json
import math

import cv2
import numpy as np
import pytest
import torch

from affordance_ros.model.calibration import Calibration
from affordance_ros.model.checkpoint import load_checkpoint
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.families import load_trunk
from affordance_ros.model.heads import calibrated
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros_eval.cli import main
from affordance_ros_eval.masks.calibration import SHARPNESS
from affordance_ros_eval.masks.calibration import Sample
from affordance_ros_eval.masks.calibration import _ious
from affordance_ros_eval.masks.calibration import fit
from affordance_ros_eval.masks.calibration import in_fitting_half
from affordance_ros_eval.masks.calibration import reliability
from tests.support.household_folder import NAME
from tests.support.masked_photos import write_masked_photos


def _samples(rng, count, bias=-0.5, ceiling=0.7):
    values = rng.normal(0, 3, count)
    hits = rng.random(count) < ceiling / (1 + np.exp(-(SHARPNESS * values + bias)))
    ious = np.zeros(81)
    return [
        Sample(str(n), v, bool(h), ious) for n, (v, h) in enumerate(zip(values, hits, strict=True))
    ]


def test_a_fit_finds_the_chances_that_samples_were_drawn_from(rng):
    samples = _samples(rng, 20_000)
    found = fit(samples)
    assert found.bias == pytest.approx(-0.5, abs=0.15)
    assert found.ceiling == pytest.approx(0.7, abs=0.015)
    assert reliability(samples, found).error < 0.02
    assert reliability(samples, Calibration()).error > 0.1


def test_the_expected_calibration_error_is_the_mean_gap_of_its_bins():
    logits = [math.log(p / (1 - p)) for p in (0.15, 0.12, 0.95, 0.91)]
    samples = [
        Sample('a', value, hit, np.zeros(1))
        for value, hit in zip(logits, (True, False, True, True), strict=True)
    ]
    found = reliability(samples, Calibration())
    assert found.counts[1] == found.counts[9] == 2 and sum(found.counts) == 4
    expected = (abs(0.135 - 0.5) + abs(0.93 - 1.0)) / 2
    assert found.error == pytest.approx(expected)


def test_ious_are_those_of_every_level(rng):
    heatmap = rng.random((20, 30)).astype(np.float32)
    mask = rng.random((20, 30)) < 0.3
    found = _ious(heatmap, mask)
    z = np.log(heatmap.astype(np.float64) / (1 - heatmap.astype(np.float64)))
    for place, level in enumerate(np.arange(-12.0, 8.01, 0.25)):
        above = z >= level
        assert found[place] == pytest.approx((above & mask).sum() / (above | mask).sum())


@pytest.mark.parametrize('right', [0.0, 1.0])
def test_what_is_always_right_or_wrong_is_not_calibrated(right):
    samples = [Sample('a', 1.0 * n, bool(right), np.zeros(81)) for n in range(30)]
    with pytest.raises(ValueError, match='some right and some wrong'):
        fit(samples)


def test_one_photo_is_in_one_half_and_halves_are_about_equal():
    names = [f'{n}.jpg' for n in range(400)]
    assert 160 < sum(map(in_fitting_half, names)) < 240


def _mask_what_is_scored_high(root, predictor):
    """Move each region: onto the best target if its score is high, with exceptions, else away."""
    predictor.set_command('cut')
    paths = sorted((root / 'images').iterdir())
    best = [predictor.predict(cv2.imread(str(p)), channels='bgr').targets[0] for p in paths]
    middle = np.median([target.score for target in best])
    for number, (path, target) in enumerate(zip(paths, best, strict=True)):
        mask = np.zeros((90, 120), np.uint8)
        if (target.score > middle) != (number % 5 == 0):
            mask[round(target.y), round(target.x)] = 255
        else:
            mask[:, 0 if target.x > 60 else 119] = 255
        cv2.imwrite(str(root / 'masks' / path.name), mask)
    entries = json.loads((root / 'annotations.json').read_text())
    kept = [{**entry, 'queries': {'action': 'cut'}} for entry in entries]
    (root / 'annotations.json').write_text(json.dumps(kept))


def test_a_calibrated_checkpoint_scores_targets_by_the_fit(small_model, tmp_path, capsys):
    root = write_masked_photos(tmp_path / 'set', count=80)
    config = ModelConfig(NAME, small_model[3], small_model[5], 'cpu')
    options = PredictorConfig(input_size=96, min_score=0.0)
    _mask_what_is_scored_high(root, Predictor.load(config, options))
    save = tmp_path / 'calibrated.safetensors'
    arguments = ['calibrate', '--root', str(root), '--save', str(save), '--out']
    assert main([*arguments, str(tmp_path / 'out'), *small_model]) == 0
    fitted = json.loads((tmp_path / 'out/results.json').read_text())['calibration']
    assert 'expected calibration error' in capsys.readouterr().out
    assert '<svg' in (tmp_path / 'out/report.html').read_text()
    _, summary = load_checkpoint(save, load_trunk(NAME, small_model[3]))
    assert summary.calibration == Calibration(**fitted)
    image = cv2.imread(str(root / 'images/0.png'))
    scores = []
    for checkpoint in (small_model[5], str(save)):
        config = ModelConfig(NAME, small_model[3], checkpoint, 'cpu')
        predictor = Predictor.load(config, PredictorConfig(input_size=96, min_score=0.0))
        predictor.set_command('cut')
        scores.append(predictor.predict(image, channels='bgr').targets[0].score)
    logit = math.log(scores[0] / (1 - scores[0]))
    exponent = -(fitted['scale'] * logit + fitted['bias'])
    expected = fitted['ceiling'] / (1 + math.exp(exponent))
    # The place lies between cells: interpolating logits and bending them do not commute exactly.
    assert scores[1] == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(('arguments', 'message'), [
    ({'scale': 0.0}, 'the scale must be positive'),
    ({'bias': math.nan}, 'both finite'),
    ({'ceiling': 1.5}, 'ceiling is 1.5'),
    ({'mask_threshold': 1.0}, 'within'),
])  # fmt: skip
def test_impossible_calibrations_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Calibration(**arguments)


def test_the_head_gives_the_logits_of_calibrated_heat(rng):
    calibration = Calibration(1.4, -0.7, 0.6)
    logits = np.concatenate([rng.normal(0, 4, 200), [-300.0, -80.0, 80.0, 300.0]])
    found = calibrated(torch.from_numpy(logits), calibration)
    expected = 0.6 / (1 + np.exp(-np.clip(1.4 * logits - 0.7, -700, 700)))
    np.testing.assert_allclose(torch.sigmoid(found).numpy(), expected, rtol=1e-9, atol=1e-30)
    np.testing.assert_allclose(calibration.chance(logits), expected, rtol=1e-12)
    assert torch.isfinite(found).all()
