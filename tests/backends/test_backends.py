# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Every backend answers as torch does, for any size, batch and number of commands."""

import logging

import numpy as np
import pytest
import torch

from affordance_ros.backends import onnx_export
from affordance_ros.backends import select
from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.base import BackendError
from affordance_ros.backends.cache import DiskCache
from affordance_ros.backends.onnx_export import TorchNetwork
from affordance_ros.backends.onnxruntime_backend import OnnxRuntimeBackend
from affordance_ros.backends.openvino_backend import OpenVINOBackend
from affordance_ros.backends.openvino_backend import processor_has_bf16
from affordance_ros.backends.precision_record import PrecisionRecord
from affordance_ros.backends.precision_record import find_record
from affordance_ros.backends.precision_record import read_record
from affordance_ros.backends.select import choose_backend
from affordance_ros.backends.torch_backend import TorchBackend
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.grounding import load_model
from affordance_ros.model.grounding import training_free_decoder
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.model.neck import NeckConfig
from affordance_ros.predictor import Predictor
from tests.support.household_folder import NAME
from tests.support.household_folder import write_model
from tests.support.small_vit import small_vit

CANVAS = (96, 128)
needs_bf16 = pytest.mark.skipif(not processor_has_bf16(), reason='the processor lacks bfloat16')


@pytest.fixture(scope='module')
def compiled(tmp_path_factory):
    """Return where networks are kept: writing one takes 10 s."""
    return tmp_path_factory.mktemp('compiled')


@pytest.fixture(scope='module')
def cache(compiled):
    return DiskCache(compiled)


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp('household')
    return ModelConfig(NAME, str(folder), str(write_model(folder)), 'cpu')


@pytest.fixture(scope='module')
def small(config):
    return load_model(config)


@pytest.fixture(scope='module')
def network(small, cache):
    return TorchNetwork(small, cache)


def make(name, network, cache):
    """Return a backend by name and precision, such as 'openvino bf16'."""
    kind, precision = name.split()
    config = BackendConfig(num_threads=1)
    if kind == 'openvino':
        return OpenVINOBackend(network, precision=precision, config=config, cache=cache)
    return OnnxRuntimeBackend(network, precision=precision, config=config)


def inputs(rng, model, *, n, k, canvas=CANVAS):
    """Return pixels (n, 3, h, w) and unit text vectors (n, k, C)."""
    pixels = rng.standard_normal((n, *canvas, 3), np.float32).transpose(0, 3, 1, 2)
    text = rng.standard_normal((n, k, model.trunk.embed_dim), np.float32)
    return pixels, text / np.linalg.norm(text, axis=-1, keepdims=True)


def largest_difference(backend, model, pixels, text):
    found, expected = backend.run(pixels, text), TorchBackend(model).run(pixels, text)
    assert found.dtype == np.float32 and found.shape == expected.shape
    assert np.ptp(expected) > 0.5, 'flat maps would prove nothing'
    return np.abs(found - expected).max()


@pytest.mark.parametrize('name', ['openvino f32', 'onnxruntime f32'])
@pytest.mark.parametrize(('n', 'k', 'canvas'), [(1, 1, CANVAS), (1, 64, (64, 32)), (3, 2, CANVAS)])
def test_float32_backends_equal_torch(name, n, k, canvas, network, cache, small, rng):
    pixels, text = inputs(rng, small, n=n, k=k, canvas=canvas)
    backend = make(name, network, cache)
    assert largest_difference(backend, small, pixels, text) < 1e-4
    assert largest_difference(backend, small, pixels, text[0]) < 1e-4  # shared by all images


