# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Launch arguments: texts through the launch file, to what ROS parses of them."""

from pathlib import Path
from random import Random

import yaml
from rclpy._rclpy_pybind11 import RCLInvalidROSArgsError
from rclpy.utilities import remove_ros_args

from tests.fuzz.mutate import draw_text
from tests.fuzz.target import Feed
from tests.fuzz.target import Target
from tests.support.launch_api import LaunchError
from tests.support.launch_evaluator import evaluate

_ROOT = Path(__file__).parents[2]
_FREE = (
    'image', 'command_topic', 'depth', 'camera_info', 'model', 'weights', 'checkpoint', 'device',
    'prompt_set', 'target_frame', 'namespace',
)  # fmt: skip
_CHOSEN = {
    'autostart': ('', 'true', 'false'),
    'rviz': ('true', 'false'),
    'use_sim_time': ('true', 'false'),
    'log_level': ('debug', 'info', 'warn', 'error', 'fatal'),
}
_AS_PARAMETER = ('model', 'weights', 'checkpoint', 'device', 'prompt_set', 'target_frame')


def _argument(rng: Random) -> str:
    """Return a text that a command line can hold: UTF-8 without NUL."""
    return draw_text(rng).replace('\0', '').encode(errors='replace').decode()


def _prepare(folder: Path) -> Feed:
    def feed(rng: Random) -> None:
        given = {name: _argument(rng) for name in rng.sample(_FREE, rng.randrange(1, 5))}
        for name, choices in _CHOSEN.items():
            if rng.random() < 0.3:
                given[name] = rng.choice(choices) if rng.random() < 0.9 else _argument(rng)
        launched = evaluate(
            _ROOT / 'launch' / 'grounding.launch.py',
            given,
            share={'affordance_ros': str(_ROOT)},
            environment={},
        )
        node = launched.nodes[0]
        # Each text arrives whole, in one argument of its own: none can bring another along.
        arguments = node.ros_arguments
        assert arguments[0] == '--ros-args' and node.executable == 'grounding'
        parameters = {}
        for flag, value in zip(arguments[1::2], arguments[2::2], strict=True):
            if flag == '-p':
                key, _, text = value.partition(':=')
                parameters[key] = yaml.safe_load(text)
        for name in _AS_PARAMETER:
            assert parameters.get(name, '') == given.get(name, ''), (name, given, arguments)
        assert parameters.keys() <= {*_AS_PARAMETER, 'autostart', 'use_sim_time'}
        for name in ('image', 'depth'):
            if text := given.get(name, name):
                assert f'{name}:={text}' in arguments
        remove_ros_args([node.executable, *arguments])

    return feed


TARGET = Target(
    'launch arguments: through the launch file to rcl',
    (LaunchError, RCLInvalidROSArgsError, ValueError),
    _prepare,
)
