# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Diagnostics: what the node does, how fast, and why it is silent, on /diagnostics."""

import os
import socket
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from diagnostic_msgs.msg import KeyValue
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.node import Node

from affordance_ros.nodes.grounding.status import StatusReporter
from affordance_ros.runtime.health import Cause
from affordance_ros.runtime.health import Watchdog
from affordance_ros.runtime.health_inputs import HealthInputs
from affordance_ros.runtime.latency import STAGES
from affordance_ros.runtime.latency import TOTAL
from affordance_ros.runtime.latency import LatencyMonitor
from affordance_ros.runtime.latency import LatencySummary

_PERIOD_S = 1.0  # the aggregator calls a status stale after 5 s without news
_OK, _WARN = DiagnosticStatus.OK, DiagnosticStatus.WARN
_ERROR = DiagnosticStatus.ERROR
# What waits for a person, or costs the 3D points alone, is a warning; all else is an error.
_LEVELS = {
    Cause.NONE: _OK,
    Cause.NO_COMMAND: _WARN,
    Cause.NO_DEPTH: _WARN,
    Cause.NO_CAMERA_INFO: _WARN,
    Cause.DEPTH_UNMATCHED: _WARN,
    Cause.FRAMES_LOST: _WARN,
}
_TOO_LONG = ('checkpoint_training',)  # 1.5 kB, for a message that is sent each second
# Ages of an image that no transport explains: its stamp is of another clock.
_PLAUSIBLE_AGE_S = (-0.5, 10.0)


class Diagnostics:
    """Publishes three statuses on /diagnostics once a second: input, processing, model.

    As diagnostic_updater does, a status is named '<node>: <task>', where the node's name has its
    namespace, so that two nodes don't overwrite each other in the aggregator. A node that is not
    active is not a fault: all three are OK then and name the state, or WARN if configuring has
    failed.

    Args:
        node: The node to publish for.
        latency: The frames' times.
        facts: Returns what the watchdog needs to know, or None while the node is not active.
        status: What is told of the node's state.
        about: Returns what is to be said of the model, as `GroundingModel.describe` does; empty
            while none is loaded.
        refused: Returns how many targets did not pass a gate, by cause.
    """

    def __init__(
        self,
        node: Node,
        latency: LatencyMonitor,
        *,
        facts: Callable[[], HealthInputs | None],
        status: StatusReporter,
        about: Callable[[], Mapping[str, str]],
        refused: Callable[[], Mapping[str, int]],
    ) -> None:
        self._node = node
        self._latency = latency
        self._facts = facts
        self._reporter = status
        self._about = about
        self._refused = refused
        self._watchdog = Watchdog()
        self._unusable_before = 0
        self._name = node.get_fully_qualified_name().lstrip('/')
        self._host = socket.gethostname()
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 1)
        # On a steady clock: under simulated time the node's own may never start, and it is then
        # that diagnostics are needed. In the node's default callback group, as the transitions
        # are, so that no executor runs it while a transition takes the subscriptions away.
        self._timer = node.create_timer(
            _PERIOD_S, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def close(self) -> None:
        """Stop publishing."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def publish(self) -> None:
        """Publish the diagnostics as they are now."""
        facts = self._facts()
        if facts is None:
            self._watchdog.reset()
            self._reporter.hear('')
            statuses = self._idle_statuses()
        else:
            summary = self._latency.summary()
            statuses = [
                self._input_status(facts, summary),
                self._processing_status(facts, summary),
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

    def _idle_statuses(self) -> list[DiagnosticStatus]:
        state, failure = self._reporter.state, self._reporter.failure
        level = _WARN if failure else _OK
        message = f'not active: {state}' + (f': {failure}' if failure else '')
        return [
            self._status(task, level, message, {'state': state, **values})
            for task, values in (
                ('input', {}),
                ('processing', {}),
                ('model', self._model_values()),
            )
        ]

    def _input_status(self, facts: HealthInputs, summary: LatencySummary) -> DiagnosticStatus:
        verdict = self._watchdog.update(facts)
        # Of unusable images the reason says more already: what is wrong with them.
        told = verdict.cause != Cause.UNUSABLE_IMAGES
        self._reporter.hear(verdict.text if told else '')
        values = {
            'state': self._reporter.state,
            'cause of silence': verdict.cause.value,
            'image topic': facts.image_topic,
            'publishers': len(facts.publishers),
            'rate in (Hz)': f'{summary.rate_in_hz:.2f}',
            'frames received': facts.counters.received,
            'frames lost by their stamps (%)': f'{100 * facts.loss.share:.0f}',
            'depth images received': facts.spatial.depth_received,
            'camera infos received': facts.spatial.camera_info_received,
            'images matched with depth': facts.spatial.matched,
            'images without 3D points': sum(facts.spatial.without_points.values()),
        }
        for cause, count in sorted(facts.spatial.without_points.items()):
            values[f'images without 3D points: {cause}'] = count
        message = verdict.text or f'{summary.rate_in_hz:.1f} images a second'
        return self._status('input', _LEVELS.get(verdict.cause, _ERROR), message, values)

    def _processing_status(self, facts: HealthInputs, summary: LatencySummary) -> DiagnosticStatus:
        counters, requests = facts.counters, facts.requests
        values: dict[str, object] = {
            'rate out (Hz)': f'{summary.rate_out_hz:.2f}',
            'frames processed': counters.processed,
            'frames dropped': counters.dropped,
            'frames without a command': counters.idle,
            'frames unusable': counters.unusable,
        }
        for cause, count in sorted(counters.unusable_by_cause.items()):
            values[f'frames unusable: {cause}'] = count
        values['requests answered'] = requests.answered
        values['requests failed'] = requests.failed
        for cause, count in sorted(requests.failed_by_cause.items()):
            values[f'requests failed: {cause}'] = count
        refused = self._refused()
        values['targets refused by gates'] = sum(refused.values())
        for cause, count in sorted(refused.items()):
            values[f'targets refused by gates: {cause}'] = count
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
        about = {key: value for key, value in self._about().items() if key not in _TOO_LONG}
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
        import torch  # it is there: the model lies on its device

        allocated = torch.cuda.memory_allocated(torch.device(device))
        values['CUDA memory allocated (MiB)'] = f'{allocated / 2**20:.1f}'
    return values
