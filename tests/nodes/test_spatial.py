# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets in 3D from the node: exact where depth is known, and a named reason where it is not."""

import cv2
import numpy as np
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]

# A loaded machine delivers depth late; nothing here depends on how late.
PATIENT = {'task_command': 'cut', 'depth_wait_s': 1.0}


@pytest.fixture
def photo(photos):
    return cv2.resize(next(iter(photos.values())), (640, 480))


def located(answer):
    """Return pixels and points of an answer's targets that have a point."""
    found = [t for t in answer.targets if t.has_point]
    pixels = np.array([(t.x, t.y) for t in found])
    return pixels, np.array([(t.point.x, t.point.y, t.point.z) for t in found])


def test_a_plane_gives_the_exact_points_pose_markers_and_cloud(log, photo):
    """Of a tilted plane in metres; then in millimetres, and with depth of half the size."""
    from sensor_msgs.msg import PointCloud2
    from visualization_msgs.msg import MarkerArray

    from tests.nodes.test_spatial_messages import read_points
    from tests.package.test_examples import matrix
    from tests.support.rgbd_camera import NORMAL
    from tests.support.rgbd_camera import RgbdCamera
    from tests.support.rgbd_camera import plane_depth
    from tests.support.rgbd_camera import plane_points
    from tests.support.rgbd_camera import to_array
    from tests.support.ros_harness import grounding_node

    metres = plane_depth((480, 640))
    with grounding_node(log, **PATIENT) as (_, probe):
        camera = RgbdCamera(probe)
        camera.first_answer(photo, metres)
        markers, clouds = [], []
        probe.node.create_subscription(MarkerArray, 'grounding/markers', markers.append, 10)
        probe.node.create_subscription(PointCloud2, 'grounding/cloud', clouds.append, 10)

        def heard():
            camera.answer_to(photo, metres)
            return markers and clouds

        probe.spin_until(heard, 'markers and a cloud')
        millimetres = np.rint(metres * 1000).astype(np.uint16)
        half = millimetres[::2, ::2]
        for depth, tolerance in ((metres, 1e-5), (millimetres, 5e-4), (half, 5e-3)):
            answer = camera.answer_to(photo, depth)
            pixels, points = located(answer)
            assert len(points) == len(answer.targets) > 0
            exact = plane_points(*pixels.T)
            np.testing.assert_allclose(points, exact, atol=tolerance)
            outputs = (camera.points, camera.poses, markers, clouds)
            probe.spin_until(
                lambda answer=answer, outputs=outputs: all(
                    answer.header in (getattr(m[-1], 'header', None), _first_header(m[-1]))
                    for m in outputs
                ),
                'point, pose, markers and cloud of the same frame',
            )
            assert (to_array(camera.points[-1].point) == points[0]).all()
            pose = camera.poses[-1].pose
            assert (to_array(pose.position) == points[0]).all()
            turn = pose.orientation
            x_axis = matrix([turn.x, turn.y, turn.z, turn.w])[:, 0]
            np.testing.assert_allclose(x_axis, -NORMAL, atol=max(1e-4, 20 * tolerance))
            balls = [m for m in markers[-1].markers if m.ns == 'targets']
            assert len(balls) == len(points)
            assert (to_array(balls[0].pose.position) == points[0]).all()
            cloud = read_points(clouds[-1])
            assert cloud.shape == depth.shape
            unit = 1 if depth is metres else 1000
            np.testing.assert_allclose(cloud['z'], depth / unit, rtol=1e-6)
        xyz = read_points_of_plane(camera, photo, metres, clouds)
        assert np.abs(xyz @ NORMAL - plane_points(0, 0) @ NORMAL).max() < 1e-5

        # The cloud's parameters act while the node runs.
        assert probe.set_parameter('cloud_organized', False) == (True, '')
        assert probe.set_parameter('cloud_min_heat', 0.4) == (True, '')
        read_points_of_plane(camera, photo, metres, clouds)
        heat = read_points(clouds[-1])['heat']
        assert heat.shape[0] == 1 and 0 < heat.size < metres.size
        assert heat.min() >= np.float32(0.4)


def _first_header(message):
    """Return the header of a MarkerArray's first marker."""
    return message.markers[0].header if hasattr(message, 'markers') else None


def read_points_of_plane(camera, photo, depth, clouds):
    """Send a frame and return its cloud's points, (N, 3)."""
    from tests.nodes.test_spatial_messages import read_points

    header = camera.answer_to(photo, depth).header
    camera.probe.spin_until(lambda: clouds[-1].header == header, 'the cloud')
    cloud = read_points(clouds[-1])
    return np.stack([cloud[name].ravel() for name in 'xyz'], axis=-1)


