# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Depth and camera_info that look right and would give wrong points are refused by name."""

from types import SimpleNamespace

import numpy as np
import pytest

from affordance_ros.spatial.plausible import RgbdChecks
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.spatial.rgbd import read_rgbd
from tests.support.camera_infos import camera_info
from tests.support.image_messages import message

SIZE = (480, 640)
COLOUR, DEPTH = 'camera_color_optical_frame', 'camera_depth_optical_frame'


def of_frame(content, frame_id):
    content.header = SimpleNamespace(frame_id=frame_id)
    return content


def metres(value=0.7):
    return message(np.full(SIZE, value, np.float32), '32FC1')


def slanted():
    """Return a table seen at a slant, 600 to 1,199 mm, with noise of 2 mm."""
    rows = np.linspace(600, 1199, SIZE[0])[:, None] + np.zeros(SIZE[1])
    return np.rint(rows + np.random.default_rng(0).normal(0, 2, SIZE)).astype(np.uint16)


@pytest.mark.parametrize(
    ('image', 'depth', 'info', 'cause'),
    [
        (COLOUR, COLOUR, COLOUR, ''),
        (COLOUR, '', '', ''),
        ('', COLOUR, COLOUR, ''),
        (f'/{COLOUR}', COLOUR, f'/{COLOUR}', ''),
        (COLOUR, DEPTH, COLOUR, 'depth_frame'),
        (COLOUR, COLOUR, DEPTH, 'info_frame'),
        ('', COLOUR, DEPTH, 'info_frame'),
    ],
)
def test_depth_and_camera_info_of_another_frame_give_no_points(image, depth, info, cause):
    depths, infos = of_frame(metres(), depth), of_frame(camera_info(), info)
    found = read_rgbd(depths, infos, size=SIZE, frame_id=image)
    if not cause:
        assert isinstance(found, Rgbd)
        return
    assert (found.reason, found.cause) == ('unusable', cause)
    assert 'set allow_other_frames' in found.text
    allowed = RgbdChecks(allow_other_frames=True)
    assert isinstance(read_rgbd(depths, infos, size=SIZE, frame_id=image, checks=allowed), Rgbd)


@pytest.mark.parametrize(
    ('depth', 'cause'),
    [
        (message(np.full(SIZE, 1000, np.float32), '32FC1'), 'implausible_depth'),  # millimetres
        (message(np.full(SIZE, 1, np.uint16), '16UC1'), 'implausible_depth'),  # metres
        (message(np.full(SIZE, 1000, '>u2'), '16UC1'), 'implausible_depth'),  # 59 m
        (message(np.full(SIZE, 0.7, '>f4'), '32FC1'), 'implausible_depth'),
        (message(slanted().astype('>u2'), '16UC1'), 'byte_order'),
        (message(slanted(), '16UC1', big_endian=True), 'byte_order'),
        (message(slanted(), '16UC1'), ''),
        (message(slanted().astype('>u2'), '16UC1', big_endian=True), ''),
        (metres(19.9), ''),
    ],
)
def test_depth_of_another_unit_or_byte_order_gives_no_points(depth, cause):
    found = read_rgbd(depth, camera_info(), size=SIZE)
    assert (found.cause if isinstance(found, NoRgbd) else '') == cause


def test_the_limit_of_depth_can_be_raised():
    far = metres(40.0)
    assert read_rgbd(far, camera_info(), size=SIZE).cause == 'implausible_depth'
    for limit in (0.0, 50.0):
        found = read_rgbd(far, camera_info(), size=SIZE, checks=RgbdChecks(max_depth_m=limit))
        assert np.nanmax(found.depth.metres()) == np.float32(40.0)
    with pytest.raises(ValueError, match='max_depth_m -1'):
        RgbdChecks(max_depth_m=-1)


def test_saturated_depth_and_depth_beyond_the_limit_is_unknown():
    raw = slanted()
    raw[:, :100], raw[:, 100:200] = 65535, 30_000
    z = read_rgbd(message(raw, '16UC1'), camera_info(), size=SIZE).depth.metres()
    assert np.isnan(z[:, :200]).all()
    np.testing.assert_allclose(z[:, 200:], raw[:, 200:] / 1000, rtol=1e-6)


@pytest.mark.parametrize(
    ('fields', 'size', 'cause'),
    [
        # 1280x720's intrinsics under the size that the driver was set to.
        ({'fx': 910, 'fy': 910, 'cx': 640, 'cy': 360}, SIZE, 'off_centre'),
        ({'cx': 0.5, 'cy': 0.5}, SIZE, 'off_centre'),
        ({'cx': 300, 'cy': 250}, SIZE, ''),
        # A region off the centre of the sensor, whose own axis is far off its centre.
        ({'roi_x_offset': 20, 'roi_y_offset': 10, 'roi_width': 160, 'roi_height': 120},
         (120, 160), ''),
        ({'binning_x': 2, 'binning_y': 2}, (240, 320), ''),
    ],
)  # fmt: skip
def test_intrinsics_of_another_image_size_give_no_points(fields, size, cause):
    depth = message(np.full(size, 0.7, np.float32), '32FC1')
    found = read_rgbd(depth, camera_info(**fields), size=size)
    assert (found.cause if isinstance(found, NoRgbd) else '') == cause
