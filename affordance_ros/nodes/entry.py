# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Entry points of the nodes, which say what is missing before a traceback would."""

import importlib
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

_BUILD_HINT = (
    'the messages of affordance_ros are not built in this environment. Build them once and source '
    'the result:\n'
    '  on a robot:        colcon build --packages-select affordance_ros && '
    'source install/setup.bash\n'
    '  without apt ROS:   make build, then: source scripts/env.sh\n'
)
_ROS_HINT = (
    'ROS 2 is not in this environment ({error}). Source it first:\n'
    '  on a robot:        source /opt/ros/$ROS_DISTRO/setup.bash\n'
    '  without apt ROS:   make build, then: source scripts/env.sh\n'
)
_ROS_MODULES = (
    'rclpy',
    'diagnostic_msgs',
    'geometry_msgs',
    'lifecycle_msgs',
    'rcl_interfaces',
    'sensor_msgs',
    'std_msgs',
    'std_srvs',
    'visualization_msgs',
)


def grounding() -> int:
    """Start the grounding node."""
    return _start('affordance_ros.nodes.grounding.node')


def camera() -> int:
    """Start the camera node."""
    return _start('affordance_ros.nodes.camera')


def _start(module: str) -> int:
    # The imports take a second or two, in which there is nothing yet that needs an orderly end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_at_once)
    try:
        main = importlib.import_module(module).main
    except ModuleNotFoundError as error:
        missing = error.name or ''
        if missing.startswith(('affordance_ros.msg', 'affordance_ros.srv')):
            sys.stderr.write(_BUILD_HINT)
            return 2
        if missing.split('.')[0] in _ROS_MODULES:
            sys.stderr.write(_ROS_HINT.format(error=error))
            return 2
        raise
    return int(main())


def _end_at_once(number: int, frame: FrameType | None) -> NoReturn:
    os._exit(0)
