# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""An exported model answers as torch does, without torch."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import open_clip
import pytest

from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.base import BackendError
from affordance_ros.backends.exported import ExportedModel
from affordance_ros.cli import export as export_cli
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.errors import WeightsError
from affordance_ros.predictor import Predictor
from affordance_ros.text.commands import CommandError
from affordance_ros.text.tokenizer import Tokenizer
from tests.conftest import ROOT
from tests.conftest import SAMPLES
from tests.support.deployer import COMMANDS
from tests.support.deployer import largest_deployed_error
from tests.support.household_folder import clip_files

PHOTO = SAMPLES / 'photos' / '000000160012.jpg'
WITHOUT_TORCH = (
    'import sys\n'
    'sys.modules.update(dict.fromkeys(["torch", "open_clip", "safetensors", "torchvision"]))\n'
)


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    """Return a CLIP with random weights and a random FPN in files, as torch loads it."""
    return clip_files(tmp_path_factory.mktemp('clip'))


@pytest.fixture(scope='module')
def arguments(clip):
    return ['--model', clip.model, '--weights', clip.weights, '--checkpoint', clip.checkpoint]


@pytest.fixture(scope='module')
def exported(tmp_path_factory, arguments):
    """Return an exported folder that was moved since."""
    folder = tmp_path_factory.mktemp('exported')
    assert export_cli.main([str(folder / 'made'), *arguments, '--commands', *COMMANDS]) == 0
    return (folder / 'made').rename(folder / 'moved')


def predict(model, command='hold the mug', **options):
    config = BackendConfig(num_threads=1, cache_dir='off', **options)
    found = model if isinstance(model, ModelConfig) else ModelConfig(str(model), device='cpu')
    predictor = Predictor.load(found, backend=config)
    predictor.set_command(command)
    return predictor.predict(cv2.imread(str(PHOTO)), channels='bgr')


def test_without_torch_the_answers_are_torchs(exported, clip, tmp_path):
    code = WITHOUT_TORCH + (
        'import cv2, numpy as np\n'
        'from affordance_ros.backends.base import BackendConfig\n'
        'from affordance_ros.model.config import ModelConfig\n'
        'from affordance_ros.predictor import Predictor\n'
        'config = BackendConfig(precision="f32", cache_dir="off", num_threads=1)\n'
        'predictor = Predictor.load(ModelConfig(sys.argv[1]), backend=config)\n'
        'predictor.set_command("hold the mug")\n'
        'answer = predictor.predict(cv2.imread(sys.argv[2]), channels="bgr")\n'
        'best = answer.targets[0]\n'
        'np.savez(sys.argv[3], heatmap=answer.heatmap, best=[best.x, best.y, best.score])\n'
    )
    out = tmp_path / 'answer.npz'
    arguments = [sys.executable, '-c', code, exported, PHOTO, out]
    subprocess.run(arguments, check=True, cwd=ROOT, timeout=120)
    expected = predict(clip, backend='torch')
    found = np.load(out)
    assert np.abs(found['heatmap'] - expected.heatmap).max() < 1e-4
    best = expected.targets[0]
    assert np.abs(found['best'][:2] - [best.x, best.y]).max() < 0.01
    assert abs(found['best'][2] - best.score) < 1e-4


@pytest.mark.ros
@pytest.mark.usefixtures('ros')
def test_the_node_runs_without_torch(exported, clip, tmp_path, log, photos):
    """In a Python in which torch can't be imported, over DDS, with torch's answers."""
    from tests.support.ros_harness import grounding_node

    (tmp_path / 'sitecustomize.py').write_text(WITHOUT_TORCH)
    path = os.pathsep.join([str(tmp_path), os.environ.get('PYTHONPATH', '')])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PYTHONPATH', path)
        options = {
            'model': str(exported),
            'backend': 'openvino',
            'precision': 'f32',
        }
        options |= {'weights': '', 'cache_dir': 'off'}
        with grounding_node(log, fresh=True, **options) as (process, probe):
            probe.command('hold the mug')
            answer = probe.answer_to(cv2.imread(str(PHOTO)))
            assert probe.status[-1].device == 'openvino f32 on cpu'
            libraries = Path(f'/proc/{process.process.pid}/maps').read_text()
            assert 'openvino' in libraries and 'libtorch' not in libraries
    expected = predict(clip, backend='torch').targets
    assert len(answer.targets) == len(expected) >= 1
    for one, other in zip(answer.targets, expected, strict=True):
        assert abs(one.x - other.x) < 0.01 and abs(one.y - other.y) < 0.01
        assert abs(one.score - other.score) < 1e-4


