# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The documentation: what can be held of it in seconds, and the checker that holds the rest."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tools.docs_check.commands import check_block
from tools.docs_check.commands import split_commands
from tools.docs_check.pages import Page
from tools.docs_check.pages import find_pages
from tools.docs_check.pages import slugify
from tools.docs_check.run import TESTS
from tools.docs_check.run import parse_marker
from tools.docs_check.run import run_page
from tools.docs_check.static import check_page


@pytest.fixture
def page(tmp_path):
    """Return a maker of a page in a repository of its own."""

    def make(text, **files):
        for name, content in files.items():
            (tmp_path / name).write_text(content)
        path = tmp_path / 'page.md'
        path.write_text(text)
        return Page(path)

    return make


def problems(page):
    found = list(check_page(page, page.path.parent))
    blocks = [block for block in page.blocks if block.language == 'bash']
    return found + [p for block in blocks for p in check_block(block, ROOT)]


@pytest.mark.ros
@pytest.mark.parametrize('path', [str(p.path.relative_to(ROOT)) for p in find_pages(ROOT)])
def test_links_lead_somewhere_and_blocks_name_what_exists(path):
    page = Page(ROOT / path)
    assert list(check_page(page, ROOT)) == []
    for block in page.blocks:
        if block.language == 'bash':
            assert list(check_block(block, ROOT)) == [], f'{path}:{block.line}'
            parse_marker('' if block.verb == 'not run' else block.marker)


@pytest.mark.ros
def test_the_reference_is_what_the_nodes_and_messages_say():
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(1 + (os.getpid() + 40) % 100)}
    result = subprocess.run(
        [sys.executable, ROOT / 'tools' / 'make_reference.py', '--check'],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr


def test_every_page_is_reached_from_the_index():
    index = Page(ROOT / 'docs' / 'index.md')
    linked = {(index.path.parent / target).resolve() for _, target in index.links}
    pages = {p.path for p in find_pages(ROOT) if p.path.is_relative_to(index.path.parent)}
    assert pages - {index.path} <= linked
    toctrees = ''.join(b.text for b in index.blocks if b.language == '{toctree}')
    for path in pages - {index.path}:
        name = path.relative_to(index.path.parent).with_suffix('').as_posix()
        assert f'\n{name}\n' in toctrees, f'{name} is in no toctree of docs/index.md'


def table_names(text):
    """Return what stands as code in the first column of all tables of a text."""
    rows = re.findall(r'^\| (`[^|]*) \|', text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r'`([^`]+)`', row)}


def section(path, heading):
    text = (ROOT / path).read_text()
    level = re.match('#+', heading)[0]
    begin = text.index(f'\n{heading}\n')
    end = re.search(rf'\n#{{1,{len(level)}}} ', text[begin + 1 :])
    return text[begin : begin + 1 + end.start() if end else None]


def test_the_readme_and_the_reference_name_the_same_topics():
    written = table_names(section('README.md', '## The node `grounding`'))
    real = table_names(section('docs/reference/topics.md', '## The node `grounding`'))
    lifecycle = {name for name in real if name.startswith('~/get_') or name == '~/change_state'}
    # One of the lifecycle services stands for all; JPEG is the same topic by image_transport.
    assert written - {'~/get_state', '~/change_state', 'image_transport'} == (
        real - lifecycle - {'~/transition_event'} | {'image/compressed'}
    )


def test_every_fault_told_of_has_its_test():
    pages = ('docs/reliability.md', 'tests/README.md')
    text = ''.join((ROOT / page).read_text() for page in pages)
    named = re.findall(r'`(\w+/test_\w+\.py) -k ("[^"]+"|\w+)`', text)
    assert len(named) > 30
    for file, expression in named:
        tests = re.findall(r'^def (test_\w+)', (ROOT / 'tests' / file).read_text(), re.MULTILINE)
        for word in expression.strip('"').split(' or '):
            assert any(word in test for test in tests), f'{file} -k {word} runs no test'


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('```\nls\n```', "marked ''"),
        ('```fortran\nls\n```', "marked 'fortran'"),
        ('<!-- not run: no time -->\n```bash\nls\n```', "reason 'no time' is unknown"),
        ('<!-- not run: hours -->\n```yaml\na: 1\n```', 'takes no marker'),
        ('```yaml\na: [1\n```', 'the yaml in the block is wrong'),
        ('```python\nx = = 1\n```', 'the python in the block is wrong'),
        (
            '```python\nfrom affordance_ros.targets.instances import find_valleys\n```',
            'has no find_valleys',
        ),
        ('```python\nimport affordance_ros.valleys\n```', 'no module affordance_ros.valleys'),
        ('[more](more.md)', 'more.md leads nowhere'),
        ('![image](images/none.png)', 'images/none.png leads nowhere'),
        ('[out](../../etc)', 'leads nowhere|leads out of'),
        ('# One\n[two](#two)', 'no heading #two'),
        ('text\n\n    ls -l\n', 'an indented block'),
    ],
)
def test_what_is_wrong_with_a_page_is_said(page, text, message):
    (problem,) = problems(page(text))
    assert re.search(message, problem)
    assert problem.startswith('page.md:')


