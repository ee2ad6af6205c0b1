# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Where the grounding node looks for the image's CameraInfo."""

import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]


@pytest.mark.parametrize(
    ('remappings', 'expected'),
    [
        ({}, '{ns}/camera_info'),
        ({'image': '/cams/front/color/image_raw'}, '/cams/front/color/camera_info'),
        ({'image': 'eye/image'}, '{ns}/eye/camera_info'),
        ({'image': '/cams/a/image', 'camera_info': '/other/info'}, '/other/info'),
    ],
)
def test_camera_info_is_found_beside_the_image(log, remappings, expected):
    """As image_transport's cameras have it, unless it is remapped itself."""
    from tests.support.ros_harness import MODEL
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import Probe
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    probe = Probe()
    expected = expected.format(ns=probe.namespace)
    rules = [part for rule in remappings.items() for part in ('-r', ':='.join(rule))]
    arguments = [*ros_arguments(MODEL, probe.namespace), *rules]
    process = NodeProcess([executable('grounding'), *arguments], log)

    def heard():
        by_node = probe.node.get_subscriptions_info_by_topic(expected)
        return any(info.node_name == 'grounding' for info in by_node)

    probe.spin_until(heard, f'a subscription to {expected}')
    assert process.stop() == 0, process.output
    probe.close()
