# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pytest
import yaml

from tests.conftest import ROOT
from tests.support.launch_evaluator import evaluate

SHARE = {'affordance_ros': str(ROOT)}
ARGUMENTS = {
    'image', 'command', 'command_topic', 'depth', 'camera_info', 'image_transport',
    'target_frame', 'min_score', 'prompt_set', 'params_file', 'model', 'weights', 'checkpoint',
    'device', 'autostart', 'rviz', 'use_sim_time', 'required', 'namespace', 'log_level',
}  # fmt: skip


def launch(environment=None, file='grounding', **arguments):
    path = ROOT / 'launch' / f'{file}.launch.py'
    return evaluate(path, arguments, share=SHARE, environment=dict(environment or {}))


def text_of(node):
    return ' '.join(node.ros_arguments)


@pytest.mark.parametrize(
    ('file', 'own'),
    [('grounding', set()), ('rgbd', {'camera'}), ('webcam', {'source', 'rate_hz'})],
)
def test_every_argument_is_declared_and_described(file, own):
    declared = launch(file=file).declared
    assert declared.keys() == ARGUMENTS | own
    for name, argument in declared.items():
        assert argument.description and argument.description.endswith('.'), name


def test_by_default_one_node_starts_with_the_shipped_parameters():
    (node,) = launch().nodes
    assert (node.package, node.executable) == ('affordance_ros', 'grounding')
    text = ' '.join(node.ros_arguments)
    assert f'--params-file {ROOT}/config/grounding.yaml' in text
    assert 'use_sim_time:=false' in text
    assert text.count('-p ') == 1, 'an argument not given must not hide the file'
    assert '-r image:=image' in text
    assert 'camera_info:=' not in text, 'the node finds it beside the image'


def test_arguments_reach_the_node(tmp_path):
    params_file = tmp_path / 'my.yaml'
    params_file.touch()
    (node,) = launch(
        image='/camera/image_raw',
        command='hold the mug',
        command_topic='/planner/command',
        camera_info='/camera/info',
        image_transport='compressed',
        target_frame='base_link',
        min_score='1',
        prompt_set='parts',
        params_file=str(params_file),
        model='compact',
        weights='random',
        checkpoint='123',
        device='cuda:0',
        autostart='false',
        use_sim_time='true',
        namespace='robot1',
        log_level='debug',
    ).nodes
    text = text_of(node)
    for part in (
        '-r image:=/camera/image_raw',
        '-r task_command:=/planner/command',
        '-r camera_info:=/camera/info',
        '-r __ns:=/robot1',
        f'--params-file {params_file}',
        '-p task_command:=hold the mug',
        '-p image_transport:=compressed',
        '-p target_frame:=base_link',
        '-p min_score:=1.0',
        '-p prompt_set:=parts',
        '-p model:=compact',
        "-p checkpoint:='123'",
        '-p device:=cuda:0',
        '-p autostart:=false',
        '-p use_sim_time:=true',
        '--log-level robot1.grounding:=debug',
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ('text', 'value'),
    [('true', 'true'), ('True', 'true'), ('1', 'true'), ('false', 'false'), ('FALSE', 'false'),
     ('0', 'false')],
)  # fmt: skip
def test_booleans_come_as_bringups_write_them(text, value):
    launched = launch(autostart=text, use_sim_time=text, rviz=text, required=text)
    grounding = launched.nodes[0]
    assert f'-p autostart:={value}' in text_of(grounding)
    for node in launched.nodes:
        assert f'-p use_sim_time:={value}' in text_of(node), node.executable
    assert len(launched.nodes) == (2 if value == 'true' else 1)
    assert (grounding.on_exit is not None) == (value == 'true')


