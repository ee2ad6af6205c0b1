# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What a GPU runs: on the CPU as far as it has no graph, on a GPU where there is one."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

from affordance_ros.backends import tensorrt_backend
from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.base import BackendError
from affordance_ros.backends.base import FrameBackend
from affordance_ros.backends.cuda_backend import CudaBackend
from affordance_ros.backends.device_letterbox import DeviceLetterbox
from affordance_ros.backends.fused_network import FusedNetwork
from affordance_ros.backends.select import Choice
from affordance_ros.backends.select import choose_backend
from affordance_ros.backends.tensorrt_backend import provider_options
from affordance_ros.backends.torch_backend import TorchBackend
from affordance_ros.image.letterbox import Letterbox
from affordance_ros.image.preprocess import CLIP_NORMALIZATION
from affordance_ros.image.preprocess import prepare
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.grounding import load_model
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from tests.support.household_folder import NAME
from tests.support.household_folder import write_model

DEVICES = [
    'cpu',
    pytest.param(
        'cuda', marks=pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
    ),
]


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp('household')
    return ModelConfig(NAME, str(folder), str(write_model(folder)))


@pytest.fixture(scope='module', params=DEVICES)
def small(request, config):
    return load_model(dataclasses.replace(config, device=request.param))


def predictor_on(model, backend):
    return Predictor(model, PredictorConfig(min_score=0.0), Choice(backend, 'as the test says'))


@pytest.mark.parametrize(
    ('source', 'size', 'shape'),
    [
        ((480, 640), 320, 'rectangle'),  # two by two pixels to one
        ((480, 640), 224, 'square'),
        ((361, 475), 320, 'rectangle'),
        ((1080, 1920), 416, 'rectangle'),
        ((100, 130), 320, 'square'),  # enlarged
        ((224, 160), 224, 'rectangle'),  # as it is
    ],
)
@pytest.mark.parametrize('channels', ['rgb', 'bgr', 'mono'])
def test_images_are_prepared_on_the_device_as_on_the_cpu(source, size, shape, channels, rng):
    box = Letterbox.fit(source, size=size, shape=shape)
    depth = () if channels == 'mono' else (3,)
    pixels = rng.integers(0, 256, (*source, *depth), np.uint8)
    found = DeviceLetterbox(box, channels, CLIP_NORMALIZATION)(torch.from_numpy(pixels)).numpy()
    expected = prepare(pixels, box, channels=channels, normalization=CLIP_NORMALIZATION)
    levels = np.abs(found - expected) * 255.0 * np.reshape(CLIP_NORMALIZATION.std, (1, 3, 1, 1))
    assert levels.max() < 1.01
    if box.averages:  # OpenCV rounds the weights of its bilinear interpolation to 11 bits
        assert (levels > 0.01).mean() < 0.02


@pytest.mark.parametrize('decoder', ['FPN', 'training-free'])
def test_folding_changes_nothing_but_rounding(decoder, small, model, rng):
    network = small if decoder == 'FPN' else copy.deepcopy(model).to(small.device)
    device = network.device
    image = torch.from_numpy(rng.standard_normal((2, 3, 96, 128), np.float32)).to(device)
    text = torch.from_numpy(rng.standard_normal((3, network.embed_dim), np.float32)).to(device)
    text /= text.norm(dim=1, keepdim=True)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.inference_mode():
        expected = network(image, text)
        found = FusedNetwork(network, torch.float32)(image, text)
    assert (found - expected).abs().max() < 1e-3 and expected.std() > 0.1
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