def test_what_keeps_points_away_is_named_once_and_costs_no_frame(log, photo):
    from tests.support.rgbd_camera import RgbdCamera
    from tests.support.rgbd_camera import plane_depth
    from tests.support.rgbd_camera import stamped
    from tests.support.ros_harness import grounding_node

    metres = plane_depth((480, 640))
    options = {'task_command': 'cut', 'depth_wait_s': 0.01}
    with grounding_node(log, lossless=True, **options) as (process, probe):
        camera = RgbdCamera(probe)
        camera.wait_until_heard()
        times = iter(np.arange(2000.0, 3000.0, 0.25))

        def frames(depth, *, info=True, late_s=0.0):
            """Send eight frames and return the answers."""
            answers = []
            for _ in range(8):
                stamp = next(times)
                camera.send_depth(depth, stamped(stamp + late_s))
                header = stamped(stamp)
                if info:
                    camera.send_info((480, 640), header)
                probe.send(photo, header=header)
                probe.spin_until(
                    lambda h=header: probe.targets and probe.targets[-1].header == h, 'the answer'
                )
                answers.append(probe.targets[-1])
            return answers

        for count in range(6):  # this probe listens to points
            header = stamped(1000.0 + count)
            camera.send_info((480, 640), header)
            probe.send(photo, header=header)
            probe.spin_until(
                lambda h=header: probe.targets and probe.targets[-1].header == h, 'the answer'
            )
        reason = f'no depth image comes on {probe.namespace}/depth: remap depth'
        probe.spin_until(lambda: reason in probe.status[-1].reason, 'a word on depth')
        unlike = np.full((480, 480), 700, np.uint16)
        for depth, options, reason in (
            (metres, {'late_s': 0.11}, r"none within 0.02 s of the image's stamp (the nearest is"),
            (unlike, {}, 'depth of 480x480 pixels does not fit an image of 640x480'),
            (photo, {}, "depth with encoding 'bgr8' is not understood"),
        ):
            answers = frames(depth, **options)
            assert not any(t.has_point for a in answers for t in a.targets), reason
            assert all(a.targets for a in answers)
            probe.spin_until(lambda r=reason: r in probe.status[-1].reason, reason)
            assert process.output.count(reason) == 1, 'named more than once'
        assert any(t.has_point for a in frames(metres) for t in a.targets)
        probe.spin_until(
            lambda: not probe.status[-1].reason, 'the cure', again=lambda: frames(metres)
        )
        key = 'images without 3D points'
        probe.spin_until(lambda: int(probe.diagnosed('input', key) or 0) >= 24, 'the diagnostics')
        for cause in ('no_depth', 'depth_size', 'encoding'):
            assert 0 < int(probe.diagnosed('input', f'{key}: {cause}')) <= 24, cause
        assert probe.counted().frames_unusable == 0
        assert not camera.points or camera.points[0].header.stamp.sec >= 2000


def test_depth_without_camera_info_is_named(log, photo):
    from tests.support.rgbd_camera import RgbdCamera
    from tests.support.rgbd_camera import plane_depth
    from tests.support.ros_harness import grounding_node

    with grounding_node(log, **PATIENT) as (_, probe):
        camera = RgbdCamera(probe)
        camera.wait_until_heard()

        expected = f'depth comes, but no camera_info on {probe.namespace}/camera_info'

        def named():
            answer = camera.answer_to(photo, plane_depth((480, 640)), info=False)
            assert answer.targets and not any(t.has_point for t in answer.targets)
            return expected in probe.status[-1].reason

        probe.spin_until(named, 'the reason')
        camera.first_answer(photo, plane_depth((480, 640)))


def test_ground_has_points_of_the_cameras_frame_alone_and_nothing_outlasts_deactivation(
    log, photo
):
    from affordance_ros.nodes.messages import to_image
    from affordance_ros.srv import Ground
    from tests.support.rgbd_camera import RgbdCamera
    from tests.support.rgbd_camera import plane_depth
    from tests.support.rgbd_camera import plane_points
    from tests.support.ros_harness import grounding_node

    metres = plane_depth((480, 640))
    with grounding_node(log, **PATIENT) as (_, probe):
        camera = RgbdCamera(probe)
        header = camera.first_answer(photo, metres).header
        response = camera.ground(photo, metres, ['cut', 'open'])
        assert response.success
        for answer in response.answers:
            pixels, points = located(answer)
            assert len(points) == len(answer.targets) > 0
            np.testing.assert_allclose(points, plane_points(*pixels.T), atol=1e-5)
        given = to_image(photo, 'bgr8', header=header)
        response = probe.call(Ground, 'ground', commands=['cut'], image=given, deadline_s=60.0)
        assert response.answers[0].targets
        assert not any(t.has_point for t in response.answers[0].targets), 'not from the camera'

        assert probe.transition('deactivate') and probe.transition('activate')
        probe.spin_until(lambda: probe.images.get_subscription_count(), 'the camera to be heard')
        again = probe.answer_to(photo)
        assert again.targets and not any(t.has_point for t in again.targets), 'old depth was kept'
        camera.first_answer(photo, metres)


def test_the_cloud_is_lazy(log, photo):
    from sensor_msgs.msg import PointCloud2

    from tests.support.rgbd_camera import RgbdCamera
    from tests.support.rgbd_camera import plane_depth
    from tests.support.ros_harness import grounding_node

    metres = plane_depth((480, 640))
    with grounding_node(log, **PATIENT) as (_, probe):
        camera = RgbdCamera(probe)
        early = camera.first_answer(photo, metres).header
        camera.answer_to(photo, metres)  # one thread answers: the frame before is over
        clouds = []
        probe.node.create_subscription(PointCloud2, 'grounding/cloud', clouds.append, 10)

        def heard():
            camera.answer_to(photo, metres)
            return bool(clouds)

        probe.spin_until(heard, 'a cloud')
        assert clouds[0].header != early, 'made for a frame before anyone listened'
