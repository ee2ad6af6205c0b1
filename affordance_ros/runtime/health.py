# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Why the node is silent: one cause at a time, the most fundamental first, and the likely cure."""

import enum
import time
from collections.abc import Callable
from dataclasses import dataclass

from affordance_ros.runtime.health_inputs import HealthInputs

_MAX_LOSS = 0.1  # of the images


class Cause(str, enum.Enum):
    """What keeps answers, or their 3D points, from coming."""

    NONE = 'none'
    NO_CLOCK = 'no_clock'
    NO_PUBLISHER = 'no_publisher'
    WRONG_TYPE = 'wrong_type'
    INCOMPATIBLE_QOS = 'incompatible_qos'
    NO_DATA = 'no_data'
    NO_COMMAND = 'no_command'
    UNUSABLE_IMAGES = 'unusable_images'
    NO_ANSWER = 'no_answer'
    NO_DEPTH = 'no_depth'
    NO_CAMERA_INFO = 'no_camera_info'
    DEPTH_UNMATCHED = 'depth_unmatched'
    FRAMES_LOST = 'frames_lost'


@dataclass(frozen=True)
class Verdict:
    """What the watchdog says: the cause, and a sentence with the likely cure."""

    cause: Cause = Cause.NONE
    text: str = ''


class _Count:
    """A count that grows, and for how long it has not."""

    def __init__(self, value: int, now: float) -> None:
        self._value = value
        self._changed_at = now

    def update(self, value: int, now: float) -> None:
        if value != self._value:
            self._value, self._changed_at = value, now

    def idle_s(self, now: float) -> float:
        return now - self._changed_at


