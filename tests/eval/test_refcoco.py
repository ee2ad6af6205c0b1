# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""affordance-eval refcoco: the training's validation, as a command."""

import json
import subprocess
import sys

import numpy as np
import pytest

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.text.prompts import load_prompt_set
from affordance_ros_eval.cli import main
from affordance_ros_training.refer import DatasetSpec
from affordance_ros_training.refer_cache import load_images
from affordance_ros_training.sentences import SentenceEncoder
from affordance_ros_training.validate import predicted_logits
from tests.conftest import ROOT
from tests.support.refer_fixture import write_dataset

pytest.importorskip('pycocotools')


def test_scores_equal_a_count_of_pixels(tmp_path, model, capsys):
    from affordance_ros_training.features import FeatureSource

    write_dataset(tmp_path / 'data')
    status = main(
        ['refcoco', '--root', str(tmp_path / 'data'), '--dataset', 'toy:made', '--split', 'val',
         '--model', 'compact', '--weights', 'random', '--input-size', '96', '--device', 'cpu',
         '--converted', str(tmp_path / 'c'), '--out', str(tmp_path / 'out'), '--workers', '0']
    )  # fmt: skip
    assert status == 0
    found = json.loads((tmp_path / 'out/results.json').read_text())['splits']['val']
    images = load_images(
        DatasetSpec('toy', 'made'), 'val', root=tmp_path / 'data', cache=tmp_path / 'c'
    )
    sentences = [[s for r in image.referrals for s in r.sentences] for image in images]
    outputs = predicted_logits(
        images,
        sentences,
        decoder=model.decoder,
        source=FeatureSource(model.trunk, outputs=model.decoder.inputs, precision='fp32'),
        encoder=SentenceEncoder(
            model.trunk, load_prompt_set('verb'), [s for group in sentences for s in group]
        ),
        input_size=96,
        precision='fp32',
    )
    both = either = 0
    ious = []
    for number, logits in outputs:
        image = images[number]
        box = Letterbox.fit((image.height, image.width), size=96, shape='square')
        masks = [image.mask(r) > 0 for r in image.referrals for _ in r.sentences]
        for mask, plane in zip(masks, logits, strict=True):
            positive = box.restore(plane) > 0
            both += (positive & mask).sum()
            either += (positive | mask).sum()
            ious.append((positive & mask).sum() / (positive | mask).sum())
    assert found['overall_iou'] == pytest.approx(both / either)
    assert found['mean_iou'] == pytest.approx(np.mean(ious))
    assert found['precision_0.5'] == pytest.approx(np.mean(np.array(ious) > 0.5))
    assert found['sentences'] == len(ious)
    half = next(row for row in found['curve'] if row['threshold'] == 0.5)
    assert half['overall_iou'] == pytest.approx(both / either)
    shown = capsys.readouterr().out
    assert '| 0.95 |' in shown and 'every sentence counted' in shown
    assert f'| val | {100 * found["overall_iou"]:.2f} |' in shown


def test_a_split_that_is_not_there_is_said_and_the_others_scored(tmp_path, caplog):
    write_dataset(tmp_path / 'data')
    call = [
        'refcoco',
        '--root',
        str(tmp_path / 'data'),
        '--dataset',
        'toy:made',
        '--model',
        'compact',
        '--weights',
        'random',
        '--input-size',
        '64',
        '--device',
        'cpu',
        '--converted',
        str(tmp_path / 'c'),
        '--out',
        str(tmp_path / 'out'),
        '--workers',
        '0',
    ]
    assert main([*call, '--split', 'val', 'testA']) == 1
    assert "no refs in the split 'testA'" in caplog.text
    content = json.loads((tmp_path / 'out/results.json').read_text())
    assert list(content['splits']) == ['val']
    assert list(content['problems']) == ['testA']
    assert main([*call, '--split', 'testB']) == 2


@pytest.mark.slow
@pytest.mark.parametrize('images', [3, 1])
def test_two_processes_score_as_one(tmp_path, images):
    """Under torchrun with gloo; of a single image the second process gets nothing."""
    write_dataset(tmp_path / 'data', splits={'val': images})
    call = [
        'refcoco', '--root', str(tmp_path / 'data'), '--dataset', 'toy:made', '--split', 'val',
        '--model', 'compact', '--weights', 'random', '--input-size', '64', '--device', 'cpu',
        '--workers', '0',
    ]  # fmt: skip
    one_alone, both = (
        ['--converted', str(tmp_path / f'c{number}'), '--out', str(tmp_path / f'{number}')]
        for number in (1, 2)
    )
    assert main([*call, *one_alone]) == 0
    torchrun = ['torch.distributed.run', '--standalone', '--nproc-per-node', '2']
    subprocess.run(
        [sys.executable, '-m', *torchrun, '-m', 'affordance_ros_eval.cli', *call, *both],
        cwd=ROOT, check=True, capture_output=True, timeout=170,
    )  # fmt: skip
    one, two = (
        json.loads((tmp_path / name / 'results.json').read_text())['splits']['val']
        for name in '12'
    )
    assert one['sentences'] == two['sentences'] > 0
    for row, other in zip(one.pop('curve'), two.pop('curve'), strict=True):
        assert other == pytest.approx(row, rel=1e-9)
    assert two.pop('loss') == pytest.approx(one.pop('loss'), rel=1e-6)  # not counted: summed
    assert two == pytest.approx(one, rel=1e-9)
