# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Depth that would give wrong points gives none, and the node names the cause."""

import cv2
import numpy as np
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]


@pytest.fixture
def image(photos):
    return cv2.resize(next(iter(photos.values())), (640, 480))


@pytest.mark.parametrize('allowed', [False, True])
def test_depth_of_another_frame_and_images_without_stamp_get_no_points(log, image, allowed):
    from tests.support.rgbd_camera import RgbdCamera
    from tests.support.rgbd_camera import plane_depth
    from tests.support.rgbd_camera import stamped
    from tests.support.ros_harness import grounding_node

    depth = plane_depth((480, 640))
    options = {'allow_other_frames': allowed, 'depth_wait_s': 0.5}
    with grounding_node(log, lossless=True, task_command='cut', **options) as (_, probe):
        camera = RgbdCamera(probe)
        camera.wait_until_heard()

        def answer(seconds, *, depth_frame='camera', late_s=0.0):
            header = stamped(seconds)
            camera.send_info((480, 640), header)
            camera.send_depth(depth, stamped(seconds + late_s, depth_frame))
            probe.send(image, header=header)
            probe.spin_until(
                lambda: probe.targets and probe.targets[-1].header == header, 'the answer'
            )
            return probe.targets[-1]

        times = iter(np.arange(2000.0, 3000.0, 0.25))

        def has_points(**changes):
            return any(target.has_point for target in answer(next(times), **changes).targets)

        probe.spin_until(has_points, 'an answer with points')
        assert has_points(depth_frame='other') == allowed
        if not allowed:
            reason = "depth is in frame 'other' and the image in 'camera': register depth"
            probe.spin_until(lambda: reason in probe.status[-1].reason, reason)
            assert has_points()
        # Without stamps, depth of 0.3 s later would be taken for the image's.
        assert not any(t.has_point for t in answer(0.0).targets)
        reason = 'the image has stamp 0'
        probe.spin_until(lambda: reason in probe.status[-1].reason, reason)
