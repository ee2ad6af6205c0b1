# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.pinhole import PinholeError
from tests.support.camera_infos import camera_info

SIZE = (480, 640)
ZEROS_K, ZEROS_P = [0.0] * 9, [0.0] * 12


def test_points_go_to_the_pixels_where_opencv_puts_them(rng):
    pinhole = Pinhole.from_info(camera_info(), SIZE)
    points = rng.uniform([-0.5, -0.5, 0.3], [0.5, 0.5, 3.0], (200, 3))
    matrix = np.array([[500.0, 0, 320.5], [0, 510.0, 239.25], [0, 0, 1]])
    expected, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, None)
    np.testing.assert_allclose(pinhole.project(points), expected[:, 0], atol=1e-9)


def test_pixels_come_back_as_the_points_that_they_show(rng):
    for _ in range(20):
        fx, fy, cx, cy = rng.uniform([200, 200, 0, 0], [900, 900, 640, 480])
        pinhole = Pinhole.from_info(camera_info(fx, fy, cx, cy), SIZE)
        points = rng.uniform([-1, -1, 0.2], [1, 1, 5.0], (50, 3))
        x, y = pinhole.project(points).T
        np.testing.assert_allclose(pinhole.deproject(x, y, points[:, 2]), points, atol=1e-9)


def test_a_window_of_pixels_broadcasts_and_unknown_depth_stays_unknown():
    pinhole = Pinhole.from_info(camera_info(), SIZE)
    z = np.array([[0.5, np.nan]])
    points = pinhole.deproject(np.array([10, 11]), np.array([[20]]), z)
    assert points.shape == (1, 2, 3)
    assert np.isnan(points[0, 1]).all()
    assert points[0, 0].tolist() == pytest.approx([(10 - 320.5) / 1000, (20 - 239.25) / 1020, 0.5])


def test_p_goes_before_k_and_its_last_column_is_left_alone():
    p = [400.0, 0, 300.0, -44.0, 0, 410.0, 200.0, 0, 0, 0, 1, 0]
    pinhole = Pinhole.from_info(camera_info(p=p), SIZE)
    assert (pinhole.fx, pinhole.fy, pinhole.cx, pinhole.cy) == (400.0, 410.0, 300.0, 200.0)
    assert pinhole.deproject(300.0, 200.0, 1.0).tolist() == [0.0, 0.0, 1.0]


def test_k_serves_where_p_is_not_set():
    pinhole = Pinhole.from_info(camera_info(p=[*ZEROS_P[:10], 1.0, 0.0], d=[]), SIZE)
    assert (pinhole.fx, pinhole.cy) == (500.0, 239.25)
    assert pinhole.warning == ''


@pytest.mark.parametrize(
    ('changes', 'cause', 'text'),
    [
        ({'k': ZEROS_K, 'p': ZEROS_P}, 'uncalibrated', r'not calibrated \(fx = 0, fy = 0'),
        ({'fx': float('nan')}, 'uncalibrated', 'fx = nan'),
        ({'fy': -500.0}, 'uncalibrated', 'fy = -500'),
        ({'cx': float('inf')}, 'uncalibrated', 'cx = inf'),
        (
            {'p': ZEROS_P, 'd': [0.1, -0.25, 0, 0, 0]},
            'unrectified',
            r'no P, and its lens distorts \(plumb_bob, d = \[0.1, -0.25, 0, 0, 0\]\): give',
        ),
        ({'width': 0, 'height': 0}, 'info_size', '0x0 pixels, and the image has 640x480'),
        ({'width': 1280, 'height': 960}, 'info_size', '1280x960 pixels'),
        ({'binning_x': 2, 'binning_y': 2}, 'info_size', '320x240 pixels'),
        ({'roi_width': 320, 'roi_height': 200}, 'info_size', '320x200 pixels'),
    ],
)
def test_what_can_not_be_used_is_named(changes, cause, text):
    with pytest.raises(PinholeError, match=text) as error:
        Pinhole.from_info(camera_info(**changes), SIZE)
    assert error.value.cause == cause


def test_a_distorting_lens_with_p_is_taken_as_rectified_with_a_warning():
    pinhole = Pinhole.from_info(camera_info(d=[0.1, 0, 0, 0, 0]), SIZE)
    assert (pinhole.fx, pinhole.cx) == (500.0, 320.5)
    assert 'taken to be rectified' in pinhole.warning
    assert pinhole.resized((240, 320)).warning == pinhole.warning
    assert Pinhole.from_info(camera_info(), SIZE).warning == ''


def shown(pinhole, point):
    """Return where the pinhole puts a point, in shares of its image's sides."""
    (height, width), (x, y) = pinhole.size, pinhole.project(point)
    return (x + 0.5) / width, (y + 0.5) / height


def test_binning_and_region_keep_what_a_pixel_shows():
    full = Pinhole.from_info(camera_info(), SIZE)
    binned = Pinhole.from_info(camera_info(binning_x=2, binning_y=4), (120, 320))
    region = Pinhole.from_info(
        camera_info(roi_x_offset=100, roi_y_offset=60, roi_width=200, roi_height=100,
                    binning_x=2, binning_y=2),
        (50, 100),
    )  # fmt: skip
    point = (0.05, -0.1, 0.8)
    assert shown(binned, point) == pytest.approx(shown(full, point))
    x, y = full.project(point)
    inside = ((x - 100 + 0.5) / 200, (y - 60 + 0.5) / 100)
    assert shown(region, point) == pytest.approx(inside)


@pytest.mark.parametrize('size', [(240, 320), (480, 640), (960, 1280), (120, 160), (300, 400)])
def test_depth_of_another_size_sees_the_same_thing_at_the_same_place(rng, size):
    full = Pinhole.from_info(camera_info(), SIZE)
    other = full.resized(size)
    assert other.size == size
    for point in rng.uniform([-0.3, -0.3, 0.5], [0.3, 0.3, 2.0], (20, 3)):
        assert shown(other, point) == pytest.approx(shown(full, point))


def test_resizing_agrees_with_opencvs_resize():
    """A blob's centre moves as the pinhole says when OpenCV makes the image smaller."""
    rows, columns = np.mgrid[:480, :640]
    blob = np.exp(-((columns - 401.3) ** 2 + (rows - 120.7) ** 2) / (2 * 12.0**2))
    small = cv2.resize(blob, (160, 120), interpolation=cv2.INTER_AREA)
    rows, columns = np.mgrid[:120, :160]
    centre = [(small * axis).sum() / small.sum() for axis in (columns, rows)]
    full = Pinhole.from_info(camera_info(), SIZE)
    point = full.deproject(401.3, 120.7, 1.0)
    assert full.resized((120, 160)).project(point) == pytest.approx(centre, abs=0.01)


@pytest.mark.parametrize('size', [(480, 848), (479, 640), (360, 640), (1, 640), (720, 1280)])
def test_depth_of_another_aspect_ratio_is_refused(size):
    full = Pinhole.from_info(camera_info(), SIZE)
    with pytest.raises(PinholeError, match=f'{size[1]}x{size[0]} pixels does not fit') as error:
        full.resized(size)
    assert error.value.cause == 'depth_size'


def test_sides_that_were_rounded_are_the_same_aspect_ratio():
    wide = Pinhole.from_info(camera_info(width=1280, height=720), (720, 1280))
    assert wide.resized((240, 427)).size == (240, 427)  # 426.67
    small = Pinhole.from_info(camera_info(width=427, height=240), (240, 427))
    assert small.resized((720, 1280)).size == (720, 1280)
