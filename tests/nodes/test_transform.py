# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Points, poses and markers in another frame, against quaternion algebra written out."""

import numpy as np
import pytest

from affordance_ros.spatial.rigid import Rigid

pytestmark = [pytest.mark.ros]


def product(p, q):
    """Multiply quaternions (x, y, z, w) as Hamilton's basis does: i j = k, j k = i, k i = j."""
    # What each pair of basis elements gives: its index in (i, j, k, 1), and its sign.
    table = {
        (0, 0): (3, -1), (0, 1): (2, 1), (0, 2): (1, -1), (0, 3): (0, 1),
        (1, 0): (2, -1), (1, 1): (3, -1), (1, 2): (0, 1), (1, 3): (1, 1),
        (2, 0): (1, 1), (2, 1): (0, -1), (2, 2): (3, -1), (2, 3): (2, 1),
        (3, 0): (0, 1), (3, 1): (1, 1), (3, 2): (2, 1), (3, 3): (3, 1),
    }  # fmt: skip
    result = np.zeros(4)
    for (a, b), (index, sign) in table.items():
        result[index] += sign * p[a] * q[b]
    return result


def moved(point, turn, shift):
    """Return q p q* + t."""
    conjugate = turn * [-1, -1, -1, 1]
    return product(product(turn, np.array([*point, 0.0])), conjugate)[:3] + shift


def random_turn(rng):
    turn = rng.normal(size=4)
    return turn / np.linalg.norm(turn)


def fill(message, values):
    for name, value in zip('xyzw', values, strict=False):
        setattr(message, name, float(value))
    return message


def array(message):
    return np.array([getattr(message, name) for name in 'xyzw' if hasattr(message, name)])


@pytest.fixture
def change(rng):
    from std_msgs.msg import Header

    from affordance_ros.nodes.grounding.transform import FrameChange

    motion = Rigid(random_turn(rng), rng.normal(size=3))
    return FrameChange(Header(frame_id='base_link'), motion)


def test_points_and_poses_are_moved_as_quaternions_say(rng, change):
    from geometry_msgs.msg import PointStamped
    from geometry_msgs.msg import PoseStamped

    turn, shift = change.motion.turn, change.motion.shift
    for _ in range(20):
        place, own = rng.normal(size=3), random_turn(rng)
        point = PointStamped()
        fill(point.point, place)
        got = change.move_point(point)
        assert got.header.frame_id == 'base_link'
        np.testing.assert_allclose(array(got.point), moved(place, turn, shift), atol=1e-12)
        pose = PoseStamped()
        fill(pose.pose.position, place)
        fill(pose.pose.orientation, own)
        got = change.move_pose(pose)
        assert got.header.frame_id == 'base_link'
        np.testing.assert_allclose(array(got.pose.position), moved(place, turn, shift), atol=1e-12)
        np.testing.assert_allclose(array(got.pose.orientation), product(turn, own), atol=1e-12)
        # So the pose's x axis, the approach, is turned as any direction is.
        x_axis = moved([1, 0, 0], array(got.pose.orientation), 0)
        expected = moved(moved([1, 0, 0], own, 0), turn, 0)
        np.testing.assert_allclose(x_axis, expected, atol=1e-12)


def test_markers_are_moved_with_their_arrows(change):
    from std_msgs.msg import Header

    from affordance_ros.nodes.spatial_messages import to_markers
    from affordance_ros.spatial.extent import Extent
    from affordance_ros.spatial.lift import SurfacePoint
    from affordance_ros.spatial.located import LocatedTarget
    from affordance_ros.targets.target import Target

    turn, shift = change.motion.turn, change.motion.shift
    place, normal = np.array([0.1, -0.2, 0.7]), np.array([0.6, 0.0, -0.8])
    extent = Extent(np.array([0.1, -0.1, 0.72]), np.array([0.1, 0.2, 0.03]), 0.7, 0.01)
    located = LocatedTarget(Target(3.0, 4.0, 0.9), SurfacePoint(place, normal), extent)
    before = to_markers([located], 'cut', header=Header(frame_id='camera'))
    start = array(before.markers[3].points[0])
    clear, ball, text, arrow, box = change.move_markers(before).markers
    assert {m.header.frame_id for m in (clear, ball, text, arrow, box)} == {'base_link'}
    middle = moved(extent.centre, turn, shift)
    np.testing.assert_allclose(array(box.pose.position), middle, atol=1e-12)
    np.testing.assert_allclose(array(box.pose.orientation), turn, atol=1e-12)
    expected = moved(place, turn, shift)
    np.testing.assert_allclose(array(ball.pose.position), expected, atol=1e-12)
    np.testing.assert_allclose(array(arrow.points[1]), expected, atol=1e-12)
    np.testing.assert_allclose(array(arrow.points[0]), moved(start, turn, shift), atol=1e-12)
    assert arrow.pose.orientation.w == 1.0  # or the arrow would be turned twice
    # The text stays above the ball, as the camera sees it.
    up = array(text.pose.position) - array(ball.pose.position)
    np.testing.assert_allclose(up, moved([0, -0.03, 0], turn, 0), atol=1e-12)
