# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The tree of frames: places at a moment, and errors that say what is missing."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from affordance_ros.spatial.frame_tree import FrameError
from affordance_ros.spatial.frame_tree import FrameTree
from affordance_ros.spatial.rigid import Rigid

S = 10**9


def shifted(x, y=0.0, z=0.0):
    return Rigid(np.array([0.0, 0.0, 0.0, 1.0]), np.array([x, y, z]))


def turned(degrees):
    return Rigid(Rotation.from_euler('z', degrees, degrees=True).as_quat(), np.zeros(3))


@pytest.fixture
def tree():
    """A robot: the arm moves on the base; the camera on the arm and the lidar stand still."""
    tree = FrameTree()
    tree.add('camera', 'arm', shifted(0, 0, 1), stamp_ns=None)
    tree.add('lidar', 'base', shifted(-1), stamp_ns=None)
    tree.add('arm', 'base', shifted(0), stamp_ns=10 * S)
    tree.add('arm', 'base', shifted(4), stamp_ns=12 * S)
    return tree


def place(tree, target, source, seconds):
    return tree.look_up(target, source, int(seconds * S)).apply([0, 0, 0]).tolist()


def test_between_two_stamps_it_is_interpolated(tree):
    assert place(tree, 'base', 'camera', 10) == [0, 0, 1]
    assert place(tree, 'base', 'camera', 11) == pytest.approx([2, 0, 1])
    assert place(tree, 'base', 'camera', 11.5) == pytest.approx([3, 0, 1])
    assert place(tree, 'base', 'camera', 12) == [4, 0, 1]
    tree.add('tool', 'arm', turned(0), stamp_ns=10 * S)
    tree.add('tool', 'arm', turned(90), stamp_ns=12 * S)
    half = tree.look_up('arm', 'tool', 11 * S).apply([1, 0, 0])
    np.testing.assert_allclose(half, [np.sqrt(0.5), np.sqrt(0.5), 0], atol=1e-12)


def test_the_way_leads_up_down_and_across(tree):
    assert place(tree, 'camera', 'base', 11) == pytest.approx([-2, 0, -1])
    assert place(tree, 'lidar', 'camera', 11) == pytest.approx([3, 0, 1])
    assert place(tree, 'camera', 'lidar', 11) == pytest.approx([-3, 0, -1])
    assert place(tree, 'camera', 'camera', 99) == [0, 0, 0]
    # What is fixed to the arm needs no place of the arm.
    assert place(tree, 'arm', 'camera', 99) == [0, 0, 1]


def test_a_long_chain_equals_scipys_products(rng):
    tree, motions = FrameTree(), []
    for number in range(6):
        motions.append(Rigid(Rotation.random(rng=rng).as_quat(), rng.normal(size=3)))
        tree.add(f'f{number + 1}', f'f{number}', motions[-1], stamp_ns=None)
    point = rng.normal(size=3)
    expected = point
    for motion in reversed(motions[1:]):
        expected = Rotation.from_quat(motion.turn).apply(expected) + motion.shift
    np.testing.assert_allclose(tree.look_up('f1', 'f6', 0).apply(point), expected, atol=1e-12)


@pytest.mark.parametrize(
    ('target', 'source', 'seconds', 'text'),
    [
        ('base', 'camera', 12.25, "the newest transform of frame 'arm' is 0.250 s older"),
        ('base', 'camera', 9.5, "the oldest transform of frame 'arm' is 0.500 s newer"),
        ('camera', 'lidar', 12.25, "the newest transform of frame 'arm' is 0.250 s older"),
        ('base', 'gripper', 11, "nothing is known of frame 'gripper'; known frames: arm, base, c"),
        ('map', 'camera', 11, "nothing is known of frame 'map'"),
        ('table', 'camera', 11, "not connected: one ends at 'base', the other at 'room'"),
    ],
)
def test_what_is_missing_is_named(tree, target, source, seconds, text):
    tree.add('table', 'room', shifted(1), stamp_ns=None)
    with pytest.raises(FrameError, match=text):
        tree.look_up(target, source, int(seconds * S))


def test_an_empty_tree_knows_no_frame():
    with pytest.raises(FrameError, match=r"frame 'a'; known frames: none"):
        FrameTree().look_up('b', 'a', 0)


def test_a_ring_is_named(tree):
    tree.add('base', 'camera', shifted(1), stamp_ns=None)
    with pytest.raises(FrameError, match='camera, arm, base lie in a ring'):
        tree.look_up('lidar', 'camera', 11 * S)


def test_stamps_may_come_out_of_order_and_twice(tree):
    tree.add('arm', 'base', shifted(1), stamp_ns=11 * S)
    tree.add('arm', 'base', shifted(99), stamp_ns=11 * S)
    assert place(tree, 'base', 'arm', 11) == [1, 0, 0]
    assert place(tree, 'base', 'arm', 11.5) == pytest.approx([2.5, 0, 0])


def test_what_is_old_is_forgotten(tree):
    tree.add('arm', 'base', shifted(5), stamp_ns=21 * S)
    with pytest.raises(FrameError, match=r'1\.000 s newer'):
        tree.look_up('base', 'arm', 11 * S)
    assert place(tree, 'base', 'arm', 12) == [4, 0, 0]


def test_time_that_is_set_back_forgets_the_future(tree):
    tree.add('arm', 'base', shifted(7), stamp_ns=1 * S)
    assert place(tree, 'base', 'arm', 1) == [7, 0, 0]
    with pytest.raises(FrameError, match='older'):
        tree.look_up('base', 'arm', 11 * S)


def test_between_two_parents_the_first_one_holds(tree):
    tree.add('arm', 'map', shifted(9), stamp_ns=13 * S)
    assert place(tree, 'base', 'arm', 12.5) == [4, 0, 0]
    assert place(tree, 'map', 'arm', 13) == [9, 0, 0]


def test_stamp_0_is_the_latest_moment_that_all_frames_know(tree):
    """As tf2's TimePointZero: with the arm known to 12 s and the tool to 11 s, that is 11 s."""
    assert place(tree, 'base', 'camera', 0) == [4, 0, 1]
    tree.add('tool', 'arm', shifted(0), stamp_ns=10 * S)
    tree.add('tool', 'arm', shifted(2), stamp_ns=11 * S)
    assert place(tree, 'base', 'tool', 0) == pytest.approx([4, 0, 0])  # 2 of the arm, 2 of its own
    assert place(tree, 'arm', 'tool', 0) == [2, 0, 0]
    assert place(tree, 'arm', 'camera', 0) == [0, 0, 1]  # fixed to each other
    with pytest.raises(FrameError, match="nothing is known of frame 'nowhere'"):
        place(tree, 'nowhere', 'tool', 0)


def test_names_with_tf1s_slash_match(tree):
    tree.add('/tool', '/arm', shifted(1), stamp_ns=None)
    assert place(tree, 'base', '/tool', 12) == place(tree, '/base', 'tool', 12) == [5, 0, 0]
