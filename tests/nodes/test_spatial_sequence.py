# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The recorded RGB-D sequence through camera and node."""

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.conftest import SAMPLES

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]
PATIENT = {'task_command': 'cut', 'depth_wait_s': 1.0}


def test_the_recorded_sequence_gives_points_and_a_gripper_its_pose(log, tmp_path):
    """Camera, grounding node and the pre-grasp example, as a robot would run them."""
    from geometry_msgs.msg import PoseStamped

    from tests.package.test_examples import matrix
    from tests.support.rgbd_camera import to_array
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import grounding_node
    from tests.support.ros_harness import ros_arguments

    options = {'model': 'household', 'weights': '', 'task_command': 'hold the mug'}
    with grounding_node(log, **options, depth_wait_s=1.0) as (_, probe):
        target_poses, poses = [], []
        subscribe = probe.node.create_subscription
        subscribe(PoseStamped, 'grounding/target_pose', target_poses.append, 100)
        subscribe(PoseStamped, 'pregrasp/pose', poses.append, 100)
        source = {'source': str(SAMPLES / 'tabletop'), 'rate_hz': 5.0}
        others = [
            NodeProcess([path, *ros_arguments(parameters, probe.namespace)], tmp_path / name)
            for name, path, parameters in (
                ('camera', executable('camera'), source),
                (
                    'pregrasp',
                    ROOT / 'examples' / 'pregrasp.py',
                    {'standoff_m': 0.1, 'min_score': 0.3},
                ),
            )
        ]

        def stamps(messages):
            return {(m.header.stamp.sec, m.header.stamp.nanosec) for m in messages}

        probe.spin_until(
            lambda: len(probe.targets) >= 15 and len(stamps(poses) & stamps(target_poses)) >= 3,
            'the sequence',
            90,
        )
        for process in others:
            assert process.stop() == 0, process.output
        targets = [target for answer in probe.targets[5:] for target in answer.targets]
        share = np.mean([target.has_point for target in targets])
        assert share > 0.8
        assert all(0.1 < t.point.z < 3 for t in targets if t.has_point)
        by_stamp = {(p.header.stamp.sec, p.header.stamp.nanosec): p.pose for p in target_poses}
        for heard in poses:
            assert heard.header.frame_id == 'camera_optical_frame'
            target = by_stamp.get((heard.header.stamp.sec, heard.header.stamp.nanosec))
            if target is None:  # on its way when the nodes were stopped, or from before discovery
                continue
            turn = heard.pose.orientation
            forward = matrix([turn.x, turn.y, turn.z, turn.w])[:, 2]
            expected = to_array(target.position) - 0.1 * forward
            np.testing.assert_allclose(to_array(heard.pose.position), expected, atol=1e-9)
            assert forward @ to_array(target.position) > 0, 'it comes from behind the thing'
