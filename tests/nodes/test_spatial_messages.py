# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Points and clouds as messages, read back by what has nothing to do with us."""

import numpy as np
import pytest

from affordance_ros.spatial.cloud import make_cloud
from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import locate
from affordance_ros.spatial.located import LocatedTarget
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.targets.target import Target
from affordance_ros.text.commands import BoundCommand
from tests.support.depth_damage import as_depth
from tests.support.located import LOCATED
from tests.support.located import POINTS
from tests.support.located import SIZE
from tests.support.located import through_rosbags

pytestmark = [pytest.mark.ros]

PINHOLE = Pinhole(30.0, 31.0, 15.2, 11.8, SIZE)


def clouds(rng):
    """Yield clouds of every kind: organised and not, with and without holes, empty."""
    depth = rng.uniform(0.3, 2.0, (24, 32)).astype(np.float32)
    heat = rng.random((24, 32), np.float32)
    for holes in (False, True):
        if holes:
            depth = np.where(rng.random((24, 32)) < 0.2, np.nan, depth).astype(np.float32)
        for organised in (False, True):
            for min_heat in (0.0, 0.5, 1.5):
                yield make_cloud(
                    heat,
                    depth=as_depth(depth),
                    pinhole=PINHOLE,
                    min_heat=min_heat,
                    organised=organised,
                )


NUMPY_TYPES = {7: 'f4'}  # sensor_msgs/PointField: FLOAT32


def read_points(message):
    """Read a PointCloud2 by its own description: fields, steps and byte order."""
    order = '>' if message.is_bigendian else '<'
    kind = np.dtype(
        {
            'names': [field.name for field in message.fields],
            'formats': [order + NUMPY_TYPES[field.datatype] for field in message.fields],
            'offsets': [field.offset for field in message.fields],
            'itemsize': message.point_step,
        }
    )
    strides = (message.row_step, message.point_step)
    return np.ndarray((message.height, message.width), kind, bytes(message.data), strides=strides)


def test_numpy_reads_the_cloud_back_from_what_rosbags_heard(rng, header):
    from affordance_ros.nodes.spatial_messages import to_cloud

    for cloud in clouds(rng):
        message = through_rosbags(to_cloud(cloud, header=header), 'sensor_msgs/msg/PointCloud2')
        assert message.header.frame_id == 'camera_optical_frame'
        assert (message.header.stamp.sec, message.header.stamp.nanosec) == (12, 34)
        assert len(message.data) == message.row_step * message.height
        assert [field.count for field in message.fields] == [1, 1, 1, 1]
        points = read_points(message)
        assert points.dtype.names == ('x', 'y', 'z', 'heat')
        for index, name in enumerate(points.dtype.names):
            np.testing.assert_array_equal(points[name], cloud.points[..., index])
        finite = all(np.isfinite(points[name]).all() for name in 'xyz')
        assert message.is_dense == finite == cloud.is_dense


def test_sensor_msgs_py_reads_the_cloud_back(rng, header):
    """Where sensor_msgs_py is installed (ros-$ROS_DISTRO-sensor-msgs-py)."""
    point_cloud2 = pytest.importorskip('sensor_msgs_py.point_cloud2')
    from affordance_ros.nodes.spatial_messages import to_cloud

    for cloud in clouds(rng):
        message = to_cloud(cloud, header=header)
        points = point_cloud2.read_points(message)
        for index, name in enumerate(('x', 'y', 'z', 'heat')):
            np.testing.assert_array_equal(points[name], cloud.points[..., index].ravel())
        valid = point_cloud2.read_points(message, skip_nans=True)
        assert len(valid) == np.isfinite(cloud.points).all(axis=-1).sum()


@pytest.mark.parametrize('encoding', ['16UC1', '32FC1'])
def test_a_point_is_found_in_messages_as_rclpy_and_as_rosbags_bring_them(header, encoding):
    """The node reads rclpy's messages, the bag tool those of rosbags: both give the same point."""
    from affordance_ros.nodes.messages import to_camera_info
    from affordance_ros.nodes.messages import to_image

    kind, unit = (np.uint16, 1000) if encoding == '16UC1' else (np.float32, 1)
    depth = to_image(np.full((24, 32), 0.7 * unit, kind), encoding, header=header)
    matrix = np.array([[30.0, 0, 15.2], [0, 31.0, 11.8], [0, 0, 1]])
    info = to_camera_info(matrix, (24, 32), header=header)
    pairs = [
        (depth, info),
        (
            through_rosbags(depth, 'sensor_msgs/msg/Image'),
            through_rosbags(info, 'sensor_msgs/msg/CameraInfo'),
        ),
    ]
    for depth_message, info_message in pairs:
        pinhole = Pinhole.from_info(info_message, (24, 32))
        assert pinhole == PINHOLE
        got = locate(
            Target(20.25, 5.5, 0.8),
            depth=DepthImage.view(depth_message),
            pinhole=pinhole,
        )
        expected = [(20.25 - 15.2) / 30 * 0.7, (5.5 - 11.8) / 31 * 0.7, 0.7]
        np.testing.assert_allclose(got.position, expected, rtol=1e-6)


