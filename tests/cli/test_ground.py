# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import json

import cv2
import numpy as np
import pytest

from affordance_ros.cli import ground as cli
from affordance_ros.predictor import Predictor
from affordance_ros.sources import read_image
from tests.conftest import SAMPLES

PHOTO = SAMPLES / 'photos' / '000000160012.jpg'
MODEL = ['--model', 'compact', '--weights', 'random', '--device', 'cpu']


def test_a_photo_gives_targets_on_stdout_and_images_in_the_folder(tmp_path, capsys, model):
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


def test_every_answer_has_files_of_its_own(tmp_path, capsys):
    """Photos of one stem, and commands that differ in what no file name keeps."""
    photos = tmp_path / 'photos'
    photos.mkdir()
    image = cv2.imread(str(PHOTO))
    for name in ('IMG_1.jpg', 'IMG_1.png', 'IMG_2.jfif'):
        data = cv2.imencode('.png' if name.endswith('png') else '.jpg', image)[1].tobytes()
        (photos / name).write_bytes(data)
    out = tmp_path / 'out'
    commands = ['-c', 'hold the mug', '-c', 'hold-the-mug']
    assert cli.main([str(photos), *commands, '-o', str(out), *MODEL]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    answers = {(line['image'], line['command']) for line in lines}
    assert len(answers) == len(lines) >= 3
    assert len(list(out.glob('*.heatmap.npy'))) == len(answers)


def test_what_is_left_out_of_a_folder_is_named(tmp_path, capsys, caplog):
    (tmp_path / 'a.jpg').write_bytes(PHOTO.read_bytes())
    (tmp_path / 'b.TIFF').write_bytes(b'II*\0')
    heic = b'\0\0\0\x18ftypheic\0\0\0\0mif1heic' + bytes(400)
    (tmp_path / 'c.HEIC').write_bytes(heic)
    (tmp_path / 'd.jpg').write_bytes(heic)  # an iPhone's, renamed
    assert cli.main([str(tmp_path), 'cut', *MODEL]) == 1
    assert json.loads(capsys.readouterr().out)['image'] == str(tmp_path / 'a.jpg')
    assert 'formats that are not read, such as b.TIFF: convert them' in caplog.text
    for name in ('c.HEIC', 'd.jpg'):
        assert f'{name} holds {len(heic)} bytes of' in caplog.text
    assert 'HEIC' in caplog.text


def test_an_avif_photo_is_read_where_something_reads_it(tmp_path, capsys):
    features = pytest.importorskip('PIL.features')
    if not features.check('avif'):
        pytest.skip('this Pillow reads no AVIF')
    from PIL import Image

    path = tmp_path / 'photo.avif'
    image = cv2.imread(str(PHOTO))
    Image.fromarray(image[..., ::-1].copy()).save(path, quality=95)
    assert np.abs(read_image(path).astype(int) - image).mean() < 4


def test_an_output_that_is_a_file_or_a_typo_is_named_in_a_line(tmp_path, caplog):
    (tmp_path / 'file').write_text('')
    assert cli.main([str(PHOTO), 'cut', '-o', str(tmp_path / 'file'), *MODEL]) == 2
    assert f'{tmp_path / "file"}: File exists' in caplog.text
    caplog.clear()
    assert cli.main([str(tmp_path / 'typo.jpg'), '-c', 'cut', *MODEL]) == 1
    assert 'typo.jpg can not be read: No such file' in caplog.text
