# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The grounding node as a managed node, by the services that `ros2 lifecycle` calls."""

import time

import psutil
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]

CYCLES = 10


def subscriptions(probe):
    """Return the topics that the grounding node listens to, the middleware's own aside."""
    # Services may answer before the node's name is heard of.
    probe.spin_until(
        lambda: ('grounding', probe.namespace) in probe.node.get_node_names_and_namespaces(),
        'the name of the node',
    )
    heard = probe.node.get_subscriber_names_and_types_by_node('grounding', probe.namespace)
    return {topic for topic, _ in heard if topic.startswith(probe.namespace)}


def test_the_states_and_what_each_of_them_does(log, photos):
    from affordance_ros.msg import GroundingStatus
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    with grounding_node(log, autostart=False) as (_, probe):
        assert probe.lifecycle_state() == 'unconfigured'
        probe.spin_until(lambda: probe.status, 'the status')
        assert probe.status[-1].state == GroundingStatus.UNCONFIGURED
        assert not subscriptions(probe)
        assert not probe.transition('activate'), 'there is nothing to activate yet'

        assert probe.transition('configure')
        assert probe.lifecycle_state() == 'inactive'
        probe.spin_until(
            lambda: probe.status[-1].state == GroundingStatus.INACTIVE, 'the inactive state'
        )
        assert 'compact' in probe.status[-1].model
        assert not subscriptions(probe)

        assert probe.transition('activate')
        probe.spin_until(lambda: len(subscriptions(probe)) == 4, 'the subscriptions')
        probe.spin_until(lambda: probe.images.get_subscription_count(), 'the camera to be heard')
        number = probe.command('cut')
        expected = probe.answer_to(photo).targets

        heard = probe.counted().frames_received - len(probe.targets)
        assert probe.transition('deactivate')
        probe.spin_until(lambda: not subscriptions(probe), 'the subscriptions to go')
        probe.send(photo)
        assert probe.transition('activate'), 'the model has stayed'
        probe.spin_until(lambda: probe.images.get_subscription_count(), 'the camera to be heard')
        answer = probe.answer_to(photo)
        assert answer.targets == expected
        assert (answer.command, answer.command_id) == ('cut', number), 'the command has stayed'
        received = probe.counted().frames_received
        assert received - len(probe.targets) == heard, 'an inactive node has listened'

        assert probe.transition('deactivate')
        assert probe.transition('cleanup')
        probe.spin_until(
            lambda: probe.status[-1].state == GroundingStatus.UNCONFIGURED, 'the first state'
        )
        assert (probe.status[-1].model, probe.status[-1].command) == ('', '')
        assert probe.transition('configure') and probe.transition('activate')
        probe.spin_until(
            lambda: probe.status[-1].state == GroundingStatus.WAITING_FOR_COMMAND, 'a new start'
        )
        probe.spin_until(lambda: probe.commands.get_subscription_count(), 'the commands')
        probe.commands.publish(_text('hold'))
        probe.spin_until(lambda: probe.status[-1].command == 'hold', 'the command')
        assert probe.status[-1].command_id == number + 1, 'a number was given twice'


def _text(data):
    from std_msgs.msg import String

    return String(data=data)


@pytest.mark.parametrize('path', [[], ['configure'], ['configure', 'activate']])
def test_shutdown_from_each_state(log, path):
    from affordance_ros.msg import GroundingStatus
    from tests.support.ros_harness import grounding_node

    with grounding_node(log, autostart=False) as (_, probe):
        for label in path:
            assert probe.transition(label)
        assert probe.transition('shutdown')
        assert probe.lifecycle_state() == 'finalized'
        probe.spin_until(
            lambda: probe.status[-1].state == GroundingStatus.FINALIZED, 'the last state'
        )
        probe.spin_until(lambda: not subscriptions(probe), 'the subscriptions to go')


def test_a_failing_configure_names_its_reason_and_can_be_tried_again(log, photos, tmp_path):
    from affordance_ros.msg import GroundingStatus
    from tests.support.ros_harness import grounding_node

    wrong = {'weights': str(tmp_path / 'none.pt'), 'image_transport': 'theora'}
    with grounding_node(log, autostart=False, **wrong) as (process, probe):
        for parameter, value, reason in (
            ('image_transport', 'raw', "'theora' is unknown; known are raw, compressed"),
            ('weights', 'random', 'none.pt'),
        ):
            assert not probe.transition('configure')
            assert probe.lifecycle_state() == 'unconfigured'
            probe.spin_until(lambda reason=reason: reason in probe.status[-1].reason, reason)
            assert probe.status[-1].state == GroundingStatus.UNCONFIGURED
            assert reason in process.output
            assert probe.set_parameter(parameter, value) == (True, '')
        assert probe.set_parameter('input_size', 100)[1].startswith('input size 100')
        assert probe.transition('configure') and probe.transition('activate')
        accepted, reason = probe.set_parameter('weights', 'openai')
        assert not accepted
        assert reason.startswith('weights: read when the node is configured; clean up first')
        probe.wait_until_ready(process)
        assert 'none.pt' not in probe.status[-1].reason
        probe.command('cut')
        assert probe.answer_to(next(iter(photos.values()))).targets


def test_a_parameter_out_of_range_is_refused_at_the_start(log):
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    process = NodeProcess(
        [executable('grounding'), *ros_arguments({'min_score': 1.5, 'autostart': False})], log
    )
    assert process.process.wait(60) == 1
    assert 'min_score' in process.output
    assert 'Traceback' not in process.output


