# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A parameter client far away must not make the node read any file it likes."""

import pytest

pytestmark = [pytest.mark.ros]

PROMPTS = 'name: mine\nversion: 1\ntemplates: ["a photo of {}"]\n'


@pytest.fixture
def places(tmp_path):
    """Return a folder that is allowed, one that is not, and a file given at the start."""
    for name in ('allowed', 'secret', 'given'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'set.yaml').write_text(PROMPTS)
    (tmp_path / 'allowed' / 'link.yaml').symlink_to(tmp_path / 'secret' / 'set.yaml')
    return tmp_path


def guard(places, **at_start):
    from affordance_ros.nodes.grounding.file_guard import FileGuard

    return FileGuard(str(places / 'allowed'), at_start)


def change(name, value):
    from rclpy.parameter import Parameter

    return [Parameter(name, value=str(value))]


@pytest.mark.parametrize('name', ['weights', 'checkpoint', 'prompt_set', 'model', 'cache_dir'])
@pytest.mark.parametrize(
    'file',
    [
        'secret/set.yaml',
        'secret/none.yaml',
        'allowed/../secret/set.yaml',
        'allowed/link.yaml',
        'given/other.yaml',
        'allowed/x\0y',
    ],
)
def test_files_elsewhere_are_refused_whether_they_are_there_or_not(places, name, file):
    with pytest.raises(ValueError, match=r'may be named while|can not be followed'):
        guard(places, checkpoint=str(places / 'given' / 'set.yaml')).check(
            change(name, f'{places}/{file}')
        )
    with pytest.raises(ValueError, match='may be named'):
        guard(places).check(change(name, '~/.ssh/id_ed25519'))


@pytest.mark.parametrize('name', ['weights', 'checkpoint', 'prompt_set', 'cache_dir'])
def test_files_in_allowed_folders_and_those_of_the_start_may_be_named(places, name):
    given = places / 'given' / 'set.yaml'
    for file in (places / 'allowed' / 'set.yaml', given):
        guard(places, weights=str(given)).check(change(name, file))


def test_names_that_are_no_files_may_be_set(places):
    for name, value in (
        ('weights', ''),
        ('weights', 'random'),
        ('weights', 'openai'),
        ('checkpoint', ''),
        ('prompt_set', 'ensemble'),
        ('cache_dir', ''),
        ('cache_dir', 'off'),
        ('model', 'household'),
        ('task_command', '/etc/passwd'),
    ):
        guard(places).check(change(name, value))


def test_shipped_files_may_be_named(places):
    from affordance_ros.model.embedded import EMBEDDED

    guard(places).check(change('checkpoint', EMBEDDED['household'].checkpoint))


def test_a_folder_that_is_not_there_is_named():
    from affordance_ros.nodes.grounding.file_guard import FileGuard

    with pytest.raises(ValueError, match="allowed_dirs: '/no/such' is not a folder"):
        FileGuard('/tmp:/no/such', {})


@pytest.mark.usefixtures('ros')
def test_a_real_node_reads_no_file_that_a_client_chooses(log, places, photos):
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    secret, mine = str(places / 'secret' / 'set.yaml'), str(places / 'allowed' / 'set.yaml')
    parameters = {'allowed_dirs': str(places / 'allowed'), 'task_command': 'cut'}
    with grounding_node(log, **parameters) as (_, probe):
        verb = probe.answer_to(photo).targets
        accepted, reason = probe.set_parameter('prompt_set', secret)
        assert not accepted and 'may be named while the node runs' in reason
        assert probe.answer_to(photo).targets == verb
        assert probe.set_parameter('prompt_set', mine) == (True, '')
        assert probe.answer_to(photo).targets != verb
        accepted, reason = probe.set_parameter('allowed_dirs', '/')
        assert not accepted and 'read-only' in reason
        assert probe.transition('deactivate') and probe.transition('cleanup')
        for name in ('weights', 'checkpoint', 'prompt_set', 'cache_dir'):
            accepted, reason = probe.set_parameter(name, secret)
            assert not accepted and name in reason
        assert probe.set_parameter('checkpoint', str(places / 'allowed' / 'x')) == (True, '')


@pytest.mark.usefixtures('ros')
def test_a_real_node_does_not_start_with_a_folder_that_is_not_there(log):
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    arguments = ros_arguments({'allowed_dirs': '/no/such'})
    node = NodeProcess([executable('grounding'), *arguments], log)
    assert node.process.wait(60) == 1
    assert "allowed_dirs: '/no/such' is not a folder" in node.output


@pytest.mark.parametrize('name', ['local-dir:/tmp', 'hf-hub:somebody/model'])
def test_models_are_registered_ones_alone(name, monkeypatch):
    import open_clip

    from affordance_ros.model.families import load_trunk

    monkeypatch.setattr(open_clip, 'get_model_config', None)  # it would follow the name
    with pytest.raises(ValueError, match='is unknown; known are household'):
        load_trunk(name, 'random')
