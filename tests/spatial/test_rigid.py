# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Rigid motions against scipy's."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.spatial.transform import Slerp

from affordance_ros.spatial.rigid import Rigid
from affordance_ros.spatial.rigid import matrix
from affordance_ros.spatial.rigid import product


def random_rigid(rng):
    return Rigid(Rotation.random(rng=rng).as_quat(), rng.normal(size=3))


def test_turns_are_those_of_scipy(rng):
    for _ in range(20):
        p, q = Rotation.random(rng=rng), Rotation.random(rng=rng)
        np.testing.assert_allclose(matrix(p.as_quat()), p.as_matrix(), atol=1e-12)
        both = Rotation.from_quat(product(p.as_quat(), q.as_quat()))
        np.testing.assert_allclose(both.as_matrix(), (p * q).as_matrix(), atol=1e-12)


def test_motions_are_chained_and_go_back(rng):
    places = rng.normal(size=(7, 3))
    for _ in range(20):
        a, b = random_rigid(rng), random_rigid(rng)
        expected = Rotation.from_quat(a.turn).apply(b.apply(places)) + a.shift
        np.testing.assert_allclose((a @ b).apply(places), expected, atol=1e-12)
        np.testing.assert_allclose(a.inverse().apply(a.apply(places)), places, atol=1e-12)


@pytest.mark.parametrize('share', [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize('sign', [1, -1])
def test_a_share_of_the_way_is_slerp_and_linear(rng, share, sign):
    for _ in range(20):
        a, b = random_rigid(rng), random_rigid(rng)
        found = a.towards(Rigid(sign * b.turn, b.shift), share)  # q and -q are one turn
        slerp = Slerp([0, 1], Rotation.from_quat([a.turn, b.turn]))
        expected = slerp(share).as_matrix()
        np.testing.assert_allclose(matrix(found.turn), expected, atol=1e-9)
        np.testing.assert_allclose(found.shift, (1 - share) * a.shift + share * b.shift)


def test_hardly_any_turn_is_no_division_by_nothing():
    still = Rigid.identity()
    nearly = Rigid(Rotation.from_rotvec([1e-9, 0, 0]).as_quat(), np.zeros(3))
    for other in (still, nearly):
        np.testing.assert_allclose(still.towards(other, 0.5).turn, [0, 0, 0, 1], atol=1e-8)
