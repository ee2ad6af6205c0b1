# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Fast DDS's discovery server: nodes that name it meet, and nobody else hears of them."""

import os
import shutil
import signal
import socket
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.ros,
    pytest.mark.usefixtures('ros'),
    pytest.mark.skipif(shutil.which('fastdds') is None, reason="needs Fast DDS's command line"),
]

LISTENER = """
import rclpy
from affordance_ros.msg import AffordanceTargetArray

rclpy.init()
node = rclpy.create_node('planner')
heard = []
node.create_subscription(AffordanceTargetArray, '/by_server/grounding/targets', heard.append, 10)
while not heard:
    rclpy.spin_once(node, timeout_sec=0.1)
print(heard[0].command)
"""


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def server():
    """Run a discovery server; give the address that its clients name."""
    port = free_port()
    command = ['fastdds', 'discovery', '-i', '0', '-l', '127.0.0.1', '-p', port]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    assert b'Server started' in process.stdout.readline()
    yield f'127.0.0.1:{port}'
    os.killpg(process.pid, signal.SIGTERM)
    process.stdout.close()
    process.wait()


def test_nodes_meet_by_the_server_and_stay_unknown_to_others(server, tmp_path):
    import rclpy

    from tests.support.node_process import ROOT
    from tests.support.ros_harness import MODEL
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    stranger = rclpy.create_node('stranger')
    env = {**os.environ, 'ROS_DISCOVERY_SERVER': server}
    parameters = {
        'camera': {'source': str(ROOT / 'samples' / 'tabletop')},
        'grounding': {**MODEL, 'task_command': 'hold the mug'},
    }
    nodes = [
        NodeProcess(
            [executable(name), *ros_arguments(values, '/by_server')], tmp_path / f'{name}.log', env
        )
        for name, values in parameters.items()
    ]
    try:
        planner = subprocess.run(
            [sys.executable, '-c', LISTENER], env=env, capture_output=True, text=True, timeout=60
        )
        assert planner.stdout == 'hold the mug\n', planner.stderr
        known = stranger.get_node_names_and_namespaces()
        assert ('stranger', '/') in known
        assert not [name for name, namespace in known if namespace == '/by_server']
    finally:
        stranger.destroy_node()
        codes = [node.stop() for node in nodes]
    assert codes == [0, 0]
