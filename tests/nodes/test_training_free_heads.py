# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The node answers with the ViT trunk, head and background that its parameters name."""

import cv2
import pytest

from affordance_ros.backends.base import BackendConfig
from affordance_ros.model.config import ModelConfig
from affordance_ros.predictor import Predictor
from tests.conftest import SAMPLES

PHOTO = SAMPLES / 'photos' / '000000160012.jpg'


@pytest.mark.ros
@pytest.mark.usefixtures('ros')
def test_the_nodes_answers_are_those_of_the_head_that_is_named(log):
    from tests.support.ros_harness import grounding_node

    chosen = {'model': 'compact-vit', 'weights': 'random', 'head': 'clearclip'}
    with grounding_node(log, **chosen, background='none', backend='torch') as (_, probe):
        probe.command('hold the mug')
        answer = probe.answer_to(cv2.imread(str(PHOTO)))
        assert 'training-free clearclip, background none' in probe.status[-1].decoder
    found = ModelConfig(**chosen, background='none', device='cpu')
    predictor = Predictor.load(found, backend=BackendConfig('torch', num_threads=1))
    predictor.set_command('hold the mug')
    expected = predictor.predict(cv2.imread(str(PHOTO)), channels='bgr').targets
    assert len(answer.targets) == len(expected) >= 1
    for one, other in zip(answer.targets, expected, strict=True):
        assert abs(one.x - other.x) < 0.01 and abs(one.y - other.y) < 0.01
        assert abs(one.score - other.score) < 1e-4
