# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The example nodes, as processes of their own."""

import numpy as np
import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]


@pytest.fixture
def probe():
    """Return a node in the test's process, in a namespace of its own."""
    from tests.support.ros_harness import Probe

    probe = Probe()
    yield probe
    probe.close()


def start(name, probe, log, **parameters):
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import ros_arguments

    return NodeProcess(
        [ROOT / 'examples' / name, *ros_arguments(parameters, probe.namespace)], log
    )


def test_the_grounding_node_works_inside_another_program(log, probe, photos):
    from affordance_ros.msg import AffordanceTargetArray
    from tests.support.ros_harness import MODEL

    process = start('composed.py', probe, log, **MODEL, task_command='cut')
    best = []
    probe.node.create_subscription(AffordanceTargetArray, 'planner/best', best.append, 10)
    probe.wait_until_ready(process)
    photo = next(iter(photos.values()))

    def answered():
        probe.answer_to(photo)
        return len(best) >= 2

    probe.spin_until(answered, 'two answers to the planner')
    assert best[0].targets
    assert best[0].command in ('hold the mug', 'open', 'cut')
    assert probe.targets[-1].command == 'cut', 'the command in force stays'
    assert process.stop() == 0, process.output
    assert 'Traceback' not in process.output


def test_a_composed_node_that_can_not_start_says_why(log, probe):
    process = start('composed.py', probe, log, model='RN7')
    assert process.process.wait(60) == 1
    assert "model 'RN7' is unknown" in process.output
    assert 'Traceback' not in process.output


def matrix(turn):
    """Return the rotation matrix of a quaternion, by the sandwich product written out."""
    x, y, z, w = turn
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


class Gripper:
    """Feeds the pre-grasp example and hears its poses."""

    def __init__(self, probe):
        from geometry_msgs.msg import PoseStamped

        from affordance_ros.msg import AffordanceTargetArray

        self.probe = probe
        self.poses = []
        publisher = probe.node.create_publisher
        self.targets = publisher(AffordanceTargetArray, 'grounding/targets', 10)
        self.target_poses = publisher(PoseStamped, 'grounding/target_pose', 10)
        probe.node.create_subscription(PoseStamped, 'pregrasp/pose', self.poses.append, 10)

    def send_targets(self, header, point, score=0.9, has_point=True):
        from geometry_msgs.msg import Point

        from affordance_ros.msg import AffordanceTarget
        from affordance_ros.msg import AffordanceTargetArray

        target = AffordanceTarget(score=score, has_point=has_point)
        target.point = Point(**dict(zip('xyz', map(float, point), strict=True)))
        self.targets.publish(AffordanceTargetArray(header=header, targets=[target]))

    def send_pose(self, header, point, turn):
        from geometry_msgs.msg import PoseStamped

        pose = PoseStamped(header=header)
        for field, numbers in ((pose.pose.position, point), (pose.pose.orientation, turn)):
            for name, number in zip('xyzw', numbers, strict=False):
                setattr(field, name, float(number))
        self.target_poses.publish(pose)

    def wait_until_heard(self, *, with_pose):
        """Send frames until one is answered; discovery has no end that can be seen from here."""

        def heard():
            header = self.probe.header()
            self.send_targets(header, [0, 0, 1])
            if with_pose:
                self.send_pose(header, [0, 0, 1], [0, 0, 0, 1])
            return bool(self.poses)

        self.probe.spin_until(heard, 'the example')

    def pose(self, header):
        """Wait for a frame's pose; return it as position and rotation matrix."""

        def found():
            return [pose.pose for pose in self.poses if pose.header == header]

        self.probe.spin_until(found, f'the pose of {header}')
        (pose,) = found()
        place, turn = pose.position, pose.orientation
        return np.array([place.x, place.y, place.z]), matrix([turn.x, turn.y, turn.z, turn.w])


@pytest.mark.parametrize(('axis', 'column'), [('x', 0), ('y', 1), ('z', 2)])
def test_the_gripper_waits_before_the_surface_and_points_at_it(log, probe, rng, axis, column):
    gripper = Gripper(probe)
    process = start('pregrasp.py', probe, log, standoff_m=0.2, tool_axis=axis)
    gripper.wait_until_heard(with_pose=True)
    wrong = []
    for count in range(1, 6):
        point = rng.normal(size=3)
        turn = rng.normal(size=4)
        turn /= np.linalg.norm(turn)
        header = probe.header()
        # What must not lead to a pose: too low a score, no point, another frame's pose.
        for options in ({'score': 0.1}, {'has_point': False}):
            wrong.append(probe.header())
            gripper.send_targets(wrong[-1], point, **options)
            gripper.send_pose(wrong[-1], point, turn)
        wrong.append(probe.header())
        gripper.send_pose(wrong[-1], point, turn)
        if count % 2:
            gripper.send_targets(header, point)
            gripper.send_pose(header, point, turn)
        else:
            gripper.send_pose(header, point, turn)
            gripper.send_targets(header, point)
        place, rotation = gripper.pose(header)
        into_surface = matrix(turn)[:, 0]
        assert np.allclose(place, point - 0.2 * into_surface)
        assert np.allclose(rotation[:, column], into_surface), 'the tool points elsewhere'
        assert np.isclose(np.linalg.det(rotation), 1.0)
    assert not [pose for pose in gripper.poses if pose.header in wrong]
    assert process.stop() == 0, process.output


def test_without_a_surface_the_gripper_goes_in_along_the_line_of_sight(log, probe, rng):
    gripper = Gripper(probe)
    process = start('pregrasp.py', probe, log, approach='view', standoff_m=0.1)
    gripper.wait_until_heard(with_pose=False)
    for _ in range(3):
        point = np.array([*rng.normal(size=2), 1.0])
        header = probe.header()
        gripper.send_targets(header, point)
        place, rotation = gripper.pose(header)
        sight = point / np.linalg.norm(point)
        assert np.allclose(place, point - 0.1 * sight)
        assert np.allclose(rotation[:, 2], sight)
    assert process.stop() == 0, process.output
