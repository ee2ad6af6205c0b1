# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import json

import cv2
import numpy as np
import pytest

from affordance_ros.cli import ground as cli
from affordance_ros.predictor import Predictor
from tests.conftest import SAMPLES

PHOTO = SAMPLES / 'photos' / '000000160012.jpg'
MODEL = ['--model', 'compact', '--weights', 'random', '--device', 'cpu']


def test_a_photo_gives_targets_on_stdout_and_pictures_in_the_folder(tmp_path, capsys, model):
    assert cli.main([str(PHOTO), 'drink_with', '-o', str(tmp_path), *MODEL]) == 0
    result = json.loads(capsys.readouterr().out)
    predictor = Predictor(model)
    predictor.set_command('drink_with')
    image = cv2.imread(str(PHOTO))
    expected = predictor.predict(image, channels='bgr')
    assert result['command'] == 'drink with'
    assert (result['width'], result['height']) == image.shape[1::-1]
    # Two loaded copies of a model round apart in the last digit.
    assert [t['x'] for t in result['targets']] == pytest.approx(
        [t.x for t in expected.targets], abs=0.05
    )
    heatmap = np.load(tmp_path / '000000160012.drink_with.heatmap.npy')
    assert np.abs(heatmap - expected.heatmap).max() <= 1e-6
    png = cv2.imread(str(tmp_path / '000000160012.drink_with.heatmap.png'), cv2.IMREAD_UNCHANGED)
    assert np.abs(png / 255.0 - heatmap).max() <= 0.5 / 255 + 1e-6
    overlay = cv2.imread(str(tmp_path / '000000160012.drink_with.overlay.png'))
    assert overlay.shape == image.shape


def test_a_folder_and_several_commands(capsys):
    assert cli.main([str(PHOTO.parent), '-c', 'cut', '-c', 'hold', *MODEL]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 2 * len(list(PHOTO.parent.glob('*.jpg')))
    assert [line['command'] for line in lines[:2]] == ['cut', 'hold']


def test_a_broken_photo_is_named_and_the_others_are_done(tmp_path, capsys, caplog):
    broken = tmp_path / 'broken.jpg'
    broken.write_bytes(PHOTO.read_bytes()[:50])
    missing = tmp_path / 'missing.jpg'
    assert cli.main([str(broken), str(missing), str(PHOTO), 'cut', *MODEL]) == 1
    assert 'that are not a whole JPEG, PNG, WebP or BMP image' in caplog.text
    assert 'missing.jpg can not be read' in caplog.text
    assert json.loads(capsys.readouterr().out)['image'] == str(PHOTO)


def test_describe_prints_model_weights_parameters_and_device(capsys):
    assert cli.main(['--describe', *MODEL]) == 0
    text = capsys.readouterr().out
    for part in ('compact', 'random (seed 0)', 'training-free', 'parameters:', 'cpu'):
        assert part in text


def test_describe_counts_the_papers_trainable_parameters(capsys):
    assert (
        cli.main(['--describe', '--model', 'RN101', '--weights', 'random', '--device', 'cpu']) == 0
    )
    assert 'trainable_parameters: 1,181,186 (if trained; none here)' in capsys.readouterr().out


def test_an_untrained_model_says_so(caplog):
    cli.main([str(PHOTO), 'cut', *MODEL])
    assert 'UNTRAINED' in caplog.text


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([str(PHOTO), ' ', *MODEL], 'blank'),
        ([str(PHOTO), 'cut', '--input-size', '300', *MODEL], 'multiple of 32'),
        ([str(PHOTO), 'cut', '--model', 'RN7'], "'RN7' is unknown; known are household"),
        ([str(PHOTO), 'cut', '--model', 'compact', '--weights', 'no.pt'], 'does not exist'),
        ([str(PHOTO), 'cut', *MODEL, '--checkpoint', 'no.safetensors'], 'does not exist'),
        ([str(PHOTO), 'cut', *MODEL[:-1], 'cuda:99'], "'cuda:99' is not there"),
        ([str(PHOTO), 'cut', *MODEL[:-1], 'npu'], "'npu' is unknown"),
    ],
)
def test_wrong_calls_are_refused_with_a_reason(arguments, message, caplog):
    assert cli.main(arguments) == 2
    assert message in caplog.text


def test_a_call_without_photo_or_command_shows_the_usage(capsys):
    with pytest.raises(SystemExit):
        cli.main(['cut'])
    assert 'at least one photo and a command' in capsys.readouterr().err
