# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Real nodes in processes of their own, heard over real DDS."""

import contextlib
import itertools
import sys
import threading
import time

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState
from lifecycle_msgs.srv import GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String

from affordance_ros.msg import AffordanceTargetArray
from affordance_ros.msg import GroundingStatus
from affordance_ros.nodes.messages import to_image
from tests.support.node_process import NodeProcess
from tests.support.node_process import executable
from tests.support.node_process import ros_arguments

# One thread: sums over several round differently, and the node must equal the test's predictor.
MODEL = {
    'model': 'compact',
    'weights': 'random',
    'device': 'cpu',
    'backend': 'torch',
    'num_threads': 1,
}
# Nothing sent with it is lost as long as fewer than its depth are under way.
LOSSLESS = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LISTENING = (
    GroundingStatus.WAITING_FOR_COMMAND,
    GroundingStatus.WAITING_FOR_IMAGE,
    GroundingStatus.RUNNING,
)
_numbers = itertools.count(1)
_REPEAT_S = 3.0


class Probe:
    """A node in the test's process that hears the grounding node of one namespace."""

    def __init__(
        self, namespace=None, *, heatmaps=False, overlays=False, image_qos=qos_profile_sensor_data
    ):
        self.namespace = namespace or f'/test{next(_numbers)}'
        self.node = rclpy.create_node('probe', namespace=self.namespace)
        self.status = []
        self.targets = []
        self.heatmaps = []
        self.overlays = []
        self.diagnostics = {}  # the newest status of each task: input, processing, model
        subscribe = self.node.create_subscription
        subscribe(GroundingStatus, 'grounding/status', self.status.append, LATCHED)
        subscribe(AffordanceTargetArray, 'grounding/targets', self.targets.append, 1000)
        if heatmaps:
            subscribe(Image, 'grounding/heatmap', self.heatmaps.append, 1000)
        if overlays:
            subscribe(Image, 'grounding/overlay', self.overlays.append, 1000)
        subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, 100)
        self.images = self.node.create_publisher(Image, 'image', image_qos)
        self.jpegs = self.node.create_publisher(CompressedImage, 'image/compressed', image_qos)
        self.commands = self.node.create_publisher(String, 'task_command', 100)
        self.serial = 0
        self._clients = {}

    def _on_diagnostics(self, message):
        prefix = f'{self.namespace}/grounding: '.lstrip('/')
        for status in message.status:
            if status.name.startswith(prefix):
                self.diagnostics[status.name.removeprefix(prefix)] = status

    def diagnosed(self, task, key):
        """Return a value of the newest diagnostics; '' if it is not there."""
        status = self.diagnostics.get(task)
        return {v.key: v.value for v in status.values}.get(key, '') if status else ''

    def spin_until(self, condition, what, timeout_s=60.0, again=None):
        """Hear messages until a condition holds; fail if it does not in time.

        With `again`, that is done every few seconds meanwhile: what is sent before the other side
        has discovered us can be lost, and nothing says when it has.
        """
        begin = time.monotonic()
        repeats = 0
        while not condition():
            passed_s = time.monotonic() - begin
            if passed_s > timeout_s:
                last = self.status[-1] if self.status else None
                raise AssertionError(f'waited {timeout_s} s in vain for {what}; status: {last}')
            if again is not None and passed_s > (repeats + 1) * _REPEAT_S:
                repeats += 1
                again()
            rclpy.spin_once(self.node, timeout_sec=0.05)

    def wait_until_ready(self, process=None, images=True):
        """Wait until the node has loaded its model and hears us."""

        def ready():
            assert process is None or process.process.poll() is None, process.output
            publisher = self.images if images else self.jpegs
            return (
                self.status
                and self.status[-1].state in LISTENING
                and publisher.get_subscription_count() > 0
                and self.commands.get_subscription_count() > 0
            )

        self.spin_until(ready, 'the node to be ready')

    def begin(self, service_type, name, **request):
        """Call a service of the grounding node and return the future answer."""
        if name not in self._clients:
            self._clients[name] = self.node.create_client(service_type, f'grounding/{name}')
        client = self._clients[name]
        self.spin_until(client.service_is_ready, f'the service {name}')
        return client.call_async(service_type.Request(**request))

    def call(self, service_type, name, **request):
        """Call a service of the grounding node and return its answer."""
        future = self.begin(service_type, name, **request)
        self.spin_until(future.done, f'the answer of {name}')
        return future.result()

    def transition(self, label):
        """Ask for a lifecycle transition; return whether it succeeded."""
        request = ChangeState.Request()
        request.transition.label = label
        return self.call(ChangeState, 'change_state', transition=request.transition).success

    def lifecycle_state(self):
        """Return the name of the node's lifecycle state."""
        return self.call(GetState, 'get_state').current_state.label

    def set_parameter(self, name, value):
        """Set a parameter of the grounding node; return whether it was taken, and why not."""
        if 'parameters' not in self._clients:
            self._clients['parameters'] = AsyncParameterClient(self.node, 'grounding')
        client = self._clients['parameters']
        self.spin_until(client.services_are_ready, 'the parameter services')
        future = client.set_parameters([Parameter(name, value=value)])
        self.spin_until(future.done, f'parameter {name}')
        (result,) = future.result().results
        return result.successful, result.reason

    def command(self, text):
        """Publish a command and wait until it is in force; return its number."""
        number = self.status[-1].command_id + 1
        self.commands.publish(String(data=text))
        self.spin_until(lambda: self.status[-1].command_id >= number, f'command {text!r}')
        return number

    def header(self):
        """Return a header that no other frame has; its stamp counts frames in milliseconds."""
        self.serial += 1
        header = Header(frame_id=f'camera{self.serial}')
        header.stamp.sec, header.stamp.nanosec = 1000 + self.serial // 1000, self.serial % 1000
        return header

    def send(self, pixels, encoding='bgr8', header=None):
        """Publish an image and return its header."""
        message = to_image(pixels, encoding, header=header or self.header())
        self.images.publish(message)
        return message.header

    def answer_to(self, pixels, encoding='bgr8'):
        """Publish an image and wait for its targets."""
        header = self.send(pixels, encoding)
        self.spin_until(
            lambda: self.targets and self.targets[-1].header == header,
            f'an answer to {header}',
            again=lambda: self.send(pixels, encoding, header),
        )
        return self.targets[-1]

    def heatmap_of(self, pixels, encoding='bgr8'):
        """Publish an image and wait for its heatmap; its targets are the newest by then."""
        header = self.send(pixels, encoding)
        self.spin_until(
            lambda: (
                self.heatmaps
                and self.targets
                and self.heatmaps[-1].header == self.targets[-1].header == header
            ),
            f'the heatmap of {header}',
            again=lambda: self.send(pixels, encoding, header),
        )
        return self.heatmaps[-1]

    def counted(self):
        """Wait for a status that counts every answer heard, while no frame waits; return it.

        Answers are counted once they are out, and counts are told once a second: the newest
        status says little of the newest answer.
        """

        def settled():
            status = self.status[-1]
            done = status.frames_processed + status.frames_dropped + status.frames_unusable
            return status.frames_processed == len(self.targets) and status.frames_received == done

        self.spin_until(settled, f'{len(self.targets)} answers to be counted')
        return self.status[-1]

    def close(self):
        """Leave the graph."""
        self.node.destroy_node()


