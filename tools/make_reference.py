# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Write docs/reference: topics, services and parameters of the running nodes, and the messages.

Names, types, QoS, defaults and ranges come from real nodes that this script starts, descriptions
of parameters from their descriptors, messages from their files. Only what a topic is for stands
here; a topic that nobody has described is an error.
"""

import argparse
import ast
import sys
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import rclpy
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter

from affordance_ros.nodes.camera import CameraNode
from affordance_ros.nodes.grounding.node import GroundingNode
from affordance_ros.nodes.grounding.parameter_table import PARAMETERS
from affordance_ros_tabletop.camera_node import TabletopCamera

ROOT = Path(__file__).resolve().parents[1]
NOTE = '<!-- made by tools/make_reference.py: change the code and run `make reference` -->\n'
ABOUT_TOPICS = """`~` is the node's own name. QoS as the nodes ask for it;
`qos_overrides.*` parameters change it at the start."""
ABOUT_PARAMETERS = """A number outside of its range is refused. What each parameter of `grounding`
means in full: [config/grounding.yaml](../../config/grounding.yaml); how to choose:
[tuning](../howto/tuning.md)."""
ABOUT_LAUNCH = """Of `ros2 launch affordance_ros FILE`, given as `name:=value`.
`--show-args` prints them too. Booleans are true, false, 1 or 0 in any case."""
PURPOSE = {
    'image': 'the camera image',
    'image/compressed': 'the camera image as JPEG; only while somebody listens',
    'depth': 'depth registered to the image',
    'camera_info': "the image's intrinsics",
    'task_command': 'the command in force from now on',
    '~/targets': 'every processed frame, best first; empty: looked and found nothing',
    '~/heatmap': '32FC1 in [0, 1], of the size of the image; only while somebody listens',
    '~/overlay': 'the heatmap over the image, with targets; only while somebody listens',
    '~/overlay/compressed': 'the overlay as JPEG; only while somebody listens',
    '~/mask': 'mono8: 0 nothing, k the k-th target; only while somebody listens',
    '~/label_info': 'what the labels of the mask mean; latched',
    '~/detections': 'the targets with their boxes in pixels; only while somebody listens',
    '~/detections_3d': 'the targets in 3D with their boxes; only while somebody listens',
    '~/target_point': 'the best target in 3D',
    '~/target_pose': 'the best target in 3D with an approach: +x points into the surface',
    '~/markers': 'the targets in 3D for RViz; only while somebody listens',
    '~/cloud': 'points with x, y, z, heat; only while somebody listens',
    '~/status': 'state, command and its number, reasons, counts; latched',
    '~/transition_event': 'lifecycle transitions',
    '/diagnostics': 'once a second: input, processing, model',
    '~/ground': 'several commands on one image, within a deadline',
    '~/enable': 'activate or deactivate the node',
    '~/set_command': 'the topic `task_command` with an answer',
    '~/change_state': 'lifecycle: ask for a transition',
    '~/get_state': 'lifecycle: the current state',
    '~/get_available_states': 'lifecycle: all states',
    '~/get_available_transitions': 'lifecycle: transitions from the current state',
    '~/get_transition_graph': 'lifecycle: all transitions',
}
SETTABLE = {
    'start': 'at the start',
    'unconfigured': 'while unconfigured',
    'always': 'always; acts on the next frame',
}
# What every ROS node has.
COMMON_TOPICS = ('/rosout', '/parameter_events', '/clock')
COMMON_SERVICES = ('parameters', 'parameter_types', 'type_description')


@dataclass(frozen=True)
class Kind:
    """One of the package's nodes, and how to start it."""

    title: str
    create: Callable[[], Node]
    arguments: Sequence[str] = ()


def make_grounding() -> Node:
    """Start the grounding node up to where it listens."""
    # torch: the only backend that has nothing to compile and is always there.
    overrides = {'model': 'household', 'device': 'cpu', 'backend': 'auto', 'num_threads': 1}
    node = GroundingNode(
        parameter_overrides=[Parameter(name, value=value) for name, value in overrides.items()]
    )
    node.bring_up()
    return node


