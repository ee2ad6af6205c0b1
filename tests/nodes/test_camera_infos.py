# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A recorded CameraInfo is published again whole, and holds for a scaled image too."""

import numpy as np
import pytest

from affordance_ros.spatial.pinhole import Pinhole
from tests.support.camera_infos import camera_info

pytestmark = pytest.mark.ros
SIZE = (480, 640)
FIELDS = {
    'd': [0.1, -0.2, 0.01, 0.0, 0.3],
    'p': [400.0, 0, 300.0, -44.0, 0, 410.0, 200.0, 0, 0, 0, 1, 0],
}
REGION = {
    'roi_x_offset': 100, 'roi_y_offset': 60, 'roi_width': 200, 'roi_height': 100,
    'binning_x': 2, 'binning_y': 2,
}  # fmt: skip


def copied(**changes):
    from std_msgs.msg import Header

    from affordance_ros.nodes.camera_infos import copy_info

    return copy_info(camera_info(**changes), header=Header(frame_id='camera'))


def test_every_field_is_copied():
    info = copied(**FIELDS, **REGION)
    wanted = camera_info(**FIELDS, **REGION)
    assert info.header.frame_id == 'camera'
    for name in ('height', 'width', 'distortion_model', 'binning_x', 'binning_y'):
        assert getattr(info, name) == getattr(wanted, name)
    for name in 'dkrp':
        assert list(getattr(info, name)) == list(getattr(wanted, name))
    assert (info.roi.x_offset, info.roi.height) == (100, 100)


@pytest.mark.parametrize(('changes', 'before'), [({}, SIZE), (REGION, (50, 100))])
@pytest.mark.parametrize('factor', [0.5, 2, 0.3])
def test_a_scaled_info_shows_points_at_the_same_share_of_the_image(changes, before, factor):
    from affordance_ros.nodes.camera_infos import scale_info

    after = (round(before[0] * factor), round(before[1] * factor))
    info = copied(**FIELDS, **changes)
    scaled = scale_info(info, before, after)
    assert (scaled.height, scaled.width) == after
    assert list(scaled.d) == FIELDS['d']
    point = np.array([0.1, -0.05, 1.0])
    places = [
        (Pinhole.from_info(one, size).project(point) + 0.5) / size[::-1]
        for one, size in ((info, before), (scaled, after))
    ]
    np.testing.assert_allclose(*places)
    assert scaled.p[3] / scaled.p[0] == pytest.approx(info.p[3] / info.p[0])  # the baseline