@pytest.mark.ros
@pytest.mark.parametrize(
    ('command', 'message'),
    [
        ('make nonsense', 'no target nonsense'),
        ('affordance-ground photo.jpg cut --colour red', '--colour red'),
        ('affordance-eval agd20k --root X --metric kld', '--metric kld'),
        ('python -m affordance_ros_tabletop.cli render --what nothing --out X', 'nothing'),
        (
            'affordance-train --config training/configs/refcoco.yaml --set threads=1',
            'unknown key threads',
        ),
        ('bash scripts/none.sh', 'no file scripts/none.sh'),
        ('ros2 launch affordance_ros grounding.launch.py photo:=/a', 'no argument photo'),
        ('ros2 run affordance_ros planner', 'no executable planner'),
        ('ros2 param set /grounding colour red', 'no parameter colour'),
        ('ros2 topic pub /a std_msgs/msg/String "{text: a}"', 'does not fit std_msgs/msg/String'),
        (
            'ros2 service call /a affordance_ros/srv/Ground "{commands: 5}"',
            'does not fit affordance_ros',
        ),
        ('ros2 topic pub /a std_msgs/msg/None "{}"', 'no type std_msgs/msg/None'),
    ],
)
def test_a_command_that_names_what_does_not_exist_is_found(page, command, message):
    (problem,) = problems(page(f'<!-- not run: ROS from apt -->\n```bash\n{command}\n```'))
    assert message in problem


def test_a_page_without_faults_has_none(page):
    text = '# A `b` (c)\n[here](#a-b-c) [file](other.md#d) ![p](p.png) `[no](link)`\n'
    text += '```text\n[no](link)\n```\n```yaml\na: 1\n```\n'
    assert problems(page(text, **{'other.md': '# x\n# d\n', 'p.png': ''})) == []


def test_an_open_block_is_an_error(page):
    with pytest.raises(ValueError, match=r'page\.md:1: this block is never closed'):
        _ = page('```bash\nls\n').blocks


def test_anchors_are_those_of_github():
    assert slugify('The node `grounding`') == 'the-node-grounding'
    assert slugify('`~/set_command` (a/B)') == 'set_command-ab'
    assert slugify("What it can't do: [this](x.md)") == 'what-it-cant-do-this'


def test_commands_are_split_as_bash_does():
    text = 'a --b "c d"  # e\nf \\\n  g && h > i &\n'
    assert list(split_commands(text)) == [['a', '--b', 'c d'], ['f', 'g'], ['h', '>', 'i']]


@pytest.mark.parametrize('marker', ['soon', '5 minutes', 'until ready'])
def test_a_marker_that_asks_for_something_unknown_is_refused(marker):
    with pytest.raises(ValueError, match='is unknown'):
        parse_marker(marker)


def test_markers_say_how_long_and_until_what():
    assert parse_marker('') == (300.0, '')
    assert parse_marker('9 s') == (9.0, '')
    assert parse_marker('9 s, until "a b"') == (9.0, 'a b')
    assert parse_marker('until "ready"') == (300.0, 'ready')


@pytest.fixture
def repository(tmp_path):
    """Return a small repository that git knows, with an environment to source."""
    root = tmp_path / 'repository'
    (root / 'scripts').mkdir(parents=True)
    (root / 'scripts' / 'env.sh').write_text('export GREETING=hello\n')
    subprocess.run(['git', 'init', '--quiet'], cwd=root, check=True)
    return root


def outcomes(root, text):
    (root / 'page.md').write_text(text)
    return list(run_page(Page(root / 'page.md'), root))


def test_the_tests_that_stand_for_all_are_there():
    assert all((ROOT / path).is_file() for path in TESTS)


def test_blocks_run_in_order_in_a_copy(repository):
    text = '- in a list\n  ```bash\n  echo $GREETING > made\n  ```\n'
    text += "```python\nassert open('made').read() == 'hello\\n'\n```\n"
    text += '<!-- not run: hours -->\n```bash\nfalse\n```\n'
    assert [outcome.problem for outcome in outcomes(repository, text)] == ['', '']
    assert not (repository / 'made').exists()


def test_a_failing_block_ends_its_page_with_what_it_printed(repository):
    first, *others = outcomes(repository, '```bash\nls /none\necho more\n```\n```bash\nls\n```\n')
    assert 'exit 2' in first.problem and '/none' in first.problem
    assert not others


@pytest.mark.parametrize(
    ('marker', 'message'),
    [
        ('run: 1 s', 'was not done after 1 s'),
        ('run: 1 s, until "done"', "'done' was not printed within 1 s"),
        ('run: until "ready"', ''),
    ],
)
def test_blocks_that_never_end_are_stopped(repository, marker, message):
    sleep = shutil.which('sleep')
    text = f'<!-- {marker} -->\n```bash\necho ready; {sleep} 987 & {sleep} 987\n```\n'
    (outcome,) = outcomes(repository, text)
    assert message in outcome.problem and bool(message) == bool(outcome.problem)
    left = subprocess.run(['pgrep', '-f', f'{sleep} 987'], capture_output=True, text=True)
    assert not left.stdout