KINDS = (
    Kind('The node `grounding`', make_grounding),
    Kind('The node `camera`', CameraNode, ('source:=samples/photos',)),
    Kind('The node `tabletop_camera`', TabletopCamera),
)


def run(kind: Kind) -> tuple[str, str]:
    """Start a node; return its section of the pages of topics and of parameters."""
    settings = [part for setting in kind.arguments for part in ('-p', setting)]
    rclpy.init(args=['--ros-args', *settings] if settings else [])
    node = kind.create()
    try:
        return (
            f'## {kind.title}\n\n' + '\n'.join(topics_of(node)),
            f'## {kind.title}\n\n' + '\n'.join(parameters_of(node, kind)),
        )
    finally:
        node.destroy_node()
        rclpy.shutdown()


def topics_of(node: Node) -> Iterator[str]:
    """Yield the lines of a node's tables of topics and services."""
    for title, entities in (
        ('Subscribes to', [(s.topic_name, s.msg_type, s.qos_profile) for s in node.subscriptions]),
        ('Publishes', [(p.topic_name, p.msg_type, p.qos_profile) for p in node.publishers]),
    ):
        rows = [
            (short(name, node), type_name(kind), describe_qos(qos))
            for name, kind, qos in entities
            if name not in COMMON_TOPICS
        ]
        if rows:
            yield f'| {title} | Type | QoS | |\n|---|---|---|---|'
            yield from (f'| `{n}` | {t} | {q} | {purpose(n)} |' for n, t, q in sorted(rows))
            yield ''
    services = [
        (short(service.srv_name, node), type_name(service.srv_type))
        for service in node.services
        if not service.srv_name.endswith(COMMON_SERVICES)
        and 'parameters' not in service.srv_name.rsplit('/', 1)[-1]
    ]
    if services:
        yield '| Service | Type | |\n|---|---|---|'
        yield from (f'| `{n}` | {t} | {purpose(n)} |' for n, t in sorted(services))
        yield ''


def parameters_of(node: Node, kind: Kind) -> Iterator[str]:
    """Yield the lines of a node's table of parameters, in the order of their declaration."""
    yield '| Parameter | Type | Default | Range | May be set | |\n|---|---|---|---|---|---|'
    own = {setting.split(':=')[0] for setting in kind.arguments}
    for name, parameter in node.get_parameters_by_prefix('').items():
        descriptor = node.describe_parameter(name)
        if name.startswith('qos_overrides.') or not descriptor.description or is_ros(name):
            continue
        if name in PARAMETERS and isinstance(node, GroundingNode):
            default: object = PARAMETERS[name].default
            settable = SETTABLE[PARAMETERS[name].settable]
        else:
            default = '0' if name in own else parameter.value
            settable = SETTABLE['start' if descriptor.read_only else 'always']
        yield (
            f'| `{name}` | {parameter.type_.name.lower()} | {show(default)} | '
            f'{show_range(descriptor)} | {settable} | {descriptor.description} |'
        )
    yield ''


def purpose(name: str) -> str:
    """Return what a topic or service is for.

    Raises:
        SystemExit: If nobody has said so.
    """
    if name not in PURPOSE:
        raise SystemExit(f'{name} is not described: add it to PURPOSE in {Path(__file__).name}')
    return PURPOSE[name]


def is_ros(name: str) -> bool:
    """Tell rclpy's own parameters."""
    return name in ('use_sim_time', 'start_type_description_service')


def short(name: str, node: Node) -> str:
    """Return a topic's name as a person writes it."""
    private = f'/{node.get_name()}/'
    if name.startswith(private):
        return '~/' + name.removeprefix(private)
    return name if name == '/diagnostics' else name.removeprefix('/')


def type_name(kind: type) -> str:
    """Return package/Name of a message or service type."""
    return f'{kind.__module__.split(".")[0]}/{kind.__name__}'