def test_an_activation_that_fails_leaves_a_node_that_can_be_tried_again(log):
    """A quality of service that does not exist is noticed when the subscription is made."""
    from affordance_ros.msg import GroundingStatus
    from tests.support.ros_harness import MODEL
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import Probe
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    probe = Probe()
    override = f'qos_overrides.{probe.namespace}/image.subscription.reliability'
    parameters = {**MODEL, 'autostart': False, override: 'nonsense'}
    process = NodeProcess(
        [executable('grounding'), *ros_arguments(parameters, probe.namespace)], log
    )
    node = psutil.Process(process.process.pid)
    threads = []
    for _ in range(3):
        assert probe.transition('configure')
        probe.spin_until(
            lambda: probe.status[-1].state == GroundingStatus.INACTIVE, 'the model to be loaded'
        )
        assert not probe.transition('activate')
        assert probe.lifecycle_state() == 'unconfigured'
        probe.spin_until(lambda: 'nonsense' in probe.status[-1].reason, 'the reason')
        assert probe.status[-1].state == GroundingStatus.UNCONFIGURED
        assert 'nonsense' in process.output
        probe.spin_until(lambda: not subscriptions(probe), 'the subscriptions to go')
        if threads:  # those of Fast DDS come and go for a moment
            probe.spin_until(lambda: node.num_threads() <= threads[0], 'the worker to end')
        threads.append(node.num_threads())
    assert process.stop() == 0, process.output
    probe.close()


def test_the_class_takes_what_nodes_take(photos):
    """In the test's own process: namespace, parameters, two nodes in one executor that sleeps."""
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.parameter import Parameter

    from affordance_ros.nodes.grounding.node import GroundingNode
    from affordance_ros.nodes.messages import to_image
    from affordance_ros.nodes.run import StartupError
    from affordance_ros.srv import Ground
    from tests.support.ros_harness import MODEL
    from tests.support.ros_harness import Probe

    probe = Probe()
    grounding = GroundingNode(
        'eyes',
        namespace=probe.namespace,
        parameter_overrides=[Parameter(name, value=value) for name, value in MODEL.items()],
    )
    executor = SingleThreadedExecutor()
    executor.add_node(grounding)
    executor.add_node(probe.node)
    grounding.bring_up()
    with pytest.raises(StartupError, match='while it is unconfigured only'):
        grounding.bring_up()
    client = probe.node.create_client(Ground, 'eyes/ground')
    assert client.wait_for_service(timeout_sec=30)
    image = to_image(next(iter(photos.values())), 'bgr8', header=probe.header())
    took_s = []
    for _ in range(6):
        begin = time.monotonic()
        future = client.call_async(Ground.Request(commands=['cut'], image=image, deadline_s=60.0))
        executor.spin_until_future_complete(future, timeout_sec=60)
        assert future.result().success
        took_s.append(time.monotonic() - begin)
    # An executor that is not woken looks at the answer when the next timer fires, that is a
    # whole second after the answer before.
    assert min(took_s[1:]) < 0.7, took_s
    grounding.finish(executor)
    grounding.destroy_node()
    probe.close()
    executor.shutdown()


def test_an_error_that_older_rclpy_lets_through_does_not_end_a_node(tmp_path, log):
    """As where Humble's raises for a transition that is not possible; then a clean end."""
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import Probe

    program = tmp_path / 'node.py'
    program.write_text(
        'import sys\n'
        'from rclpy._rclpy_pybind11 import RCLError\n'
        'from rclpy.node import Node\n'
        'from std_msgs.msg import String\n'
        'from affordance_ros.nodes.run import run_node\n'
        'class Fragile(Node):\n'
        '    def __init__(self):\n'
        '        super().__init__("fragile")\n'
        '        self.create_subscription(String, "task_command", self.fail, 10)\n'
        '    def fail(self, message):\n'
        '        raise RCLError("the transition is not possible")\n'
        'sys.exit(run_node("fragile", Fragile))\n'
    )
    probe = Probe()
    arguments = ['--ros-args', '-r', f'__ns:={probe.namespace}']
    process = NodeProcess([program, *arguments], log)
    probe.spin_until(probe.commands.get_subscription_count, 'the node')
    for count in (1, 2):
        probe.commands.publish(_text('x'))
        probe.spin_until(
            lambda count=count: process.output.count('transition is not possible') == count,
            f'error {count} in the log',
        )
    assert process.stop() == 0, process.output
    probe.close()


def test_memory_threads_and_subscriptions_return_with_every_cycle(log, photos):
    """Ten times through all states with work in between, on the model that ships."""
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    parameters = {'model': 'household', 'weights': '', 'task_command': 'cut', 'autostart': False}
    # A fork would still be taking over its parent's pages.
    with grounding_node(log, fresh=True, **parameters) as (process, probe):
        node = psutil.Process(process.process.pid)
        after = []  # (resident memory in MiB, number of threads) when each cycle is over
        for cycle in range(CYCLES):
            assert probe.transition('configure')
            assert probe.transition('activate')
            probe.spin_until(lambda: probe.images.get_subscription_count(), 'the camera')
            for _ in range(3):
                probe.answer_to(photo)
            threads = node.num_threads()
            busy = node.memory_info().rss / 2**20
            assert probe.transition('deactivate')
            # Threads of Fast DDS come and go for a moment; the worker has to go for good.
            probe.spin_until(lambda most=threads: node.num_threads() < most, 'its end')
            assert probe.transition('cleanup')
            probe.spin_until(lambda: not subscriptions(probe), 'the subscriptions to go')
            idle = node.memory_info().rss / 2**20
            assert idle < busy, f'cycle {cycle} freed nothing: {busy} to {idle} MiB'
            if after:
                probe.spin_until(lambda: node.num_threads() <= after[0][1], 'threads to end')
            after.append((idle, node.num_threads()))
        first, last = after[0], after[-1]
        assert last[0] <= 1.05 * first[0], f'memory grows: {after}'
