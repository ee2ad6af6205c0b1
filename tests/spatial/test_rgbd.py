# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0


import numpy as np
import pytest

from affordance_ros.spatial.lift import REASONS
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.rgbd import NO_DEPTH
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import read_rgbd
from affordance_ros.targets.target import Target
from tests.support.camera_infos import camera_info
from tests.support.image_messages import message

SIZE = (480, 640)
TARGETS = [Target(100.25, 200.5, 0.9), Target(400.0, 30.0, 0.5)]


def test_a_scene_is_the_depth_and_the_pinhole_of_its_messages(rng):
    depth = rng.uniform(0.6995, 0.7005, SIZE).astype(np.float32)
    scene = read_rgbd(message(depth, '32FC1'), camera_info(), size=SIZE)
    assert scene.pinhole == Pinhole.from_info(camera_info(), SIZE)
    assert (scene.depth.metres() == depth).all()


@pytest.mark.parametrize(
    ('depth', 'info', 'reason', 'cause', 'text'),
    [
        (None, camera_info(), 'no_depth', 'no_depth', 'no depth image'),
        ('good', None, 'no_camera_info', 'no_camera_info', 'no camera_info'),
        ('rgb8', camera_info(), 'unusable', 'encoding', "encoding 'rgb8'"),
        ('square', camera_info(), 'unusable', 'depth_size', 'does not fit an image of 640x480'),
        ('good', camera_info(width=320), 'unusable', 'info_size', 'is for 320x480'),
    ],
)
def test_what_is_wrong_is_an_answer_with_a_reason(depth, info, reason, cause, text):
    depths = {
        None: None,
        'good': message(np.ones(SIZE, np.float32), '32FC1'),
        'rgb8': message(np.ones(SIZE, np.float32), 'rgb8'),
        'square': message(np.ones((480, 480), np.float32), '32FC1'),
    }
    scene = read_rgbd(depths[depth], info, size=SIZE)
    assert isinstance(scene, NoRgbd)
    assert (scene.reason, scene.cause) == (reason, cause)
    assert scene.reason in REASONS
    assert text in scene.text


def test_no_depth_is_the_answer_to_nothing():
    assert read_rgbd(None, None, size=SIZE) is NO_DEPTH