@needs_bf16
def test_bfloat16_is_used_and_rounds_no_more_than_its_stages_do(network, cache, small, rng):
    pixels, text = inputs(rng, small, n=1, k=3)
    backend, reference = make('openvino bf16', network, cache), TorchBackend(small)
    expected = reference.run(pixels, text)
    with torch.autocast('cpu', torch.bfloat16):  # front, decoder and head too
        rounded = reference.run(pixels, text)
    error = np.abs(backend.run(pixels, text) - expected).mean()
    assert 1e-4 < error < 0.9 * np.abs(rounded - expected).mean()
    # The head is float32: neighbours that bfloat16 would make equal stay apart.
    assert len(np.unique(backend.run(pixels, text)[0, 0])) > 0.99 * (CANVAS[0] * CANVAS[1] / 64)


@pytest.mark.parametrize(
    'kind', ['training-free', 'concat', 'two scales', 'ViT naclip', 'ViT FPN']
)
def test_every_decoder_can_be_written(kind, trunk, model, cache, rng):
    if kind.startswith('ViT'):
        trunk = small_vit(14 if 'FPN' in kind else 16)
        decoder = untrained_decoder(trunk) if 'FPN' in kind else training_free_decoder(trunk)
        model = GroundingModel(trunk, decoder).eval()
    elif kind != 'training-free':
        config = NeckConfig(fusion='concat', norm='group', smooth=True)
        if kind == 'two scales':
            config = NeckConfig(scales=('global', 'stride32'))
        model = GroundingModel(trunk, untrained_decoder(trunk, config)).eval()
    network = TorchNetwork(model, cache)
    pixels, text = inputs(rng, model, n=1, k=2)
    names = ['openvino f32', 'onnxruntime f32']
    if processor_has_bf16():
        names.append('openvino bf16')
    for name in names:
        found = make(name, network, cache).run(pixels, text)
        expected = TorchBackend(model).run(pixels, text)
        assert np.abs(found - expected).max() < (0.2 if 'bf16' in name else 1e-4), name


def test_the_inputs_are_left_as_they_were(network, cache, small, rng):
    pixels, text = inputs(rng, small, n=1, k=1)
    before = pixels.copy(), text.copy()
    pixels.flags.writeable = text.flags.writeable = False
    backend = make('openvino f32', network, cache)
    first = backend.run(pixels, text)
    kept = first.copy()
    backend.run(pixels + 1, text)
    assert np.array_equal(first, kept), 'an answer must not change with the next one'
    assert np.array_equal(pixels, before[0]) and np.array_equal(text, before[1])


def test_another_start_neither_writes_nor_compiles_the_network(
    network, cache, small, rng, monkeypatch
):
    pixels, text = inputs(rng, small, n=1, k=1)
    expected = make('openvino f32', network, cache).run(pixels, text)
    monkeypatch.setattr(onnx_export, 'write_onnx', lambda _: pytest.fail('written again'))
    monkeypatch.setattr(OpenVINOBackend, '_read', lambda *_: pytest.fail('compiled again'))
    again = make('openvino f32', TorchNetwork(small, cache), cache)
    assert np.array_equal(again.run(pixels, text), expected)
    with pytest.raises(pytest.fail.Exception, match='compiled again'):
        again.run(*inputs(rng, small, n=1, k=1, canvas=(32, 64)))


def test_other_weights_are_another_network(network, cache, trunk):
    keys = {network.key}
    for seed in range(2):
        decoder = untrained_decoder(trunk)
        decoder.scale.data.fill_(seed)
        keys.add(TorchNetwork(GroundingModel(trunk, decoder), cache).key)
    assert len(keys) == 3


# --- Choice ----------------------------------------------------------------------------------


def choose(model, folder, *arguments, **options):
    config = BackendConfig(*arguments, cache_dir=str(folder), num_threads=1, **options)
    return choose_backend(model, config, CANVAS)


def test_auto_takes_openvino_in_the_precision_that_keeps_the_answers(small, compiled):
    chosen = choose(small, compiled)
    kept = find_record('openvino', 'bf16', small.family, 'FPN')
    bf16 = processor_has_bf16() and kept is not None and kept.passes
    assert chosen.backend.description == f'openvino {"bf16" if bf16 else "f32"} on cpu'
    assert chosen.reason.startswith('the fastest on cpu')


