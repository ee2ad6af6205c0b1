# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""An exported `household` has one copy of its weights and answers as torch does, without torch."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.exported import ExportedModel
from affordance_ros.backends.external_weights import referred_files
from affordance_ros.cli import export as export_cli
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.embedded import EMBEDDED
from affordance_ros.model.embedded import EmbeddedModel
from affordance_ros.model.errors import WeightsError
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import default_backend
from affordance_ros.text.commands import CommandError
from tests.conftest import ROOT
from tests.conftest import SAMPLES
from tests.support.deployer import COMMANDS as DEPLOYED
from tests.support.deployer import largest_deployed_error
from tests.support.household_folder import NAME
from tests.support.household_folder import NECK
from tests.support.household_folder import write_model

PHOTO = SAMPLES / 'photos' / '000000160012.jpg'
COMMANDS = ['hold the mug', 'cut', 'the red handle on the left']
WITHOUT_TORCH = (
    'import sys\n'
    'sys.modules.update(dict.fromkeys(["torch", "open_clip", "torchvision", "onnx"]))\n'
)


@pytest.fixture(scope='module', params=['stride8', 'stride4'])
def places(request, tmp_path_factory):
    """Return the arguments of the model that torch loads, and the folder of the exported one."""
    folder = tmp_path_factory.mktemp(request.param)
    neck = NECK
    if request.param == 'stride4':
        neck = dataclasses.replace(NECK, scales=('global', *NECK.scales, 'stride4'), refine=0)
    checkpoint = write_model(folder, neck=neck)
    exported = folder / 'exported'
    arguments = ['--model', NAME, '--weights', str(folder), '--checkpoint', str(checkpoint)]
    arguments += ['--commands', *DEPLOYED]
    assert export_cli.main([str(exported), *arguments]) == 0
    return ModelConfig(NAME, str(folder), str(checkpoint), 'cpu'), exported


def predict(model: ModelConfig, **options):
    config = BackendConfig(num_threads=1, cache_dir='off', **options)
    predictor = Predictor.load(model, backend=config)
    predictor.set_commands(COMMANDS)
    return [g.heatmap for g in predictor.predict_all(cv2.imread(str(PHOTO)), channels='bgr')]


def test_the_example_without_the_package_answers_as_the_predictor(places, photos):
    model, exported = places
    predictor = Predictor.load(model, backend=BackendConfig('torch'))
    assert largest_deployed_error(exported, predictor, photos) < 1e-3


@pytest.mark.parametrize('backend', ['openvino', 'onnxruntime'])
def test_heatmaps_are_torchs(places, backend):
    model, exported = places
    expected = predict(model, backend='torch')
    found = predict(ModelConfig(str(exported)), backend=backend, precision='f32')
    assert np.std(expected[0]) > 1e-3, 'flat maps would make every comparison hold'
    for one, other in zip(found, expected, strict=True):
        assert np.abs(one - other).max() < 1e-4


def test_bfloat16_cuts_the_network_at_its_backbone(places, rng):
    from affordance_ros.backends.openvino_backend import processor_has_bf16

    if not processor_has_bf16():
        pytest.skip('the processor lacks bfloat16')
    model, exported = places
    expected = predict(model, backend='torch')
    found = predict(ModelConfig(str(exported)), backend='openvino', precision='bf16')
    assert 0 < max(np.abs(a - b).max() for a, b in zip(found, expected, strict=True)) < 0.2


def test_text_vectors_are_torchs(places):
    model, exported = places
    text = ExportedModel(exported).text
    torchs = Predictor.load(model, backend=BackendConfig('torch')).model.text
    for prompts in ([c] for c in COMMANDS):
        np.testing.assert_allclose(text.vector(prompts), torchs.vector(prompts), atol=1e-4)
    np.testing.assert_allclose(text.vector(COMMANDS), torchs.vector(COMMANDS), atol=1e-4)
    with pytest.raises(CommandError, match='63 tokens, and the text encoder reads 62'):
        text.check_length('mug ' * 63)
    with pytest.raises(CommandError, match='by which the text encoder marks'):
        text.vector(['cut [SEP]'])


def test_the_graph_reads_its_weights_from_the_files_that_torch_reads(places):
    _, exported = places
    graph = onnx.load(exported / 'image.onnx', load_external_data=False)
    assert referred_files(graph) == {'trunk.safetensors', 'fpn.safetensors'}
    stored = sum(onnx.numpy_helper.to_array(t).nbytes for t in graph.graph.initializer
                 if not t.external_data)  # fmt: skip
    assert stored < 10_000
    assert (exported / 'image.onnx').stat().st_size < 100_000


