# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What recordings show in 3D, read back by rerun's own reader."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from affordance_ros.cli.bag import main as bag_main
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.rgbd import NO_DEPTH
from affordance_ros.spatial.rgbd import read_rgbd
from affordance_ros.spatial.rigid import matrix
from affordance_ros.targets.target import Target
from affordance_ros.viz.rerun_log import record
from tests.bag.test_rgbd import MODEL
from tests.bag.test_rgbd import record as record_bag
from tests.support.bag_fixture import read_all
from tests.support.camera_infos import camera_info
from tests.viz.test_rerun_log import needs_rerun
from tests.viz.test_rerun_log import read_rrd

pytestmark = needs_rerun

HEIGHT, WIDTH = 120, 160
FX, FY, CX, CY = 150.0, 160.0, 79.25, 60.5


@pytest.fixture
def image(photos):
    return cv2.resize(next(iter(photos.values())), (WIDTH, HEIGHT))


def depth_message(metres):
    """Return a 32FC1 Image of metres, (H, W) float32."""
    height, width = metres.shape
    return SimpleNamespace(
        height=height, width=width, encoding='32FC1', is_bigendian=0, step=4 * width,
        data=metres.tobytes(),
    )  # fmt: skip


def test_depth_points_approaches_and_the_pose_come_back(tmp_path, image):
    metres = np.linspace(0.5, 2.0, HEIGHT * WIDTH // 4, dtype=np.float32).reshape(60, 80)
    metres[3, 7] = np.nan
    metres[4, 8] = 70.0  # beyond what 16 bits hold
    message = depth_message(metres)  # of half the image's size
    info = camera_info(FX, FY, CX, CY, width=WIDTH, height=HEIGHT)
    scene = read_rgbd(message, info, size=(HEIGHT, WIDTH))
    place, normal = np.array([0.1, -0.2, 0.9]), np.array([0.6, 0.0, -0.8])
    targets = [Target(20.0, 30.0, 0.75), Target(5.0, 6.0, 0.5), Target(50.0, 60.0, 0.4)]
    points = [SurfacePoint(place, normal), NoPoint('hole'), SurfacePoint(2 * place, None)]
    with record(tmp_path / 'a.rrd') as recording:
        for number in range(2):
            recording.log(
                image, text='cut', targets=targets, overlay_bgr=image,
                rgbd=NO_DEPTH if number else scene,
                points=[NoPoint('no_depth')] * 3 if number else points,
            )  # fmt: skip
    found = read_rrd(tmp_path / 'a.rrd')

    def values(key):
        return [(frame, value) for frame, _, value in found[f'/scene/{key}']]

    (lens,) = values('camera:image_from_camera')
    columns = np.reshape(lens[1], (3, 3))  # rerun keeps matrices by columns
    expected = [[FX / 2, 0, 0], [0, FY / 2, 0], [(CX + 0.5) / 2, (CY + 0.5) / 2, 1]]
    np.testing.assert_allclose(columns, expected, rtol=1e-6)
    (depth,) = values('camera/depth:buffer')
    kept = np.asarray(depth[1][0], np.uint8).view(np.uint16).reshape(60, 80)
    exact = np.rint(1000 * metres.astype(np.float64))
    exact[3, 7] = exact[4, 8] = 0
    np.testing.assert_allclose(kept, exact, atol=1)
    assert kept[3, 7] == kept[4, 8] == 0
    assert values('camera/depth:meter')[0][1] == [1000.0]
    first, second = values('targets:positions')
    np.testing.assert_allclose(first[1], [place, 2 * place], rtol=1e-6)
    assert values('targets:labels')[0][1] == ['0.75', '0.40']
    assert second[1] == []
    arrows, none = values('approaches:vectors')
    np.testing.assert_allclose(arrows[1], [-0.1 * normal], rtol=1e-6)
    origins = values('approaches:origins')[0][1]
    np.testing.assert_allclose(np.add(origins, arrows[1]), [place], rtol=1e-6)
    assert none[1] == []
    (turn,) = values('target_pose:quaternion')
    np.testing.assert_allclose(matrix(np.array(turn[1][0]))[:, 0], -normal, atol=1e-6)
    np.testing.assert_allclose(values('target_pose:translation')[0][1], [place], rtol=1e-6)
    for entity in ('camera/depth', 'target_pose'):
        assert [frame for frame, _ in values(f'{entity}:is_recursive')] == [1], 'it stays on'


def test_the_bag_tool_records_the_points_that_it_writes(tmp_path, image):
    bag, out = record_bag(tmp_path / 'in', image), tmp_path / 'out.rrd'
    assert (
        bag_main([str(bag), str(tmp_path / 'out'), '-c', 'cut', '--rerun', str(out), *MODEL]) == 0
    )
    written, found = read_all(tmp_path / 'out')['/grounding/targets'], read_rrd(out)
    recorded = found['/scene/targets:positions']
    assert len(recorded) == len(written) > 0
    for (_, _, message), (_, _, places) in zip(written, recorded, strict=True):
        points = [[t.point.x, t.point.y, t.point.z] for t in message.targets if t.has_point]
        assert points
        np.testing.assert_allclose(places, points, rtol=1e-6)
    assert len(found['/scene/camera/depth:buffer']) == len(written)
    assert len(found['/scene/target_pose:quaternion']) == len(written)


def test_a_bag_without_depth_records_nothing_in_3d(tmp_path, image):
    bag, out = record_bag(tmp_path / 'in', image, depth=False), tmp_path / 'out.rrd'
    assert (
        bag_main([str(bag), str(tmp_path / 'out'), '-c', 'cut', '--rerun', str(out), *MODEL]) == 0
    )
    found = read_rrd(out)
    assert '/image/targets:positions' in found
    assert not [key for key in found if key.startswith('/scene/targets')]
