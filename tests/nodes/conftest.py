# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Nodes whose diagnostics are told by the test, and a header."""

import functools

import pytest


@pytest.fixture
def quick(monkeypatch):
    """Let nodes in this process report ten times a second, and name causes as much sooner."""
    from affordance_ros.nodes.grounding import diagnostics

    watchdog = functools.partial(diagnostics.Watchdog, silent_s=0.5, stuck_s=2.0, hold_s=0.3)
    monkeypatch.setattr(diagnostics, 'Watchdog', watchdog)
    monkeypatch.setattr(diagnostics, '_PERIOD_S', 0.1)


@pytest.fixture
def told(quick):
    """Give a node in this process whose facts the test sets, and a probe that hears it."""
    import rclpy
    from sensor_msgs.msg import Image

    from affordance_ros.nodes.grounding.diagnostics import Diagnostics
    from affordance_ros.nodes.grounding.graph import gather_facts
    from affordance_ros.nodes.grounding.status import StatusReporter
    from affordance_ros.runtime.latency import LatencyMonitor
    from affordance_ros.runtime.mailbox import RequestCounters
    from tests.support.ros_harness import Probe

    class Told:
        def __init__(self):
            self.probe = Probe()
            self.node = rclpy.create_node('grounding', namespace=self.probe.namespace)
            self.images = self.node.create_subscription(Image, 'image', lambda _: None, 1)
            self.known = None
            self.status = StatusReporter(self.node)
            self.diagnostics = Diagnostics(
                self.node,
                LatencyMonitor(),
                facts=self.facts,
                status=self.status,
                about=lambda: {'model': 'household', 'device': 'cpu', 'trained': 'yes'},
                refused=dict,
            )

        def facts(self):
            if self.known is None:
                return None
            return gather_facts(
                self.node,
                self.images,
                has_command=True,
                requests=RequestCounters(),
                **self.known(),
            )

        def spin(self):
            rclpy.spin_once(self.node, timeout_sec=0.01)

    one = Told()
    yield one
    one.diagnostics.close()
    one.node.destroy_node()
    one.probe.close()


@pytest.fixture
def header():
    """Return a header of the camera's."""
    from std_msgs.msg import Header

    made = Header(frame_id='camera_optical_frame')
    made.stamp.sec, made.stamp.nanosec = 12, 34
    return made