def test_without_torch_other_models_are_refused_with_what_to_do():
    code = (
        WITHOUT_TORCH + 'from affordance_ros.cli.ground import main; sys.exit(main(sys.argv[1:]))'
    )
    arguments = [
        sys.executable,
        '-c',
        code,
        str(PHOTO),
        'cut',
        '--model',
        'compact',
        '--weights',
        'random',
    ]
    result = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert 'affordance-export' in result.stderr and 'Traceback' not in result.stderr


def test_images_of_any_aspect_are_answered_as_by_torch(exported, clip, rng):
    """Upright, across, long and a single pixel, each on the canvas that torch's would lie on."""
    options = {'backend': 'onnxruntime'}, {'backend': 'openvino', 'precision': 'f32'}
    predictors = [
        Predictor.load(model, backend=BackendConfig(num_threads=1, cache_dir='off', **backend))
        for model, backend in (
            (clip, {'backend': 'torch'}),
            *((ModelConfig(str(exported)), backend) for backend in options),
        )
    ]
    for size in ((480, 640), (640, 480), (100, 900), (1, 1)):
        image = rng.integers(0, 256, (*size, 3), np.uint8)
        answers = []
        for predictor in predictors:
            predictor.set_command('cut')
            answers.append(predictor.predict(image).heatmap)
        for answer in answers[1:]:
            assert answer.shape == size and np.abs(answer - answers[0]).max() < 1e-4


def test_the_example_without_the_package_answers_as_the_predictor(exported, clip, photos):
    predictor = Predictor.load(clip, backend=BackendConfig('torch'))
    assert largest_deployed_error(exported, predictor, photos) < 1e-3
    contract = json.loads((exported / 'model.json').read_text())['contract']
    assert contract.keys() == {
        'letterbox', 'pixels', 'text', 'logits', 'heatmap', 'tokens', 'vectors',
    }  # fmt: skip


def test_the_example_needs_numpy_opencv_and_onnxruntime_alone(exported, tmp_path):
    code = (
        'import runpy, sys\n'
        'sys.modules.update(dict.fromkeys(["torch", "open_clip", "affordance_ros"]))\n'
        'sys.argv = sys.argv[1:]\n'
        'runpy.run_path(sys.argv[0], run_name="__main__")\n'
    )
    arguments = [sys.executable, '-c', code, ROOT / 'examples/deploy.py', exported, PHOTO, 'cut']
    arguments += [tmp_path / 'heat.png']
    told = subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=120)
    assert told.stdout.startswith('best pixel: x ')
    assert cv2.imread(str(tmp_path / 'heat.png')).shape == cv2.imread(str(PHOTO)).shape


def test_affordance_ground_runs_it_without_more_arguments(exported, tmp_path, capsys):
    from affordance_ros.cli.ground import main

    arguments = [str(PHOTO), 'cut', '--model', str(exported), '-o', str(tmp_path), '--min-score']
    assert main([*arguments, '0']) == 0
    assert 'cut' in capsys.readouterr().out


def test_onnxruntime_reads_it_too_and_torch_is_refused(exported, clip):
    expected = predict(clip, backend='torch').heatmap
    assert np.abs(predict(exported, backend='onnxruntime').heatmap - expected).max() < 1e-4
    with pytest.raises(BackendError, match='an exported model holds no weights for torch'):
        predict(exported, backend='torch')


