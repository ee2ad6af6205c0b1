# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The bag tool answers as the live node."""

import subprocess
import sys

import numpy as np
import pytest

from affordance_ros.bag import run as bag_run
from tests.conftest import ROOT
from tests.conftest import SAMPLES
from tests.support.bag_fixture import read_all
from tests.support.bag_fixture import to_array

MODEL = ['--model', 'compact', '--weights', 'random', '--device', 'cpu', '--input-size', '96']


@pytest.mark.ros
@pytest.mark.usefixtures('ros')
def test_the_bag_tool_answers_as_the_live_node(log, tmp_path):
    """Targets and overlays of the recorded sequence exactly, heat to 1e-6, points to 1e-5 m."""
    from rclpy.serialization import deserialize_message
    from sensor_msgs.msg import CameraInfo
    from sensor_msgs.msg import CompressedImage
    from sensor_msgs.msg import Image

    from tests.support.rgbd_camera import RgbdCamera
    from tests.support.ros_harness import grounding_node

    bag = SAMPLES / 'tabletop'
    subprocess.run(
        [sys.executable, '-m', 'affordance_ros.cli.bag', bag, tmp_path / 'out.mcap', *MODEL[:-2],
         '--command', 'hold the mug', '--num-threads', '1'],
        cwd=ROOT, check=True,
    )  # fmt: skip
    offline = read_all(tmp_path / 'out.mcap')
    recorded = read_all(bag)
    settings = {'image_transport': 'compressed', 'depth_wait_s': 1.0}
    with grounding_node(log, heatmaps=True, overlays=True, **settings) as (_, probe):
        camera = RgbdCamera(probe)
        camera.wait_until_heard()
        probe.command('hold the mug')
        heard = (probe.targets, probe.heatmaps, probe.overlays)

        def answers_to(number):
            for topic, kind, publisher in (
                ('/camera/camera_info', CameraInfo, camera.infos),
                ('/camera/depth', Image, camera.depths),
                ('/camera/image/compressed', CompressedImage, probe.jpegs),
            ):
                message = deserialize_message(recorded[topic][number][1], kind)
                publisher.publish(message)
            for messages in heard:
                messages.clear()
            probe.spin_until(
                lambda: all(m and m[-1].header == message.header for m in heard),
                f'all answers to frame {number}',
            )
            return tuple(messages[-1] for messages in heard)

        # What came before discovery was done is lost.
        probe.spin_until(
            lambda: any(t.has_point for t in answers_to(0)[0].targets), 'an answer with points'
        )
        for number in range(6):
            targets, heatmap, overlay = answers_to(number)
            head = targets.header
            kept = {n: offline[f'/grounding/{n}'][number][2] for n in bag_run.OUTPUTS}
            live = np.frombuffer(heatmap.data, np.float32).reshape(heatmap.height, heatmap.width)
            assert np.abs(live - to_array(kept['heatmap'])).max() <= 1e-6
            assert bytes(overlay.data) == kept['overlay'].data.tobytes()
            array = kept['targets']
            assert (array.command, array.command_id) == (targets.command, targets.command_id)
            assert [(t.x, t.y, t.score) for t in array.targets] == [
                (t.x, t.y, t.score) for t in targets.targets
            ]
            assert array.targets
            assert [t.has_point for t in array.targets] == [t.has_point for t in targets.targets]
            for kept_one, live_one in zip(array.targets, targets.targets, strict=True):
                assert (kept_one.point.x, kept_one.point.y, kept_one.point.z) == pytest.approx(
                    (live_one.point.x, live_one.point.y, live_one.point.z), abs=1e-5
                )
            for answer in kept.values():
                assert answer.header.frame_id == head.frame_id
                assert answer.header.stamp.sec == head.stamp.sec
                assert answer.header.stamp.nanosec == head.stamp.nanosec
