# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What a release needs beside working code: the manifest, its keys, the container."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml
from catkin_pkg.changelog import Changelog
from catkin_pkg.changelog import populate_changelog_from_rst
from catkin_pkg.package import parse_package

from tests.conftest import ROOT

# REP 149, package_format3.xsd: the elements come in this order, dependencies in any.
ORDER = (
    'name', 'version', 'description', 'maintainer', 'license', 'url', 'author', 'depend',
    'group_depend', 'member_of_group', 'export',
)  # fmt: skip
EMAIL = r'[-\w%+]+(\.[-\w%+]+)*@[-\w%]+(\.[-\w%]+)*\.[a-zA-Z]{2,}'


@pytest.fixture
def manifest():
    """Return the root element of package.xml."""
    return ElementTree.parse(ROOT / 'package.xml').getroot()


def keys(manifest):
    return {e.text for e in manifest if e.tag.endswith('depend')}


def test_the_manifest_is_read_without_a_warning():
    warnings = []
    package = parse_package(str(ROOT / 'package.xml'), warnings=warnings)
    assert warnings == []
    assert package.name == 'affordance_ros'
    assert package.get_build_type() == 'ament_cmake'


def test_the_manifest_has_the_schemas_order_and_patterns(manifest):
    assert manifest.attrib == {'format': '3'}
    tags = [
        e.tag if e.tag in ORDER else re.sub(r'^\w*_depend$', 'depend', e.tag) for e in manifest
    ]
    assert [ORDER.index(tag) for tag in tags] == sorted(ORDER.index(tag) for tag in tags)
    assert re.fullmatch(r'(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}', manifest.findtext('version'))
    assert re.fullmatch(r'[a-z](_?[a-z0-9]+)*', manifest.findtext('name'))
    for maintainer in manifest.iter('maintainer'):
        assert re.fullmatch(EMAIL, maintainer.attrib['email'])


@pytest.mark.ros
def test_every_dependency_is_a_key_that_rosdep_knows(manifest):
    index = Path(sys.prefix, 'share', 'ament_index', 'resource_index', 'packages')
    installed = {path.name for path in index.iterdir()}
    looked_up = yaml.safe_load((Path(__file__).with_name('rosdep_keys.yaml')).read_text())
    unknown = keys(manifest) - installed
    assert unknown == looked_up.keys(), 'look the new key up and say where it was found'


def test_what_cmake_finds_is_declared(manifest):
    text = (ROOT / 'CMakeLists.txt').read_text()
    assert set(re.findall(r'find_package\((\w+)', text)) <= keys(manifest)
    listed = set(re.findall(r'"((?:msg|srv)/\w+\.(?:msg|srv))"', text))
    there = {str(p.relative_to(ROOT)) for p in [*ROOT.glob('msg/*'), *ROOT.glob('srv/*')]}
    assert listed == there


def test_the_container_installs_what_the_readme_and_the_lock_say():
    dockerfile = (ROOT / 'docker' / 'Dockerfile').read_text()
    readme = (ROOT / 'README.md').read_text()
    pip = re.search(r'pip install "numpy<2" ([\w .=]+)', readme)[1].split()
    lock = (ROOT / 'requirements' / 'lock.txt').read_text().splitlines()
    for name in (word.split('==')[0] for word in pip):
        # A marker or the hashes of its files may follow a pin.
        pin = next(line.split()[0] for line in lock if line.startswith(f'{name}=='))
        assert pin in dockerfile.split()
    assert '"numpy<2"' in dockerfile


def test_the_container_copies_nothing_that_was_built():
    ignored = (ROOT / '.dockerignore').read_text().splitlines()
    built = [line.strip('/') for line in (ROOT / '.gitignore').read_text().splitlines()]
    heavy = {'.venv', '.venv-docs', 'build', 'install', 'log', 'out', 'runs', 'data'}
    assert heavy <= set(ignored) and heavy <= set(built)


def test_what_the_container_copies_is_there():
    dockerfile = (ROOT / 'docker' / 'Dockerfile').read_text()
    for source in re.findall(r'^COPY (\S+) ', dockerfile, re.MULTILINE):
        assert (ROOT / source).exists()
    assert (ROOT / 'docker' / 'entrypoint.sh').stat().st_mode & 0o111


@pytest.mark.filterwarnings('ignore:nodes.Node.traverse:DeprecationWarning')
def test_the_changelog_is_read_by_the_release_tools():
    text = (ROOT / 'CHANGELOG.rst').read_text()
    entries = text.count('\n* ')
    # Forthcoming is not a version to them yet; a release puts one in its place.
    released = Changelog('affordance_ros')
    heading = 'Forthcoming\n-----------'
    assert heading in text
    populate_changelog_from_rst(
        released, text.replace(heading, '9.9.9 (2030-01-01)\n------------------')
    )
    newest, _, content = next(iter(released.foreach_version(reverse=True)))
    assert newest == '9.9.9'
    assert str(content[0]).count('\n') >= entries - 1


def test_pre_commit_runs_the_ruff_of_the_lock():
    hooks = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())['repos']
    (revision,) = [repo['rev'] for repo in hooks if repo['repo'].endswith('/ruff-pre-commit')]
    assert (
        f'\nruff=={revision.removeprefix("v")} '
        in (ROOT / 'requirements' / 'lock.txt').read_text()
    )


def test_continuous_integration_runs_every_supported_distribution():
    workflow = yaml.safe_load((ROOT / '.github' / 'workflows' / 'ros.yaml').read_text())
    jobs = workflow['jobs']
    assert jobs['apt']['strategy']['matrix']['distribution'] == [
        'humble', 'jazzy', 'kilted', 'lyrical',
    ]  # fmt: skip
    commands = ' '.join(step.get('run', '') for job in jobs.values() for step in job['steps'])
    for script in re.findall(r'bash (\S+)', commands):
        assert (ROOT / script).is_file()
    for command in ('rosdep install', 'colcon build', 'colcon test ', 'colcon test-result'):
        assert command in commands


def test_the_citation_names_this_version(manifest):
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['version'] == manifest.findtext('version')
    assert citation['license'] == manifest.findtext('license')
    assert {'cff-version', 'message', 'title', 'authors'} <= citation.keys()


def test_every_source_file_says_whose_it_is():
    listed = subprocess.run(
        ['git', 'ls-files', '*.py', '*.sh', 'CMakeLists.txt', 'Makefile', 'docker/Dockerfile'],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert len(listed) > 300
    statement = (
        '# Copyright 2026 The affordance_ros Authors\n# SPDX-License-Identifier: Apache-2.0\n'
    )
    silent = [name for name in listed if statement not in (ROOT / name).read_text()[:200]]
    assert not silent
