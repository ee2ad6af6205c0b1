# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Batched prediction: the same maps, fewer passes, bounded memory."""

import cv2
import numpy as np
import pytest

from affordance_ros.predictor import PredictorConfig
from affordance_ros_eval.agd20k import list_split
from affordance_ros_eval.inference import _Waiting
from affordance_ros_eval.inference import predict_items
from affordance_ros_eval.prediction_folder import PredictionFolder
from tests.support.agd20k_fixture import write_split

SQUARE, RECTANGLE = PredictorConfig(96, 'square'), PredictorConfig(96)


@pytest.fixture
def items(tmp_path):
    """Return 14 images of three actions, lying, standing and square."""
    write_split(tmp_path / 'data', 'Seen', [('hold', 'cup')], count=5, size=(40, 80))
    write_split(tmp_path / 'data', 'Seen', [('cut_with', 'knife')], count=5, size=(80, 40))
    write_split(tmp_path / 'data', 'Seen', [('pour', 'bottle')], count=4, size=(70, 70))
    return list_split(tmp_path / 'data', 'Seen').items


@pytest.mark.parametrize(('config', 'passes'), [(SQUARE, 4), (RECTANGLE, 5)])
def test_a_batch_answers_as_single_images_do(
    items, tmp_path, predictor, monkeypatch, config, passes
):
    """In groups of one canvas: 96x96 for all if square, else three, of 5, 5 and 4 images."""
    predictor.configure(config)
    folders = [PredictionFolder(tmp_path / str(batch), {}) for batch in (1, 4)]
    counted = []
    forward = predictor.model.trunk.forward
    monkeypatch.setattr(
        predictor.model.trunk,
        'forward',
        lambda image, outputs: counted.append(len(image)) or forward(image, outputs),
    )
    assert list(predict_items(items, predictor, folders[0])) == []
    assert counted == [1] * 14
    counted.clear()
    assert list(predict_items(items, predictor, folders[1], batch=4)) == []
    assert (len(counted), sum(counted), max(counted)) == (passes, 14, 4)
    widest = 0.0
    for item in items:
        one, other = (folder.read(item) for folder in folders)
        assert one.shape == other.shape == cv2.imread(str(item.image)).shape[:2]
        assert np.abs(one - other).max() <= 1e-6
        widest = max(widest, np.ptp(one))
    assert widest > 0.05, 'flat maps would prove nothing'


def test_at_most_four_batches_wait_whatever_the_shapes():
    waiting = _Waiting(8)
    kept = most = given = 0
    for number in range(1000):
        shape = (32 * (1 + number % 13), 32)
        ready = waiting.add(shape, (number, shape, ''))
        assert len({s for _, s, _ in ready}) <= 1
        given += len(ready)
        kept = number + 1 - given
        most = max(most, kept)
    assert most == 31
    assert given + sum(map(len, waiting.rest())) == 1000


def test_images_of_several_canvases_or_without_commands_are_refused(predictor):
    lying, standing = np.zeros((48, 64, 3), np.uint8), np.zeros((64, 32, 3), np.uint8)
    with pytest.raises(ValueError, match=r'2 images on the canvases .* and 2 commands: give a'):
        predictor.predict_heatmaps([lying, standing], ['cut', 'cut'])
    with pytest.raises(ValueError, match=r'1 images .* and 2 commands'):
        predictor.predict_heatmaps([lying], ['cut', 'hold'])
    with pytest.raises(ValueError, match='0 images'):
        predictor.predict_heatmaps([], [])


def test_what_was_set_stays_set(predictor):
    image = np.zeros((48, 64, 3), np.uint8)
    predictor.set_command('hold')
    predictor.predict_heatmaps([image, image], ['cut', 'pour'])
    assert predictor.predict(image).command == 'hold'