def describe_qos(qos: object) -> str:
    """Return a QoS profile in words."""
    words = [qos.reliability.name.lower().replace('_', ' ')]  # type: ignore[attr-defined]
    if qos.durability.name == 'TRANSIENT_LOCAL':  # type: ignore[attr-defined]
        words.append('transient local')
    return f'{", ".join(words)}, depth {qos.depth}'  # type: ignore[attr-defined]


def show(value: object) -> str:
    """Return a default as it stands in a parameter file."""
    if isinstance(value, bool):
        return f'`{str(value).lower()}`'
    if isinstance(value, str):
        return f'`"{value}"`'
    return ', '.join(value) if isinstance(value, list) else f'`{value}`'


def show_range(descriptor: ParameterDescriptor) -> str:
    """Return a number's range; '' where it has none."""
    ranges = [*descriptor.integer_range, *descriptor.floating_point_range]
    return f'{ranges[0].from_value:g} to {ranges[0].to_value:g}' if ranges else ''


def make_messages() -> str:
    """Return the page of messages and services: their files as they are."""
    parts = [
        f'{NOTE}\n# Messages and services\n\nAs their files say, units and meaning included.\n'
    ]
    for path in sorted([*ROOT.glob('msg/*.msg'), *ROOT.glob('srv/*.srv')]):
        name = f'affordance_ros/{path.parent.name}/{path.stem}'
        parts.append(f'## {name}\n\n```text\n{path.read_text().strip()}\n```\n')
    return '\n'.join(parts)


def make_launch() -> str:
    """Return the page of launch arguments, from the launch files' own declarations."""
    parts = [f'{NOTE}\n# Launch arguments\n\n{ABOUT_LAUNCH}\n']
    for name in ('grounding', 'rgbd', 'webcam'):
        tree = ast.parse((ROOT / 'launch' / f'{name}.launch.py').read_text(encoding='utf-8'))
        rows = [
            _describe_argument(call)
            for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call))
            if getattr(call.func, 'id', '') == 'DeclareLaunchArgument'
        ]
        own = (
            '' if name == 'grounding' else 'Its own; those of `grounding.launch.py` hold too.\n\n'
        )
        head = '| Argument | Default | |\n|---|---|---|'
        parts.append('\n'.join([f'## {name}.launch.py\n\n{own}{head}', *rows, '']))
    return '\n'.join(parts)


def _describe_argument(call: ast.Call) -> str:
    given = {word.arg: word.value for word in call.keywords}
    default = given['default_value']
    # The only default that is not a constant is the path of the shipped parameter file.
    value = show(default.value) if isinstance(default, ast.Constant) else 'the shipped one'
    name, text = ast.literal_eval(call.args[0]), ast.literal_eval(given['description'])
    return f'| `{name}` | {value} | {text} |'


def make_pages() -> dict[str, str]:
    """Return the text of each page, by its file's name."""
    sections = [run(kind) for kind in KINDS]
    topics = '\n'.join(topic for topic, _ in sections)
    parameters = '\n'.join(parameter for _, parameter in sections)
    return {
        'topics.md': f'{NOTE}\n# Topics and services\n\n{ABOUT_TOPICS}\n\n{topics}',
        'parameters.md': f'{NOTE}\n# Parameters\n\n{ABOUT_PARAMETERS}\n\n{parameters}',
        'messages.md': make_messages(),
        'launch.md': make_launch(),
    }


def main() -> int:
    """Write the pages, or with --check say which are out of date; return 1 if any is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--check', action='store_true', help='write nothing, compare')
    options = parser.parse_args()
    folder = ROOT / 'docs' / 'reference'
    stale = []
    for name, text in make_pages().items():
        path = folder / name
        text = text.rstrip() + '\n'
        if not path.is_file() or path.read_text(encoding='utf-8') != text:
            stale.append(name)
            if not options.check:
                folder.mkdir(exist_ok=True)
                path.write_text(text, encoding='utf-8')
    if options.check and stale:
        sys.stderr.write(f'docs/reference is out of date ({", ".join(stale)}): make reference\n')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