class Watchdog:
    """Names the cause of silence from facts that are given again and again.

    A verdict changes only after the facts have disagreed with it for a while, so a camera that
    stutters or a graph that is being discovered makes no noise.

    Args:
        silent_s: A topic is silent if nothing has come for so long, in seconds.
        stuck_s: The model is stuck if it has answered no frame for so long.
        hold_s: How long the facts must disagree with the verdict before it changes.
        clock: Seconds, never going back.
    """

    def __init__(
        self,
        *,
        silent_s: float = 3.0,
        stuck_s: float = 10.0,
        hold_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._silent_s = silent_s
        self._stuck_s = stuck_s
        self._hold_s = hold_s
        self._clock = clock
        self._counts: dict[str, _Count] = {}
        self._awaited_since: dict[str, float] = {}
        self._verdict = Verdict()
        self._differs_since: float | None = None

    def reset(self) -> None:
        """Forget everything, as when the node is activated anew."""
        self._counts.clear()
        self._awaited_since.clear()
        self._verdict = Verdict()
        self._differs_since = None

    def update(self, facts: HealthInputs) -> Verdict:
        """Take new facts and return the verdict; call it about once a second."""
        now = self._clock()
        counters = facts.counters
        for name, value in (
            ('received', counters.received),
            ('processed', counters.processed),
            ('unusable', counters.unusable),
            ('depth', facts.spatial.depth_received),
            ('matched', facts.spatial.matched),
        ):
            self._counts.setdefault(name, _Count(value, now)).update(value, now)
        found = self._judge(facts, now)
        if found.cause == self._verdict.cause:
            self._verdict = found  # its text may have changed
            self._differs_since = None
        else:
            if self._differs_since is None:
                self._differs_since = now
            if now - self._differs_since >= self._hold_s:
                self._verdict = found
                self._differs_since = None
        return self._verdict

    def _idle_s(self, name: str, now: float) -> float:
        return self._counts[name].idle_s(now)

    def _flows(self, name: str, value: int, now: float) -> bool:
        return value > 0 and self._idle_s(name, now) < self._silent_s

    def _awaited_s(self, name: str, now: float, *, possible: bool) -> float:
        """Return for how long a count could have grown and has not."""
        if not possible:
            self._awaited_since.pop(name, None)
            return 0.0
        return min(self._idle_s(name, now), now - self._awaited_since.setdefault(name, now))

    def _judge(self, facts: HealthInputs, now: float) -> Verdict:
        images_come = self._flows('received', facts.counters.received, now)
        depth_comes = self._flows('depth', facts.spatial.depth_received, now)
        unanswered_s = self._awaited_s(
            'processed', now, possible=images_come and facts.has_command
        )
        unmatched_s = self._awaited_s(
            'matched', now, possible=images_come and depth_comes and facts.has_command
        )
        if facts.sim_time and not facts.clock_started:
            return Verdict(
                Cause.NO_CLOCK,
                'use_sim_time is set and no time has come on /clock: start the simulator, play '
                'the bag with --clock, or set use_sim_time to false',
            )
        if not facts.has_command and facts.requests.newest_answered:
            return Verdict()  # used by requests alone, which need neither command nor camera
        if not images_come:
            # Nothing is said before the silence lasts, unless the graph shows why there is one.
            missing = _missing_images(facts)
            if missing.cause != Cause.NO_DATA:
                return missing
            idle_s = self._idle_s('received', now)
            return missing if idle_s >= self._silent_s else Verdict()
        if not facts.has_command:
            return Verdict(
                Cause.NO_COMMAND,
                f'images come and no command has: publish one on {facts.command_topic} '
                f'(std_msgs/String, such as "hold the mug"), or set the parameter task_command',
            )
        verdict = self._judge_answers(facts, now, unanswered_s)
        if verdict.cause != Cause.NONE:
            return verdict
        if depth_comes:
            verdict = self._judge_depth(facts, unmatched_s)
        elif facts.spatial.wanted and self._idle_s('depth', now) >= self._silent_s:
            verdict = Verdict(Cause.NO_DEPTH, facts.spatial.no_depth)
        return _judge_loss(facts) if verdict.cause == Cause.NONE else verdict

    def _judge_answers(self, facts: HealthInputs, now: float, unanswered_s: float) -> Verdict:
        counters = facts.counters
        allowed_s = 3.0 / facts.max_rate_hz if facts.max_rate_hz > 0 else 0.0
        bad_ones_come = self._flows('unusable', counters.unusable, now)
        if bad_ones_come and unanswered_s >= max(self._silent_s, allowed_s):
            causes = sorted(counters.unusable_by_cause.items(), key=lambda item: -item[1])
            listed = ', '.join(f'{cause}: {count}' for cause, count in causes[:5])
            return Verdict(
                Cause.UNUSABLE_IMAGES,
                f'images come on {facts.image_topic} and none can be used ({listed}): see the '
                f'reason on ~/status, and let the camera publish bgr8 or rgb8',
            )
        if unanswered_s >= max(self._stuck_s, allowed_s):
            return Verdict(
                Cause.NO_ANSWER,
                f'images come and none has been answered for {unanswered_s:.0f} s: the model is '
                f'too slow for this device or hangs; choose a smaller input_size or model, look '
                f"at the device's load, or start the node again",
            )
        return Verdict()

    def _judge_depth(self, facts: HealthInputs, unmatched_s: float) -> Verdict:
        if not facts.spatial.camera_info_received:
            return Verdict(Cause.NO_CAMERA_INFO, facts.spatial.no_camera_info)
        if unmatched_s >= self._silent_s:
            return Verdict(Cause.DEPTH_UNMATCHED, facts.spatial.unmatched)
        return Verdict()


def _judge_loss(facts: HealthInputs) -> Verdict:
    loss = facts.loss
    if loss.share < _MAX_LOSS:
        return Verdict()
    return Verdict(
        Cause.FRAMES_LOST,
        f'{100 * loss.share:.0f} % of the images on {facts.image_topic} are missing by their '
        f'stamps ({loss.camera_hz:.3g} Hz): if the driver sends them all, set '
        f"config/fastdds_shm.xml for the camera's process too, or, between hosts, larger UDP "
        f'buffers (net.core.rmem_max), see the README',
    )


def _missing_images(facts: HealthInputs) -> Verdict:
    """Say why no image comes, as far as the graph shows it."""
    topic = facts.image_topic
    if not facts.publishers:
        others = ', '.join(facts.similar_topics)
        hint = (
            f'images are published on {others}: remap image to the right one'
            if others
            else 'no other topic carries images either: start the camera, and check that it has '
            'this ROS_DOMAIN_ID'
        )
        return Verdict(Cause.NO_PUBLISHER, f'nobody publishes on {topic}; {hint}')
    fitting = [p for p in facts.publishers if p.message_type == facts.message_type]
    if not fitting:
        other = facts.publishers[0]
        return Verdict(
            Cause.WRONG_TYPE,
            f'{other.node} publishes {other.message_type} on {topic}, where {facts.message_type} '
            f'is awaited: remap image, or set image_transport to what the camera publishes',
        )
    if all(p.qos_conflict for p in fitting):
        return Verdict(
            Cause.INCOMPATIBLE_QOS,
            f"{fitting[0].node} publishes on {topic} with a QoS that can't be heard "
            f'({fitting[0].qos_conflict}): change it there, or here by the parameters '
            f'qos_overrides.{topic}.subscription.*',
        )
    names = ', '.join(p.node for p in fitting if not p.qos_conflict)
    if facts.counters.received:
        return Verdict(
            Cause.NO_DATA,
            f'{names} published on {topic} and has stopped: look at the camera and its driver',
        )
    return Verdict(
        Cause.NO_DATA,
        f'{names} is there to publish on {topic} and no image has come: either the camera sends '
        f'nothing (compare `ros2 topic hz {topic}`), or the transport loses large best-effort '
        f"messages: set config/fastdds_shm.xml for the camera's process too, see the README",
    )
