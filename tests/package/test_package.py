# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The package as a whole: layers, manifests, shipped files, and what is said where parts lack."""

import ast
import graphlib
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

from affordance_ros.safe_io.yaml import read_yaml
from tests.conftest import ROOT

ROS = {
    'rclpy', 'rcl_interfaces', 'lifecycle_msgs', 'diagnostic_msgs', 'sensor_msgs', 'std_msgs',
    'geometry_msgs', 'visualization_msgs', 'std_srvs', 'tf2_msgs',
    'tf2_ros', 'vision_msgs',
}  # fmt: skip
TORCH = {'torch', 'open_clip'}
# By folder (or file) of the package, from the ground up: each may import itself, what stands above
# it here, and what it names. The command line tools and the nodes do not import each other.
PURE = ('safe_io', 'text', 'image')
LAYERS = {
    'safe_io': set(),
    'text': {'safe_io'},
    'image': {'safe_io'},
    'targets': {'image'},
    'spatial': {'image', 'targets'},
    'runtime': {'text'},
    'model': {*PURE, 'targets', 'torch'},
    'backends': {*PURE, 'targets', 'model', 'torch'},
    'load': {'model', 'backends'},
    'predictor_config': {'text', 'image', 'targets', 'backends'},
    'predictor': {*PURE, 'targets', 'model', 'backends', 'load', 'predictor_config'},
    'viz': {'targets', 'spatial'},
    'bag': {*PURE, 'targets', 'spatial', 'viz', 'predictor'},
    'sources': {'safe_io', 'image', 'bag'},
    'cli': {
        *PURE, 'sources', 'targets', 'spatial', 'model', 'backends', 'predictor_config',
        'predictor', 'bag', 'viz', 'torch',
    },
    'nodes': {
        *PURE, 'sources', 'targets', 'spatial', 'runtime', 'model', 'backends', 'load',
        'predictor', 'viz', 'bag', 'msg', 'srv', 'torch', 'ros',
    },
}  # fmt: skip


def layer_of(module):
    """Name the folder, or the file, of a module of the package."""
    return module.split('.')[1] if '.' in module else '__init__'


def imports(path):
    """Return the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative import'
            yield node.module


def test_layers_import_downward_only():
    seen = set()
    face = ROOT / 'affordance_ros' / '__init__.py'  # names the public API, from every layer
    for path in {*(ROOT / 'affordance_ros').rglob('*.py')} - {face}:
        layer = layer_of('.'.join(path.relative_to(ROOT).with_suffix('').parts))
        assert layer in LAYERS, f'{path} belongs to no layer'
        seen.add(layer)
        for name in imports(path):
            top = name.split('.')[0]
            assert not top.startswith('affordance_ros_'), f'{path} imports {name}'
            if top == 'affordance_ros':
                used = layer_of(name)
            elif top in ROS | TORCH:
                used = 'ros' if top in ROS else 'torch'
            else:
                continue
            allowed = {'__init__', layer, *LAYERS[layer]}
            assert used in allowed, f'{path} ({layer}) imports {name} ({used})'
    assert seen == LAYERS.keys()


def test_no_two_layers_import_each_other():
    graphlib.TopologicalSorter(
        {layer: used & LAYERS.keys() for layer, used in LAYERS.items()}
    ).prepare()


def test_the_core_imports_without_ros(tmp_path):
    """In a Python without any ROS on its path, everything but the nodes imports."""
    code = (
        'import sys\n'
        'sys.modules.update(dict.fromkeys(["rclpy", "sensor_msgs", "std_msgs"]))\n'
        'import affordance_ros.cli.ground, affordance_ros.viz.contact_sheet\n'
        'import affordance_ros.cli.bag, affordance_ros.bag.run, affordance_ros.predictor\n'
    )
    subprocess.run([sys.executable, '-c', code], check=True, cwd=ROOT, env=_plain_environment())


def _plain_environment():
    hidden = ('AMENT_PREFIX_PATH', 'PYTHONPATH', 'COLCON_PREFIX_PATH', 'CMAKE_PREFIX_PATH')
    return {k: v for k, v in os.environ.items() if k not in hidden}


@pytest.mark.ros
@pytest.mark.parametrize('node', ['grounding', 'camera'])
def test_without_built_messages_the_node_says_how_to_build_them_and_stops(node):
    result = subprocess.run(
        [sys.executable, ROOT / 'scripts' / node],
        cwd='/',
        env=_plain_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 2
    assert 'messages of affordance_ros are not built' in result.stderr
    assert 'colcon build' in result.stderr
    assert 'Traceback' not in result.stderr


def test_without_ros_the_node_says_so_and_stops():
    code = 'import sys; sys.modules["rclpy"] = None\n'
    code += 'from affordance_ros.nodes.entry import grounding; sys.exit(grounding())'
    result = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 2
    assert 'ROS 2 is not in this environment' in result.stderr


@pytest.mark.ros
def test_the_shipped_parameters_are_the_nodes_defaults():
    from affordance_ros.nodes.grounding.parameter_table import PARAMETERS

    shipped = yaml.safe_load((ROOT / 'config' / 'grounding.yaml').read_text())
    values = shipped['/**']['ros__parameters']
    assert values == {name: declared.default for name, declared in PARAMETERS.items()}
    for name, value in values.items():
        assert type(value) is type(PARAMETERS[name].default), name


def test_what_the_nodes_import_is_declared_in_the_manifest():
    manifest = ElementTree.parse(ROOT / 'package.xml').getroot()
    declared = {e.text for e in manifest if e.tag in ('depend', 'exec_depend')}
    declared |= {'tf2_ros'} if 'tf2_ros_py' in declared else set()
    used = {
        name.split('.')[0]
        for path in (ROOT / 'affordance_ros').rglob('*.py')
        for name in imports(path)
    }
    assert used & ROS <= declared
    launch = {name.split('.')[0] for name in imports(ROOT / 'launch' / 'grounding.launch.py')}
    assert launch & {'launch', 'launch_ros'} <= declared


def test_every_sample_photo_is_attributed():
    text = (ROOT / 'samples' / 'ATTRIBUTION.md').read_text()
    photos = list((ROOT / 'samples' / 'photos').iterdir())
    assert len(photos) >= 8
    asked = read_yaml(ROOT / 'samples' / 'commands.yaml')
    assert set(asked) == {photo.name for photo in photos}
    for photo in photos:
        assert f'photos/{photo.name} | http' in text


def test_version_is_the_same_everywhere():
    import affordance_ros

    manifest = ElementTree.parse(ROOT / 'package.xml').getroot()
    assert manifest.findtext('version') == affordance_ros.__version__
    project = (ROOT / 'pyproject.toml').read_text()
    assert 'version = { attr = "affordance_ros.__version__" }' in project