def test_openvino_ir_answers_as_the_onnx_does(exported, rng):
    import openvino as ov

    pixels = rng.standard_normal((2, 3, 96, 128), np.float32)
    text = rng.standard_normal((2, 3, 256), np.float32)
    answers = [
        ov.Core().compile_model(exported / name, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})(
            {'pixels': pixels, 'text': text}
        )[0]
        for name in ('image.onnx', 'image.xml')
    ]
    assert answers[0].shape[:2] == (2, 3)
    assert np.abs(answers[0] - answers[1]).max() < 1e-4


@pytest.mark.parametrize('name', ['image.onnx', 'text.onnx', 'vocabulary.txt.gz', 'model.json'])
def test_a_damaged_folder_is_refused(name, exported, tmp_path):
    folder = tmp_path / 'damaged'
    shutil.copytree(exported, folder)
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-9])
    with pytest.raises(WeightsError, match='export it again'):
        ExportedModel(folder)


def test_a_moved_folder_names_no_file_that_stayed_behind(exported, clip):
    facts = (exported / 'model.json').read_text()
    assert str(Path(clip.weights).parent) not in facts and str(exported.parent) not in facts
    described = ExportedModel(exported).describe()
    named = described['weights'], described['checkpoint']
    assert named == (Path(clip.weights).name, Path(clip.checkpoint).name)


@pytest.mark.parametrize('left_out', ['image.onnx', 'text.onnx', 'vocabulary.txt.gz'])
def test_a_file_that_nothing_vouches_for_is_refused(left_out, exported, tmp_path):
    folder = tmp_path / 'unvouched'
    shutil.copytree(exported, folder)
    facts = json.loads((folder / 'model.json').read_text())
    del facts['sha256'][left_out]
    (folder / 'model.json').write_text(json.dumps(facts))
    with pytest.raises(WeightsError, match=f'is not a whole exported model .*{left_out}'):
        ExportedModel(folder)


def test_what_differs_from_torch_is_not_exported(arguments, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(export_cli, 'MAX_TEXT_ERROR', 0.0)
    assert export_cli.main([str(tmp_path / 'out'), *arguments]) == 2
    assert 'text.onnx differs from torch' in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_not_written_over(exported, arguments, caplog):
    assert export_cli.main([str(exported), *arguments]) == 2
    assert 'exists: give a new folder' in caplog.text


def test_commands_too_long_are_refused_as_by_torch(exported):
    model = ExportedModel(exported)
    model.text.check_length('cup ' * 30)
    with pytest.raises(CommandError, match='has 31 tokens, and the text transformer reads 30'):
        model.text.check_length('cup ' * 31)


@pytest.mark.parametrize('token', ['<end_of_text>', 'cut <START_OF_TEXT> hold'])
def test_tokens_that_would_end_a_prompt_early_are_refused_as_by_torch(exported, token):
    model = ExportedModel(exported)
    with pytest.raises(CommandError, match='by which CLIP marks its ends'):
        model.text.check_length(token)
    with pytest.raises(CommandError, match='by which CLIP marks its ends'):
        model.text.vector([token])


def test_tokens_are_open_clips(rng):
    tokenizer = Tokenizer(Path(open_clip.__file__).with_name('bpe_simple_vocab_16e6.txt.gz'))
    theirs = open_clip.SimpleTokenizer()
    assert (tokenizer.start, tokenizer.end) == (theirs.sot_token_id, theirs.eot_token_id)
    letters = list('abcdefghij klmn  opq rstu vwxyz!?.,&;<>#0129éßÄñ中文かな😀\'"-_\t')
    texts = ['hold the mug', "don't we'll", 'a&amp;amp;b', 'aaaa aa aaaaaa', '切る', 'x1 56.7', '']
    texts += [''.join(rng.choice(letters, length)) for length in rng.integers(1, 40, 500)]
    for text in texts:
        assert tokenizer.encode(text) == theirs.encode(text), text