@contextlib.contextmanager
def grounding_node(
    log, *, heatmaps=False, overlays=False, lossless=False, fresh=False, **parameters
):
    """Run a grounding node; give its process and a probe; hold that it ends cleanly.

    With `lossless`, images are sent and awaited by LOSSLESS, so that every one can be counted.
    """
    image_qos = LOSSLESS if lossless else qos_profile_sensor_data
    probe = Probe(heatmaps=heatmaps, overlays=overlays, image_qos=image_qos)
    if lossless:
        for topic in ('image', 'image/compressed'):
            prefix = f'qos_overrides.{probe.namespace}/{topic}.subscription'
            parameters[f'{prefix}.reliability'] = 'reliable'
            parameters[f'{prefix}.depth'] = LOSSLESS.depth
    arguments = ros_arguments({**MODEL, **parameters}, probe.namespace)
    process = NodeProcess([executable('grounding'), *arguments], log, fresh=fresh)
    try:
        if parameters.get('autostart', True):
            images = parameters.get('image_transport') != 'compressed'
            probe.wait_until_ready(process, images=images)
        yield process, probe
    except BaseException:
        process.process.kill()
        sys.stderr.write(process.output)
        raise
    else:
        code = process.stop()
        assert code == 0, process.output
        assert 'Traceback' not in process.output, process.output
    finally:
        process.process.wait()
        probe.close()


@contextlib.contextmanager
def grounding_inside(**parameters):
    """Run a grounding node in the tests' own process, in a thread of its own; give a probe."""
    from affordance_ros.nodes.grounding.node import GroundingNode

    probe = Probe()
    parameters = {**MODEL, **parameters}
    node = GroundingNode(
        namespace=probe.namespace,
        parameter_overrides=[Parameter(name, value=value) for name, value in parameters.items()],
    )
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    if parameters.get('autostart', True):
        node.bring_up()
    thread = threading.Thread(target=executor.spin)
    thread.start()
    try:
        if parameters.get('autostart', True):
            probe.wait_until_ready()
        yield probe
    finally:
        executor.shutdown()
        thread.join()
        node.destroy_node()
        probe.close()
