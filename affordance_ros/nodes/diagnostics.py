"""Diagnostics: what the node does, how fast, and why it is silent, on /diagnostics."""

import difflib
import os
import socket
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path

import torch
from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from diagnostic_msgs.msg import KeyValue
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.node import Node
from rclpy.qos import QoSCompatibility
from rclpy.qos import QoSProfile
from rclpy.qos import qos_check_compatible
from rclpy.subscription import Subscription

from affordance_ros.frames import Counters
from affordance_ros.latency import STAGES
from affordance_ros.latency import TOTAL
from affordance_ros.latency import LatencyMonitor
from affordance_ros.latency import LatencySummary
from affordance_ros.watchdog import Cause
from affordance_ros.watchdog import Facts
from affordance_ros.watchdog import Publisher
from affordance_ros.watchdog import Watchdog

_PERIOD_S = 1.0  # the aggregator calls a status stale after 5 s without news
_OK, _WARN = DiagnosticStatus.OK, DiagnosticStatus.WARN
_ERROR, _STALE = DiagnosticStatus.ERROR, DiagnosticStatus.STALE
# What waits for a person, or costs the 3D points alone, is a warning; all else is an error.
_LEVELS = {
    Cause.NONE: _OK,
    Cause.NO_COMMAND: _WARN,
    Cause.NO_CAMERA_INFO: _WARN,
    Cause.DEPTH_UNMATCHED: _WARN,
}
# Ages of an image that no transport explains: its stamp is of another clock.
_PLAUSIBLE_AGE_S = (-0.5, 10.0)
_IMAGE_TYPES = {'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'}
_POLICIES = {
    'reliable': 'reliability',
    'transient local': 'durability',
    'deadline': 'deadline',
    'liveliness': 'liveliness',
}


class Diagnostics:
    """Publishes three statuses on /diagnostics once a second: input, processing, model.

    As diagnostic_updater does, a status is named '<node>: <task>', where the node's name has its
    namespace, so that two nodes don't overwrite each other in the aggregator. While the node is
    not active all three are STALE: the aggregator shows a group as stale only if all of it is,
    and as an error otherwise.

    Args:
        node: The node to publish for.
        latency: The frames' times.
        facts: Returns what the watchdog needs to know, or None while the node is not active.
        state: Returns the node's state, for people.
        about: Returns what is to be said of the model, as `GroundingModel.describe` does; empty
            while none is loaded.
    """

    def __init__(
        self,
        node: Node,
        latency: LatencyMonitor,
        *,
        facts: Callable[[], Facts | None],
        state: Callable[[], str],
        about: Callable[[], Mapping[str, str]],
    ) -> None:
        self._node = node
        self._latency = latency
        self._facts = facts
        self._state = state
        self._about = about
        self._watchdog = Watchdog()
        self._unusable_before = 0
        self._name = node.get_fully_qualified_name().lstrip('/')
        self._host = socket.gethostname()
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 1)
        # On a steady clock: under simulated time the node's own may never start, and it is then
        # that diagnostics are needed.
        self._timer = node.create_timer(
            _PERIOD_S,
            self.publish,
            callback_group=MutuallyExclusiveCallbackGroup(),
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )

    def close(self) -> None:
        """Stop publishing."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def publish(self) -> None:
        """Publish the diagnostics as they are now."""
        facts = self._facts()
        state = self._state()
        if facts is None:
            self._watchdog.reset()
            stale = f'not active: {state}'
            statuses = [
                self._status(task, _STALE, stale, {'state': state})
                for task in ('input', 'processing')
            ]
            statuses.append(self._status('model', _STALE, stale, self._model_values()))
        else:
            summary = self._latency.summary()
            statuses = [
                self._input_status(facts, summary, state),
                self._processing_status(facts.counters, summary),
                self._model_status(),
            ]
        message = DiagnosticArray(status=statuses)
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def _status(
        self, task: str, level: bytes, message: str, values: Mapping[str, object]
    ) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=level,
            name=f'{self._name}: {task}',
            message=message,
            hardware_id=self._host,
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )

    def _input_status(self, facts: Facts, summary: LatencySummary, state: str) -> DiagnosticStatus:
        verdict = self._watchdog.update(facts)
        values = {
            'state': state,
            'cause of silence': verdict.cause.value,
            'image topic': facts.image_topic,
            'publishers': len(facts.publishers),
            'rate in (Hz)': f'{summary.rate_in_hz:.2f}',
            'frames received': facts.counters.received,
            'depth images received': facts.depth_received,
            'camera infos received': facts.camera_info_received,
            'images matched with depth': facts.depth_matched,
        }
        message = verdict.text or f'{summary.rate_in_hz:.1f} images a second'
        return self._status('input', _LEVELS.get(verdict.cause, _ERROR), message, values)

    def _processing_status(self, counters: Counters, summary: LatencySummary) -> DiagnosticStatus:
        values: dict[str, object] = {
            'rate out (Hz)': f'{summary.rate_out_hz:.2f}',
            'frames processed': counters.processed,
            'frames dropped': counters.dropped,
            'frames unusable': counters.unusable,
        }
        for cause, count in sorted(counters.unusable_by_cause.items()):
            values[f'frames unusable: {cause}'] = count
        for stage in (*STAGES, TOTAL):
            times = summary.stages.get(stage)
            for name, seconds in (
                ('p50', times.p50_s if times else float('nan')),
                ('p95', times.p95_s if times else float('nan')),
            ):
                values[f'latency {stage} {name} (ms)'] = f'{1e3 * seconds:.2f}'
        new_unusable = counters.unusable - self._unusable_before
        self._unusable_before = counters.unusable
        level, message = _judge_processing(summary, new_unusable)
        return self._status('processing', level, message, values)

    def _model_values(self) -> dict[str, str]:
        about = dict(self._about())
        return {**about, **_memory(about.get('device', ''))}

    def _model_status(self) -> DiagnosticStatus:
        values = self._model_values()
        if values.get('trained', 'yes') != 'yes':
            return self._status('model', _WARN, 'the heatmaps mean nothing: untrained', values)
        message = f'{values.get("model", "")} on {values.get("device", "")}'
        return self._status('model', _OK, message, values)


def _judge_processing(summary: LatencySummary, new_unusable: int) -> tuple[bytes, str]:
    """Return level and message of what has been processed."""
    if new_unusable:
        return _WARN, f'{new_unusable} unusable frames since the last report: see ~/status'
    if not summary.stages:
        return _OK, 'no frame was answered lately'
    age_s = summary.stages['transport'].p50_s
    if not _PLAUSIBLE_AGE_S[0] <= age_s <= _PLAUSIBLE_AGE_S[1]:
        return _WARN, (
            f"images are {age_s:.1f} s old when they come, by this node's clock: the camera "
            f'stamps them by another one (synchronise the hosts, or set use_sim_time as the '
            f'camera has it)'
        )
    total_ms = 1e3 * summary.stages[TOTAL].p50_s
    return _OK, f'{summary.rate_out_hz:.1f} answers a second, {total_ms:.0f} ms after the stamp'


def _memory(device: str) -> dict[str, str]:
    """Return the memory in use; of a GPU what torch's allocator has given out."""
    pages = int(Path('/proc/self/statm').read_text(encoding='ascii').split()[1])
    resident = pages * os.sysconf('SC_PAGE_SIZE')
    values = {'memory resident (MiB)': f'{resident / 2**20:.1f}'}
    if device.startswith('cuda'):
        allocated = torch.cuda.memory_allocated(torch.device(device))
        values['CUDA memory allocated (MiB)'] = f'{allocated / 2**20:.1f}'
    return values