def test_the_targets_message_says_place_region_point_and_extent(header):
    """Read by rosbags; the numbers are those that went in."""
    from rosbags.typesys import get_types_from_msg

    from affordance_ros.bag.messages import DEFINITIONS
    from affordance_ros.nodes.messages import to_target_array

    message = to_target_array(LOCATED, BoundCommand('hold the mug', 7), size=SIZE, header=header)
    types = {}
    for name, text in DEFINITIONS.items():
        types.update(get_types_from_msg(text, name))
    heard = through_rosbags(message, 'affordance_ros/msg/AffordanceTargetArray', types)
    assert (heard.command, heard.command_id) == ('hold the mug', 7)
    assert (heard.image_height, heard.image_width) == SIZE
    first, second, third = heard.targets
    assert (first.track_id, first.x, first.y) == (4, 3.0, 2.0)
    assert first.score == pytest.approx(0.9)
    box = first.bbox
    assert (box.x_offset, box.y_offset, box.width, box.height) == (2, 1, 5, 3)
    assert first.area_px == 15
    assert first.has_point and (first.point.x, first.point.y, first.point.z) == (0.1, -0.2, 0.7)
    assert first.has_extent
    assert (first.distance_m, first.area_m2) == pytest.approx((0.71, 0.012))
    assert (first.extent_m.x, first.extent_m.y, first.extent_m.z) == (0.1, 0.2, 0.03)
    assert not second.has_point and (second.point.x, second.point.y, second.point.z) == (0, 0, 0)
    assert not third.has_extent and third.distance_m == third.extent_m.x == 0
    assert third.has_point and third.area_px == 0


def test_a_target_point_is_in_the_images_frame(header):
    from affordance_ros.nodes.spatial_messages import to_point

    heard = through_rosbags(
        to_point(POINTS[0].position, header=header), 'geometry_msgs/msg/PointStamped'
    )
    assert heard.header.frame_id == 'camera_optical_frame'
    assert (heard.point.x, heard.point.y, heard.point.z) == (0.1, -0.2, 0.7)


def test_a_target_pose_points_its_x_into_the_surface(header):
    from affordance_ros.nodes.spatial_messages import to_pose

    position, normal = POINTS[0].position, np.array([0.6, 0.0, -0.8])
    heard = through_rosbags(
        to_pose(position, normal, header=header), 'geometry_msgs/msg/PoseStamped'
    )
    assert heard.header.stamp.nanosec == 34
    assert heard.pose.position.z == 0.7
    q = heard.pose.orientation
    x_axis = [
        1 - 2 * (q.y**2 + q.z**2),
        2 * (q.x * q.y + q.z * q.w),
        2 * (q.x * q.z - q.y * q.w),
    ]
    np.testing.assert_allclose(x_axis, -normal, atol=1e-9)


def test_markers_show_points_approaches_scores_and_boxes_and_nothing_of_the_frame_before(header):
    from affordance_ros.nodes.spatial_messages import to_markers

    heard = through_rosbags(
        to_markers(LOCATED, 'hold the mug', header=header), 'visualization_msgs/msg/MarkerArray'
    )
    first, *shown = heard.markers
    assert first.action == first.DELETEALL
    assert [(m.ns, m.id) for m in shown] == [
        ('targets', 0),
        ('scores', 0),
        ('approach', 0),
        ('extents', 0),
        ('targets', 2),
        ('scores', 2),
    ]
    for marker in shown:
        assert marker.header.frame_id == 'camera_optical_frame'
        assert marker.action == marker.ADD
        assert marker.color.a > 0
        assert marker.pose.orientation.w == 1.0
    ball, text, arrow, box = shown[:4]
    assert (ball.pose.position.x, ball.pose.position.y, ball.pose.position.z) == (0.1, -0.2, 0.7)
    assert min(ball.scale.x, ball.scale.y, ball.scale.z, text.scale.z) > 0
    assert text.text == 'hold the mug #4 0.90'
    start, end = arrow.points
    assert (end.x, end.y, end.z) == (0.1, -0.2, 0.7)
    assert start.z < end.z  # it comes from the camera's side
    assert (box.scale.x, box.scale.y, box.scale.z) == (0.1, 0.2, 0.03)
    assert (box.pose.position.x, box.pose.position.y, box.pose.position.z) == (0.0, 0.0, 0.72)


def test_markers_of_a_frame_without_points_only_remove(header):
    from affordance_ros.nodes.spatial_messages import to_markers

    nowhere = [LocatedTarget(one.target, NoPoint('no_depth')) for one in LOCATED]
    assert len(to_markers(nowhere, 'cut', header=header).markers) == 1
    assert len(to_markers([], 'cut', header=header).markers) == 1
