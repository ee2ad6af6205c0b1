# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""CLIPSeg through every tool: each answers as the predictor does."""

import json

import cv2
import numpy as np
import pytest

from affordance_ros.cli import bag
from affordance_ros.cli import export
from affordance_ros.cli import ground
from affordance_ros.model.config import ModelConfig
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros_eval.cli import main as evaluate
from tests.conftest import SAMPLES
from tests.support.bag_fixture import read_all
from tests.support.bag_fixture import record
from tests.support.bag_fixture import to_array
from tests.support.masked_photos import write_masked_photos
from tests.support.refer_fixture import write_dataset
from tests.support.small_clipseg import NAME
from tests.support.small_clipseg import write_clipseg

PHOTO = SAMPLES / 'photos' / '000000160012.jpg'
COMMAND = 'hold the mug'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_clipseg(tmp_path_factory.mktemp('clipseg'))


@pytest.fixture(scope='module')
def options(folder):
    return ['--model', NAME, '--weights', folder, '--device', 'cpu']


@pytest.fixture(scope='module')
def expected(folder):
    """Return the predictor's answer for the photo."""
    predictor = Predictor.load(ModelConfig(NAME, folder, device='cpu'))
    predictor.set_command(COMMAND)
    grounding = predictor.predict(cv2.imread(str(PHOTO)), channels='bgr')
    assert np.ptp(grounding.heatmap) > 0.3 and grounding.targets
    return grounding


def test_affordance_ground(tmp_path, capsys, options, expected):
    assert ground.main([str(PHOTO), COMMAND, '-o', str(tmp_path), *options]) == 0
    answer = json.loads(capsys.readouterr().out)
    heatmap = np.load(tmp_path / '000000160012.hold_the_mug.heatmap.npy')
    assert np.abs(heatmap - expected.heatmap).max() <= 1e-6
    assert len(answer['targets']) == len(expected.targets)


def test_affordance_bag(tmp_path, options, expected):
    recording = record(tmp_path / 'in', [cv2.imread(str(PHOTO))])
    arguments = [str(recording), str(tmp_path / 'out'), '--command', COMMAND, *options]
    assert bag.main(arguments) == 0
    ((_, _, heat),) = read_all(tmp_path / 'out')['/grounding/heatmap']
    assert np.abs(to_array(heat) - expected.heatmap).max() <= 1e-6


def test_an_exported_folder(tmp_path, options, expected, folder):
    """Two prompts of one command too, whose vectors are averaged as they are."""
    out = tmp_path / 'exported'
    arguments = [str(out), *options[:4], '--image-size', '160', '120', '--input-size', '96']
    assert export.main(arguments) == 0
    exported = Predictor.load(ModelConfig(str(out)), PredictorConfig(input_size=352))
    assert type(exported.model).__name__ == 'ExportedModel'
    exported.set_command(COMMAND)
    answer = exported.predict(cv2.imread(str(PHOTO)), channels='bgr')
    assert np.abs(answer.heatmap - expected.heatmap).max() <= 1e-3
    torch_text = Predictor.load(ModelConfig(NAME, folder, device='cpu')).model.text
    prompts = ['cut', 'something to cut with']
    difference = exported.model.text.vector(prompts) - torch_text.vector(prompts)
    assert np.abs(difference).max() <= 1e-4


def test_affordance_eval_masks(tmp_path, options, folder):
    root = write_masked_photos(tmp_path / 'set', count=2)
    arguments = ['masks', '--root', str(root), '--out', str(tmp_path), '--no-html', *options]
    assert evaluate(arguments) == 0
    results = json.loads((tmp_path / 'masks_set' / 'results.json').read_text())
    predictor = Predictor.load(
        ModelConfig(NAME, folder, device='cpu'), PredictorConfig(min_score=0.0)
    )
    for score in results['scores']:
        predictor.set_command(score['text'])
        image = cv2.imread(str(root / 'images' / score['image']))
        best = predictor.predict(image, channels='bgr').targets[0]
        assert score['score'] == pytest.approx(best.score, abs=1e-6)


def test_affordance_eval_refcoco(tmp_path, options):
    pytest.importorskip('pycocotools')
    write_dataset(tmp_path / 'data')
    arguments = ['--root', str(tmp_path / 'data'), '--dataset', 'toy:made', '--split', 'val']
    arguments += ['--converted', str(tmp_path / 'c'), '--out', str(tmp_path / 'out')]
    assert evaluate(['refcoco', *arguments, '--workers', '0', *options]) == 0
    results = json.loads((tmp_path / 'out' / 'results.json').read_text())
    assert results['model']['decoder'] == "CLIPSeg's decoder"
    assert results['model']['input_size'] == '352', 'as it was trained'
    assert results['splits']['val']['sentences'] > 0


@pytest.mark.ros
@pytest.mark.usefixtures('ros')
def test_the_node(log, folder, expected):
    from tests.support.ros_harness import grounding_node

    with grounding_node(log, heatmaps=True, model=NAME, weights=folder) as (process, probe):
        probe.command(COMMAND)
        message = probe.heatmap_of(cv2.imread(str(PHOTO)))
        heatmap = np.frombuffer(message.data, np.float32).reshape(expected.size)
        assert np.abs(heatmap - expected.heatmap).max() <= 1e-6
        assert "CLIPSeg's decoder, long side 352 px" in process.output