def gather_facts(
    node: Node,
    images: Subscription,
    *,
    counters: Counters,
    has_command: bool,
    max_rate_hz: float = 0.0,
    depth_received: int = 0,
    camera_info_received: int = 0,
    depth_matched: int = 0,
) -> Facts:
    """Look at the graph and the clock, and put what the node knows beside it.

    Args:
        node: The node.
        images: Its subscription to images.
        counters: Its frame counts.
        has_command: Whether a command is in force.
        max_rate_hz: Its rate limit, 0 for none.
        depth_received: Depth images that came; 0 where no depth is read.
        camera_info_received: CameraInfo messages that came.
        depth_matched: Images that found their depth.
    """
    topic = images.topic_name
    message_type = f'{images.msg_type.__module__.split(".")[0]}/msg/{images.msg_type.__name__}'
    publishers = tuple(
        Publisher(
            node=f'{info.node_namespace.rstrip("/")}/{info.node_name}',
            message_type=info.topic_type,
            qos_conflict=_qos_conflict(info.qos_profile, images.qos_profile),
        )
        for info in node.get_publishers_info_by_topic(topic)
    )
    sim_time = bool(node.get_parameter('use_sim_time').value)
    return Facts(
        image_topic=topic,
        message_type=message_type,
        publishers=publishers,
        similar_topics=() if publishers else _similar_topics(node, topic),
        counters=counters,
        has_command=has_command,
        command_topic=node.resolve_topic_name('task_command'),
        max_rate_hz=max_rate_hz,
        depth_received=depth_received,
        camera_info_received=camera_info_received,
        depth_matched=depth_matched,
        sim_time=sim_time,
        clock_started=not sim_time or node.get_clock().now().nanoseconds > 0,
    )


def _qos_conflict(published: QoSProfile, subscribed: QoSProfile) -> str:
    """Return which policies keep the two apart, and why; '' if none does."""
    compatibility, reason = qos_check_compatible(published, subscribed)
    if compatibility != QoSCompatibility.ERROR:
        return ''
    conflicts = [
        part.removeprefix('ERROR: ') for part in reason.split(';') if part.startswith('ERROR: ')
    ]
    said = '; '.join(conflicts).lower()
    policies = [policy for word, policy in _POLICIES.items() if word in said]
    return f'{", ".join(policies) or "unknown policy"}: {said}'


def _similar_topics(node: Node, topic: str) -> tuple[str, ...]:
    """Return up to five topics on which images are published, the most alike first."""
    own = f'{node.get_fully_qualified_name()}/'
    names = [
        name
        for name, types in node.get_topic_names_and_types()
        if _IMAGE_TYPES & set(types) and name != topic and not name.startswith(own)
    ]
    names.sort(key=lambda name: -difflib.SequenceMatcher(None, name, topic).ratio())
    return tuple(name for name in names if node.count_publishers(name))[:5]
