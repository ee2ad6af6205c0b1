# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from affordance_ros.spatial.approach import approach_quaternion

TOWARDS_CAMERA = np.array([0.0, 0.0, -1.0])


def rotate(quaternion, vector):
    """Rotate by the Hamilton product q v q*, written out."""
    x, y, z, w = quaternion
    axis = np.array([x, y, z])
    return vector + 2 * np.cross(axis, np.cross(axis, vector) + w * np.asarray(vector))


def random_normals(rng, count):
    normals = rng.normal(size=(count, 3))
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def test_x_points_into_the_surface_y_lies_level_and_the_frame_is_right_handed(rng):
    for normal in random_normals(rng, 500):
        quaternion = approach_quaternion(normal)
        assert np.linalg.norm(quaternion) == pytest.approx(1.0)
        assert quaternion[3] >= 0
        x, y, z = (rotate(quaternion, axis) for axis in np.eye(3))
        np.testing.assert_allclose(x, -normal, atol=1e-9)
        np.testing.assert_allclose(np.cross(x, y), z, atol=1e-9)
        if abs(normal[1]) < 0.99:
            assert y[1] == pytest.approx(0.0, abs=1e-9)  # level in the image
            assert z[1] < 0  # up in the image


@pytest.mark.parametrize('normal', [*np.eye(3), *-np.eye(3)])
def test_approaches_along_an_axis_have_an_orientation_too(normal):
    x, y, z = (rotate(approach_quaternion(normal), axis) for axis in np.eye(3))
    np.testing.assert_allclose(x, -normal, atol=1e-9)
    np.testing.assert_allclose(np.cross(x, y), z, atol=1e-9)


def test_a_wall_before_the_camera_is_approached_along_its_axis():
    quaternion = approach_quaternion(TOWARDS_CAMERA)
    np.testing.assert_allclose(rotate(quaternion, [1, 0, 0]), [0, 0, 1], atol=1e-9)
    np.testing.assert_allclose(rotate(quaternion, [0, 0, 1]), [0, -1, 0], atol=1e-9)


def test_orientations_equal_scipys(rng):
    rotations = pytest.importorskip('scipy.spatial.transform')
    for normal in random_normals(rng, 100):
        quaternion = np.array(approach_quaternion(normal))
        matrix = np.column_stack([rotate(quaternion, axis) for axis in np.eye(3)])
        expected = rotations.Rotation.from_matrix(matrix).as_quat()
        assert abs(quaternion @ expected) == pytest.approx(1.0)