@needs_bf16
@pytest.mark.parametrize(('moved', 'precision'), [(0.009, 'bf16'), (0.011, 'f32'), (None, 'f32')])
def test_bfloat16_needs_a_record_that_it_keeps_the_answers(
    moved, precision, small, compiled, monkeypatch
):
    record = PrecisionRecord(
        *('openvino', 'bf16', 'clip', 'FPN', 'measured', 1000),
        *(moved or 0.0, 0.001, 0.0, -0.002),
    )
    monkeypatch.setattr(select, 'find_record', lambda *_: None if moved is None else record)
    chosen = choose(small, compiled)
    assert f' {precision} ' in chosen.backend.description
    assert ('nobody has measured' if moved is None else '1,000 best targets') in chosen.reason


def test_auto_falls_back_with_a_reason(small, compiled, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError('illegal instruction')

    monkeypatch.setattr('affordance_ros.backends.openvino_backend.OpenVINOBackend', broken)
    chosen = choose(small, compiled)
    assert chosen.backend.description == 'onnxruntime f32 on cpu'
    assert 'openvino: illegal instruction' in chosen.reason
    monkeypatch.setattr(select.importlib.util, 'find_spec', lambda _: None)
    chosen = choose(small, compiled)
    assert chosen.backend.description == 'torch f32 on cpu'
    assert 'onnxruntime: not installed (pip install onnxruntime)' in chosen.reason


def test_a_backend_with_wrong_answers_is_not_used(small, compiled, monkeypatch):
    run = OpenVINOBackend.run
    monkeypatch.setattr(OpenVINOBackend, 'run', lambda *a: run(*a) + 8.0)
    chosen = choose(small, compiled)
    assert chosen.backend.description == 'onnxruntime f32 on cpu'
    assert 'openvino: its heat differs from torch' in chosen.reason


def test_a_backend_that_is_asked_for_is_used_or_refused(small, compiled):
    assert choose(small, compiled, 'onnxruntime').reason == 'as asked for'
    with pytest.raises(BackendError, match='onnxruntime: ONNX Runtime runs f32 here, not bf16'):
        choose(small, compiled, 'onnxruntime', 'bf16')
    with pytest.raises(ValueError, match="backend 'tflite' is unknown; known are auto, torch"):
        BackendConfig('tflite')
    with pytest.raises(ValueError, match="precision 'int4' is unknown"):
        BackendConfig(precision='int4')


def test_the_record_has_the_bars_that_it_says():
    for kept in read_record():
        assert kept.frames >= 500, 'too few frames to see one in a hundred'
    assert PrecisionRecord('a', 'b', 'c', 'd', 'e', 1, 0.0099, 0.0099, -0.0099, 0.0).passes
    assert not PrecisionRecord('a', 'b', 'c', 'd', 'e', 1, 0.01, 0.0, 0.0, 0.0).passes
    assert not PrecisionRecord('a', 'b', 'c', 'd', 'e', 1, 0.0, 0.0, -0.01, 0.0).passes


def test_a_predictor_says_what_runs_it(config, compiled, photos, caplog):
    caplog.set_level(logging.INFO)
    options = BackendConfig('openvino', 'f32', str(compiled), num_threads=1)
    fast = Predictor.load(config, backend=options)
    slow = Predictor.load(config)
    assert fast.describe()['backend'] == 'openvino f32 on cpu'
    assert slow.describe()['backend'] == 'torch f32 on cpu'
    photo = photos['000000160012.jpg']
    for predictor in (fast, slow):
        predictor.set_commands(['cut', 'hold the mug'])
    for one, other in zip(fast.predict_all(photo), slow.predict_all(photo), strict=True):
        assert np.abs(one.heatmap - other.heatmap).max() < 1e-5
