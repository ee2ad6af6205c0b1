# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pytest
import yaml

from tests.conftest import ROOT
from tests.support.launch_evaluator import evaluate

LAUNCH_FILE = ROOT / 'launch' / 'grounding.launch.py'
SHARE = {'affordance_ros': str(ROOT)}
ARGUMENTS = {
    'image', 'task_command', 'depth', 'camera_info', 'params_file', 'model', 'weights',
    'checkpoint', 'device', 'autostart', 'rviz', 'use_sim_time', 'namespace', 'log_level',
}  # fmt: skip


def launch(environment=None, **arguments):
    return evaluate(LAUNCH_FILE, arguments, share=SHARE, environment=dict(environment or {}))


def test_every_argument_is_declared_and_described():
    declared = launch().declared
    assert declared.keys() == ARGUMENTS
    for name, argument in declared.items():
        assert argument.description and argument.description.endswith('.'), name


def test_by_default_one_node_starts_with_the_shipped_parameters():
    (node,) = launch().nodes
    assert (node.package, node.executable) == ('affordance_ros', 'grounding')
    text = ' '.join(node.ros_arguments)
    assert f'--params-file {ROOT}/config/grounding.yaml' in text
    assert 'use_sim_time:=false' in text
    for parameter in ('model', 'weights', 'checkpoint', 'device', 'autostart'):
        assert f'-p {parameter}:=' not in text, 'an argument not given must not hide the file'


def test_arguments_reach_the_node():
    (node,) = launch(
        image='/camera/image_raw',
        task_command='/planner/command',
        params_file='/my.yaml',
        model='compact',
        weights='random',
        checkpoint='123',
        device='cuda:0',
        autostart='false',
        use_sim_time='true',
        namespace='robot1',
        log_level='debug',
    ).nodes
    text = ' '.join(node.ros_arguments)
    for part in (
        '-r image:=/camera/image_raw',
        '-r task_command:=/planner/command',
        '-r __ns:=/robot1',
        '--params-file /my.yaml',
        '-p model:=compact',
        "-p checkpoint:='123'",
        '-p device:=cuda:0',
        '-p autostart:=false',
        '-p use_sim_time:=true',
        '--log-level debug',
    ):
        assert part in text, part


@pytest.mark.parametrize(
    'arguments', [{'imgae': 'x'}, {'rviz': 'maybe'}, {'log_level': 'loud'}, {'autostart': 'yes'}]
)
def test_unknown_arguments_and_values_are_refused(arguments):
    with pytest.raises(RuntimeError):
        launch(**arguments)


def test_rviz_starts_on_demand_with_the_shipped_file():
    nodes = launch(rviz='true').nodes
    assert [node.executable for node in nodes] == ['grounding', 'rviz2']
    assert nodes[1].arguments == ['-d', f'{ROOT}/rviz/grounding.rviz']


@pytest.mark.parametrize(
    ('distribution', 'variable'),
    [
        ('humble', 'FASTRTPS_DEFAULT_PROFILES_FILE'),
        ('jazzy', 'FASTRTPS_DEFAULT_PROFILES_FILE'),
        ('kilted', 'FASTDDS_DEFAULT_PROFILES_FILE'),
    ],
)
def test_the_shared_memory_profile_is_set_unless_one_is(monkeypatch, distribution, variable):
    monkeypatch.setenv('ROS_DISTRO', distribution)
    assert launch().environment == {variable: f'{ROOT}/config/fastdds_shm.xml'}
    assert launch({variable: '/own.xml'}).environment == {variable: '/own.xml'}


@pytest.mark.ros
@pytest.mark.usefixtures('ros')
def test_the_node_runs_with_what_the_launch_file_resolves_to(log, tmp_path, photos):
    """The parameter file's values hold, arguments go before them, and remapped topics work."""
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import Probe
    from tests.support.ros_harness import executable

    probe = Probe()
    shipped = yaml.safe_load((ROOT / 'config' / 'grounding.yaml').read_text())
    parameters = shipped['/**']['ros__parameters']
    parameters.update(weights='random', max_targets=1, min_score=0.0)
    params_file = tmp_path / 'own.yaml'
    params_file.write_text(yaml.safe_dump(shipped))
    (node,) = launch(
        params_file=str(params_file),
        model='compact',
        device='cpu',
        namespace=probe.namespace,
        image=f'{probe.namespace}/image',
        task_command=f'{probe.namespace}/task_command',
    ).nodes
    process = NodeProcess([executable(node.executable), *node.ros_arguments], log, fresh=True)
    probe.wait_until_ready(process)
    probe.command('cut')
    answer = probe.answer_to(next(iter(photos.values())))
    assert len(answer.targets) == 1
    assert 'compact (random' in probe.status[-1].model
    assert process.stop() == 0, process.output
    probe.close()
