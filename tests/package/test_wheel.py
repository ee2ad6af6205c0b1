# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What `pip install` puts into somebody's environment."""

import ast
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser

import pytest

from tests.conftest import ROOT

FOLDERS = ('affordance_ros', 'eval', 'tabletop', 'training')


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """Build the wheel in a copy of the source, since setuptools writes beside what it builds."""
    source = tmp_path_factory.mktemp('source')
    for name in ('pyproject.toml', 'setup.py', 'README.md', 'LICENSE'):
        shutil.copy(ROOT / name, source)
    for folder in FOLDERS:
        shutil.copytree(
            ROOT / folder, source / folder, ignore=shutil.ignore_patterns('__pycache__')
        )
    command = [
        sys.executable,
        '-m',
        'pip',
        'wheel',
        '--quiet',
        '--no-deps',
        '--no-build-isolation',
    ]
    command += ['--disable-pip-version-check', '--wheel-dir', str(source / 'dist'), str(source)]
    subprocess.run(command, check=True, timeout=120)
    (built,) = (source / 'dist').iterdir()
    with zipfile.ZipFile(built) as archive:
        yield archive


def test_every_installed_name_is_the_projects_own(wheel):
    top = {name.split('/')[0] for name in wheel.namelist()}
    packages = {name for name in top if not name.endswith('.dist-info')}
    assert packages == {
        'affordance_ros',
        'affordance_ros_eval',
        'affordance_ros_tabletop',
        'affordance_ros_training',
    }


def test_every_module_is_in_the_wheel(wheel):
    names = set(wheel.namelist())
    for folder in FOLDERS:
        installed = folder if folder == 'affordance_ros' else f'affordance_ros_{folder}'
        for path in (ROOT / folder).rglob('*.py'):
            assert f'{installed}/{path.relative_to(ROOT / folder)}' in names


def test_every_console_script_names_a_function_of_the_wheel(wheel):
    (entry_points,) = (n for n in wheel.namelist() if n.endswith('entry_points.txt'))
    parser = ConfigParser()
    parser.read_string(wheel.read(entry_points).decode())
    scripts = parser['console_scripts']
    assert {'affordance-ground', 'affordance-eval', 'affordance-train'} <= set(scripts)
    for target in scripts.values():
        module, function = target.split(':')
        source = wheel.read(f'{module.replace(".", "/")}.py').decode()
        assert f'def {function}(' in source, target


def test_no_module_of_the_wheel_is_imported_by_its_folders_name(wheel):
    """From a clone that works by chance, since the folders lie in the current one."""
    for name in (n for n in wheel.namelist() if n.endswith('.py')):
        for node in ast.walk(ast.parse(wheel.read(name))):
            if isinstance(node, ast.ImportFrom | ast.Import):
                module = getattr(node, 'module', None) or node.names[0].name
                assert module.split('.')[0] not in FOLDERS[1:], f'{name} imports {module}'