@pytest.mark.parametrize(('precision', 'most'), [('f32', 2e-3), ('f16', 5e-3), ('bf16', 0.05)])
def test_frames_and_pixels_have_the_answers_of_torch(precision, most, small, photos):
    backend = CudaBackend(small, precision)
    assert isinstance(backend, FrameBackend)
    assert backend.description == f'torch {precision} on {small.device}'
    fast, slow = predictor_on(small, backend), predictor_on(small, TorchBackend(small))
    # Numbers of commands on either side of a power of two, and another image's size.
    for name, commands in (
        ('000000160012.jpg', ['cut']),
        ('000000160012.jpg', ['hold the mug', 'pour', 'open']),
        ('000000516008.jpg', ['cut']),
        ('000000160012.jpg', ['pour']),
    ):
        for predictor in (fast, slow):
            predictor.set_commands(commands)
        answers = fast.predict_all(photos[name]), slow.predict_all(photos[name])
        for one, other in zip(*answers, strict=True):
            assert np.abs(one.heatmap - other.heatmap).max() < most
    photo = photos['000000160012.jpg']
    batch = [p.predict_heatmaps([photo, photo], ['cut', 'pour']) for p in (fast, slow)]
    assert np.abs(np.array(batch[0]) - np.array(batch[1])).max() < most


def test_answers_are_not_overwritten_by_the_next_frame(small, photos):
    predictor = predictor_on(small, CudaBackend(small, 'f32'))
    predictor.set_command('cut')
    photo = photos['000000160012.jpg']
    first = predictor.predict(photo)
    kept = first.activation.logits.copy()
    predictor.predict(photo[::-1])
    assert np.array_equal(first.activation.logits, kept)


def test_precisions_are_refused_with_a_reason(small):
    with pytest.raises(BackendError, match='torch runs f32, f16, bf16 on a GPU, not int8'):
        CudaBackend(small, 'int8')
    if small.device.type == 'cpu':
        with pytest.raises(BackendError, match='torch runs f32 on a CPU, not f16'):
            choose_backend(small, BackendConfig('torch', 'f16'))


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_auto_takes_the_graphs_on_a_gpu(config):
    model = load_model(dataclasses.replace(config, device='cuda'))
    choice = choose_backend(model, BackendConfig())
    assert isinstance(choice.backend, CudaBackend) and 'the fastest on cuda' in choice.reason


def test_tensorrt_is_refused_with_a_reason_where_it_is_not(small, tmp_path):
    if 'TensorrtExecutionProvider' in tensorrt_backend.ort.get_available_providers():
        pytest.skip('TensorRT is installed')
    needs = 'set device cuda' if small.device.type == 'cpu' else 'pip install onnxruntime-gpu'
    with pytest.raises(BackendError, match=f'tensorrt: .*{needs}'):
        choose_backend(small, BackendConfig('tensorrt', cache_dir=str(tmp_path)))


def test_one_tensorrt_engine_takes_any_number_of_commands(tmp_path):
    options = provider_options((96, 128), 512, 'f16', 1, tmp_path)
    assert options['trt_profile_min_shapes'] == 'pixels:1x3x96x128,text:1x1x512'
    assert options['trt_profile_max_shapes'] == 'pixels:8x3x96x128,text:8x256x512'
    assert options['device_id'] == 1 and options['trt_fp16_enable'] is True
    assert options['trt_engine_cache_path'] == str(tmp_path)
    assert 'trt_engine_cache_path' not in provider_options((96, 128), 512, 'f32', 0, None)


@pytest.mark.skipif(
    'TensorrtExecutionProvider' not in tensorrt_backend.ort.get_available_providers(),
    reason='needs TensorRT',
)
def test_tensorrt_has_the_answers_of_torch(config, tmp_path, photos):
    model = load_model(dataclasses.replace(config, device='cuda'))
    choice = choose_backend(model, BackendConfig('tensorrt', 'f32', cache_dir=str(tmp_path)))
    fast, slow = predictor_on(model, choice.backend), predictor_on(model, TorchBackend(model))
    for predictor in (fast, slow):
        predictor.set_commands(['cut', 'pour'])
    photo = photos['000000160012.jpg']
    for one, other in zip(fast.predict_all(photo), slow.predict_all(photo), strict=True):
        assert np.abs(one.heatmap - other.heatmap).max() < 2e-3
