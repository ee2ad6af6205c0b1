# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the tests share: a small untrained model, photos, and a ROS environment of their own."""

import os
from pathlib import Path

import cv2

# Here, before any test draws: it loads triton, whose LLVM crashes if Mesa's was loaded first.
import open_clip  # noqa: F401
import pytest
import torch

from tests.support.rng import rng  # noqa: F401

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / 'samples'

# Set before anything imports rclpy. Discovery stays on this machine, and each run has a domain of
# its own; 1 to 100 keeps clear of the ports that Linux hands out to clients.
os.environ['ROS_DOMAIN_ID'] = str(1 + os.getpid() % 100)
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
os.environ['FASTDDS_DEFAULT_PROFILES_FILE'] = str(ROOT / 'config' / 'fastdds_shm.xml')
os.environ['HF_HUB_OFFLINE'] = '1'
# Sums over several threads round differently, and the node, which the tests run with one thread,
# must equal the tests' own predictor to the last digit.
torch.set_num_threads(1)
cv2.setNumThreads(1)


def pytest_collection_modifyitems(items):
    """Skip the ROS tests where no ROS is sourced; where one is, they must run."""
    if os.environ.get('AMENT_PREFIX_PATH'):
        return
    skip = pytest.mark.skip(reason='no ROS environment is sourced (source scripts/env.sh)')
    for item in items:
        if 'ros' in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope='session')
def trunk():
    """Return a compact trunk with random weights."""
    from affordance_ros.model.families import load_trunk

    return load_trunk('compact', 'random')


@pytest.fixture(scope='session')
def model():
    """Return the compact model with random weights and the training-free head."""
    from affordance_ros.model.grounding import ModelConfig
    from affordance_ros.model.grounding import load_model

    return load_model(ModelConfig(model='compact', weights='random', device='cpu'))


@pytest.fixture
def predictor(model):
    """Return a predictor with its default configuration."""
    from affordance_ros.predictor import Predictor

    return Predictor(model)


@pytest.fixture(scope='session')
def photos():
    """Return the sample photos, (H, W, 3) uint8 BGR, by file name."""
    return {p.name: cv2.imread(str(p)) for p in sorted((SAMPLES / 'photos').glob('*.jpg'))}


@pytest.fixture
def pixels():
    """Return a seeded CLIP-normalised image batch, (2, 3, 224, 224)."""
    return torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope='session')
def ros():
    """Start and end rclpy in the test's process."""
    import rclpy

    from tests.support.ros_harness import NodeProcess

    rclpy.init()
    yield
    rclpy.shutdown()
    for node in NodeProcess.started:
        node.process.kill()
        node.process.wait()


@pytest.fixture
def log(tmp_path):
    """Return where a node's output goes."""
    return tmp_path / 'node.log'
