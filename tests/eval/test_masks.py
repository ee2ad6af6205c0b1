# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Evaluation on masked photos: its arithmetic, its files, and what it refuses."""

import json
import math

import cv2
import numpy as np
import pytest

from affordance_ros.model.config import ModelConfig
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros.targets.target import Target
from affordance_ros_eval.cli import main
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.masks.dataset import read_masked_photos
from affordance_ros_eval.masks.names import NameScore
from affordance_ros_eval.masks.names import level_rows
from affordance_ros_eval.masks.scores import in_mask
from affordance_ros_eval.masks.scores import measure
from affordance_ros_training.photos.convert import kept_out
from tests.support.household_folder import NAME
from tests.support.masked_photos import QUERIES
from tests.support.masked_photos import write_coco_photos
from tests.support.masked_photos import write_masked_photos


def _blob(size, row, column, sigma):
    rows, columns = np.mgrid[: size[0], : size[1]]
    distance = ((rows - row) ** 2 + (columns - column) ** 2) / (2 * sigma**2)
    return np.exp(-distance).astype(np.float32)


@pytest.mark.parametrize('size', [(480, 640), (100, 150)])
def test_scores_are_those_of_the_formulas(size):
    heatmap = 0.8 * _blob(size, size[0] * 0.4, size[1] * 0.5, size[0] / 4)
    mask = np.zeros(size, bool)
    mask[size[0] // 4 : size[0] // 2, size[1] // 3 : size[1] // 2 + 30] = True
    found = measure(heatmap, [Target(size[1] * 0.5, size[0] * 0.4, 0.8)], mask, threshold=0.4)
    method = cv2.INTER_AREA if size[0] > 224 else cv2.INTER_LINEAR
    p = cv2.resize(heatmap, (224, 224), interpolation=method).astype(np.float64)
    share = cv2.resize(mask.astype(np.float32), (224, 224), interpolation=cv2.INTER_AREA)
    truth = share >= 0.5
    p = (p - p.min()) / (p.max() - p.min())
    mass, q = p / p.sum(), truth / truth.sum()
    assert found['kld'] == pytest.approx(
        (q[truth] * np.log(q[truth] / mass[truth])).sum(), abs=1e-4
    )
    assert found['sim'] == pytest.approx(np.minimum(mass, q).sum(), abs=1e-5)
    assert found['nss'] == pytest.approx(((p - p.mean()) / p.std())[truth].mean(), abs=1e-4)
    warm = heatmap >= 0.4
    assert found['iou'] == pytest.approx((warm & mask).sum() / (warm | mask).sum())
    half = p > 0.5
    expected = (half & truth).sum() / (half | truth).sum()
    assert found['iou_half_maximum'] == pytest.approx(expected, abs=1e-3)
    assert (found['target_in_mask'], found['maximum_in_mask'], found['score']) == (1, 1, 0.8)


def test_a_thin_region_survives_shrinking():
    mask = np.zeros((640, 640), bool)
    mask[:, 300] = True
    found = measure(_blob((640, 640), 320, 300, 4), [], mask, threshold=0.5)
    assert math.isfinite(found['kld']) and found['nss'] > 1
    assert (found['target_in_mask'], found['score']) == (0, 0)


def test_a_target_is_in_the_mask_by_its_nearest_pixel():
    mask = np.zeros((10, 20), bool)
    mask[4, 7] = True
    assert in_mask(Target(7.49, 3.51, 0.5), mask)
    assert not in_mask(Target(7.51, 4.0, 0.5), mask)
    mask[9, 19] = True
    assert in_mask(Target(19.6, 9.9, 0.5), mask)


def test_masks_are_scored_by_kind_with_intervals_and_a_report(small_model, tmp_path, capsys):
    root = write_masked_photos(tmp_path / 'set')
    assert main(['masks', '--root', str(root), '--out', str(tmp_path), *small_model]) == 0
    results = json.loads((tmp_path / 'masks_set/results.json').read_text())
    assert list(results['summary']) == list(QUERIES)
    assert len(results['scores']) == 6 * 3
    own = [s['kld'] for s in results['scores'] if s['kind'] == 'action']
    mean, low, high = results['summary']['action']['kld']
    assert mean == pytest.approx(np.mean(own)) and low <= mean <= high
    assert results['settings']['prompt_set'] == 'parts@1'
    assert 'KLD (lower)' in capsys.readouterr().out
    assert 'saw: blade' in (tmp_path / 'masks_set/table.md').read_text()
    report = (tmp_path / 'masks_set/report.html').read_text()
    assert report.count('<figure') == 6 * 3 and 'http' not in report.split('<body>')[1]


def test_the_best_target_is_the_predictors(small_model, tmp_path):
    root = write_masked_photos(tmp_path / 'set', count=2)
    assert (
        main(['masks', '--root', str(root), '--out', str(tmp_path), '--no-html', *small_model])
        == 0
    )
    results = json.loads((tmp_path / 'masks_set/results.json').read_text())
    config = ModelConfig(NAME, small_model[3], small_model[5], 'cpu')
    predictor = Predictor.load(config, PredictorConfig(input_size=96, min_score=0.0))
    for score in results['scores']:
        predictor.set_command(score['text'])
        image = cv2.imread(str(root / 'images' / score['image']))
        mask = cv2.imread(str(root / 'masks' / score['image']), cv2.IMREAD_GRAYSCALE) > 127
        best = predictor.predict(image, channels='bgr').targets[0]
        assert score['score'] == pytest.approx(best.score, abs=1e-6)
        assert score['target_in_mask'] == mask[round(best.y), round(best.x)]


def test_photos_that_can_not_be_scored_are_told_and_left_out(small_model, tmp_path, caplog):
    root = write_masked_photos(tmp_path / 'set', count=4)
    (root / 'images/0.png').unlink()
    cv2.imwrite(str(root / 'masks/1.png'), np.zeros((90, 120), np.uint8))
    cv2.imwrite(str(root / 'masks/2.png'), np.full((9, 12), 255, np.uint8))
    assert (
        main(['masks', '--root', str(root), '--out', str(tmp_path), '--no-html', *small_model])
        == 1
    )
    results = json.loads((tmp_path / 'masks_set/results.json').read_text())
    assert {s['image'] for s in results['scores']} == {'3.png'}
    assert sorted(p['kind'] for p in results['problems']) == ['empty mask', 'not readable', 'size']


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('{', 'can not be read'),
        ('[]', 'not a list of photos, or is empty'),
        ('[3]', 'entry 0 is 3, not an object'),
        ('[{"image": "a"}]', 'entry 0 has no mask, object, queries'),
        (
            '[{"image": "../a", "mask": "b", "object": "c", "queries": {"action": "cut"}}]',
            'leads out of',
        ),
        ('[{"image": "a", "mask": "b", "object": "c", "queries": {}}]', 'queries is {}'),
        ('[{"image": "a", "mask": "b", "object": 1, "queries": {"a": "b"}}]', 'not a text'),
    ],
)
def test_malformed_sets_are_refused(tmp_path, content, message):
    (tmp_path / 'annotations.json').write_text(content)
    with pytest.raises(EvaluationError, match=message):
        read_masked_photos(tmp_path)


