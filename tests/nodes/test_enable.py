# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The service ~/enable switches between the lifecycle states active and inactive."""

import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]


def test_enable_activates_and_deactivates_and_says_what_is_missing(log):
    from std_srvs.srv import SetBool

    from tests.support.ros_harness import grounding_node

    with grounding_node(log, autostart=False) as (_, probe):

        def enable(data):
            response = probe.call(SetBool, 'enable', data=data)
            return response.success, response.message, probe.lifecycle_state()

        success, message, state = enable(True)
        assert (success, state) == (False, 'unconfigured')
        assert message.endswith(f'ros2 lifecycle set {probe.namespace}/grounding configure')
        assert probe.transition('configure')
        assert enable(True) == (True, 'the node is active', 'active')
        assert enable(True) == (True, 'the node is active already', 'active')
        assert enable(False) == (True, 'the node is inactive', 'inactive')
        assert enable(False) == (True, 'the node is inactive already', 'inactive')