@pytest.mark.parametrize('level', ['INFO', 'Warn', 'debug'])
def test_the_log_level_is_that_of_the_node_alone(level):
    """For rcl's own lines of level debug would drown the node's."""
    (node,) = launch(log_level=level, namespace='/left/arm').nodes
    assert f'--log-level left.arm.grounding:={level.lower()}' in text_of(node)
    (node,) = launch(log_level=level).nodes
    assert f'--log-level grounding:={level.lower()}' in text_of(node)


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        ({'imgae': 'x'}, 'imgae'),
        ({'rviz': 'maybe'}, 'rviz:=maybe is not a boolean'),
        ({'autostart': 'yes'}, 'autostart:=yes is not a boolean'),
        ({'log_level': 'loud'}, 'loud is unknown; known are debug, info'),
        ({'min_score': 'high'}, 'min_score:=high is not a number'),
        ({'params_file': '/nope.yaml'}, 'params_file:=/nope.yaml does not exist'),
        ({'file': 'rgbd', 'camera': 'kinect1'}, 'known are realsense, oak, zed, azure'),
    ],
)
def test_unknown_arguments_and_values_are_refused(arguments, reason):
    with pytest.raises((RuntimeError, ValueError, OSError), match=reason):
        launch(**arguments)


def test_rviz_starts_on_demand_with_the_shipped_file():
    nodes = launch(rviz='true').nodes
    assert [node.executable for node in nodes] == ['grounding', 'rviz2']
    assert nodes[1].arguments == ['-d', f'{ROOT}/rviz/grounding.rviz']


def test_the_launch_ends_with_the_node():
    """An exception is what gives `ros2 launch` exit code 1; a plain Shutdown gives 0."""
    (node,) = launch().nodes
    with pytest.raises(RuntimeError, match='grounding has ended with exit code 1'):
        node.exited(1)
    (action,) = node.exited(0)
    assert type(action).__name__ == 'Shutdown'
    assert node.exited(-2, is_shutdown=True) == [], 'Ctrl-C is not a failure'
    (node,) = launch(required='false').nodes
    assert node.exited(1) == []


@pytest.mark.parametrize(
    ('arguments', 'image', 'depth'),
    [
        ({}, '/camera/camera/color/image_raw', '/camera/camera/aligned_depth_to_color/image_raw'),
        ({'camera': 'OAK'}, '/oak/rgb/image_raw', '/oak/stereo/image_raw'),
        ({'camera': 'azure', 'image': '/a', 'depth': '/b'}, '/a', '/b'),
    ],
)
def test_an_rgbd_camera_is_found_by_its_name(arguments, image, depth):
    (node,) = launch(file='rgbd', command='cut', namespace='arm', **arguments).nodes
    text = text_of(node)
    for part in (f'-r image:={image} ', f'-r depth:={depth} ', '-p task_command:=cut', '/arm'):
        assert part in text, part


def test_a_webcam_is_played_to_the_node():
    grounding, camera = launch(file='webcam', command='cut', namespace='desk').nodes
    assert (grounding.executable, camera.executable) == ('grounding', 'camera')
    assert '-p task_command:=cut' in text_of(grounding)
    assert (
        text_of(camera)
        == "--ros-args -r __node:=camera -r __ns:=/desk -p source:='0' -p rate_hz:=10.0"
    )


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
    parameters.update(weights='random', backend='torch', max_targets=1, min_score=0.0)
    params_file = tmp_path / 'own.yaml'
    params_file.write_text(yaml.safe_dump(shipped))
    (node,) = launch(
        params_file=str(params_file),
        model='compact',
        device='cpu',
        namespace=probe.namespace,
        image=f'{probe.namespace}/image',
        command_topic=f'{probe.namespace}/task_command',
        autostart='True',
        log_level='INFO',
    ).nodes
    process = NodeProcess([executable(node.executable), *node.ros_arguments], log, fresh=True)
    probe.wait_until_ready(process)
    probe.command('cut')
    answer = probe.answer_to(next(iter(photos.values())))
    assert len(answer.targets) == 1
    assert 'compact (random' in probe.status[-1].model
    assert process.stop() == 0, process.output
    probe.close()