def test_images_of_any_size_are_answered(places):
    predictor = Predictor.load(
        ModelConfig(str(places[1])), backend=BackendConfig(num_threads=1, cache_dir='off')
    )
    predictor.set_command('cut')
    for size in ((480, 640), (640, 480), (1, 1)):
        assert predictor.predict(np.zeros((*size, 3), np.uint8)).heatmap.shape == size


def test_it_answers_where_there_is_no_torch(places, tmp_path):
    model, exported = places
    code = WITHOUT_TORCH + (
        'import cv2, numpy as np\n'
        'from affordance_ros.backends.base import BackendConfig\n'
        'from affordance_ros.model.config import ModelConfig\n'
        'from affordance_ros.predictor import Predictor\n'
        'config = BackendConfig(precision="f32", cache_dir="off", num_threads=1)\n'
        'predictor = Predictor.load(ModelConfig(sys.argv[1]), backend=config)\n'
        f'predictor.set_commands({COMMANDS!r})\n'
        'answers = predictor.predict_all(cv2.imread(sys.argv[2]), channels="bgr")\n'
        'np.save(sys.argv[3], np.stack([a.heatmap for a in answers]))\n'
    )
    out = tmp_path / 'answers.npy'
    arguments = [sys.executable, '-c', code, exported, PHOTO, out]
    subprocess.run(arguments, check=True, cwd=ROOT, timeout=120)
    assert np.abs(np.load(out) - np.stack(predict(model, backend='torch'))).max() < 1e-4


@pytest.mark.parametrize(
    'name', ['image.onnx', 'trunk.safetensors', 'fpn.safetensors', 'tokenizer.json', 'model.json']
)
def test_a_damaged_folder_is_refused(name, places, tmp_path):
    folder = tmp_path / 'damaged'
    shutil.copytree(places[1], folder)
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-9])
    with pytest.raises(WeightsError, match='export it again'):
        ExportedModel(folder)


def test_an_exported_folder_tells_no_path_of_the_machine_that_made_it(places):
    facts = json.loads((places[1] / 'model.json').read_text())
    assert facts['description']['weights'] == facts['weights'] == 'trunk.safetensors'
    assert facts['description']['checkpoint'] == 'fpn.safetensors'
    assert str(places[1].parent) not in json.dumps(facts)


def test_a_moved_folder_names_its_own_files(places, tmp_path):
    before = tmp_path / 'before'
    shutil.copytree(places[1], before)
    ExportedModel(before)
    moved = before.rename(tmp_path / 'moved')
    described = ExportedModel(moved).describe()
    assert described['weights'] == str(moved / 'trunk.safetensors')
    assert described['checkpoint'] == str(moved / 'fpn.safetensors')
    paths = {k: Path(v) for k, v in described.items() if Path(v).is_absolute()}
    assert paths.keys() == {'weights', 'checkpoint'}
    assert all(path.is_file() for path in paths.values())


def test_a_shipped_household_runs_without_torch_unless_something_else_is_asked(
    places, monkeypatch
):
    model, exported = places
    monkeypatch.setitem(EMBEDDED, NAME, EmbeddedModel(NAME, exported))
    shipped = ModelConfig(NAME)
    assert default_backend(shipped) == 'auto'
    assert isinstance(Predictor.load(shipped).model, ExportedModel)
    by_torch = Predictor.load(
        dataclasses.replace(shipped, device='cpu'), backend=BackendConfig('torch')
    )
    assert by_torch.backend.description == 'torch f32 on cpu'
    assert default_backend(model) == 'torch'
    assert default_backend(ModelConfig(NAME, device='cuda')) == 'torch'
    # Both read the same weights.
    by_torch.set_commands(COMMANDS)
    heatmaps = [g.heatmap for g in by_torch.predict_all(cv2.imread(str(PHOTO)), channels='bgr')]
    for one, other in zip(heatmaps, predict(model, backend='torch'), strict=True):
        np.testing.assert_array_equal(one, other)


def test_random_weights_are_not_exported(tmp_path, caplog):
    out = tmp_path / 'out'
    assert export_cli.main([str(out), '--model', NAME, '--weights', 'random']) == 2
    assert 'has random weights: give the folder of trunk.safetensors' in caplog.text
    assert not out.exists()