def test_names_are_counted_at_every_score():
    scores = [
        NameScore('a', 'cup', True, (0.9, 0.2), (True, False)),
        NameScore('a', 'fork', False, (0.4,), (False,)),
        NameScore('b', 'cup', True, (0.6, 0.5), (False, True)),
        NameScore('b', 'fork', False, (), ()),
    ]
    assert level_rows(scores, (0.3, 0.5, 0.95)) == [(0.3, 0.5, 0.5), (0.5, 0, 0.5), (0.95, 0, 0)]


def test_names_ask_only_photos_kept_out_of_training(small_model, tmp_path, capsys):
    held_out = sorted(kept_out())[:3]
    root = write_coco_photos(tmp_path / 'coco', [*held_out, max(kept_out()) + 1])
    arguments = [
        'names',
        '--root',
        str(root),
        '--out',
        str(tmp_path / 'out'),
        '--min-score',
        '0.2',
    ]
    assert main([*arguments, *small_model]) == 0
    results = json.loads((tmp_path / 'out/results.json').read_text())
    assert {s['image'] for s in results['scores']} == {f'{i}.png' for i in held_out}
    assert [s['present'] for s in results['scores'] if s['name'] == 'fork'] == [False, True, False]
    told, _ = results['shares'].values()
    absent = [s for s in results['scores'] if not s['present']]
    assert told[0] == np.mean([max(s['scores'], default=0) >= 0.2 for s in absent])
    assert main([*arguments, '--all', *small_model]) == 0
    assert '4 photos' in capsys.readouterr().out
