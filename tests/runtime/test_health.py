# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pytest

from affordance_ros.runtime.frame_gaps import FrameLoss
from affordance_ros.runtime.health import Cause
from affordance_ros.runtime.health import Verdict
from affordance_ros.runtime.health import Watchdog
from affordance_ros.runtime.health_inputs import HealthInputs
from affordance_ros.runtime.health_inputs import Publisher
from affordance_ros.runtime.health_inputs import SpatialFacts
from affordance_ros.runtime.mailbox import Counters
from affordance_ros.runtime.mailbox import RequestCounters

IMAGE = 'sensor_msgs/msg/Image'
CAMERA = Publisher('/camera', IMAGE)


class World:
    """A watchdog that hears facts once a second, and what flows meanwhile."""

    def __init__(self):
        self.now = 0.0
        self.watchdog = Watchdog(clock=lambda: self.now)
        self.received = self.processed = self.depth = self.infos = self.matched = 0
        self.unusable = {}

    def second(
        self,
        *,
        images=0,
        answers=0,
        depth=0,
        infos=0,
        matched=0,
        unusable=None,
        wanted=False,
        **facts,
    ):
        self.now += 1.0
        self.received += images
        self.processed += answers
        self.depth += depth
        self.infos += infos
        self.matched += matched
        for cause, count in (unusable or {}).items():
            self.unusable[cause] = self.unusable.get(cause, 0) + count
            self.received += count
        counters = Counters(self.received, self.processed, unusable_by_cause=dict(self.unusable))
        facts.setdefault('publishers', (CAMERA,))
        facts.setdefault('has_command', True)
        return self.watchdog.update(
            HealthInputs(
                image_topic='/camera/image_raw',
                counters=counters,
                spatial=SpatialFacts(
                    wanted=wanted,
                    depth_received=self.depth,
                    camera_info_received=self.infos,
                    matched=self.matched,
                ),
                **facts,
            )
        )

    def seconds(self, count, **facts):
        return [self.second(**facts) for _ in range(count)][-1]


@pytest.fixture
def world():
    return World()


GOOD = {'images': 30, 'answers': 10}


def test_nothing_is_said_while_answers_come(world):
    assert {world.second(**GOOD) for _ in range(60)} == {Verdict()}


def test_no_publisher(world):
    verdict = world.seconds(5, publishers=())
    assert verdict.cause == Cause.NO_PUBLISHER
    assert 'nobody publishes on /camera/image_raw' in verdict.text
    assert 'start the camera' in verdict.text


def test_no_publisher_names_topics_that_carry_images(world):
    verdict = world.seconds(5, publishers=(), similar_topics=('/camera/color/image_raw', '/left'))
    assert 'images are published on /camera/color/image_raw, /left: remap image' in verdict.text


def test_another_type_on_the_topic(world):
    compressed = Publisher('/camera', 'sensor_msgs/msg/CompressedImage')
    verdict = world.seconds(5, publishers=(compressed,))
    assert verdict.cause == Cause.WRONG_TYPE
    assert '/camera publishes sensor_msgs/msg/CompressedImage' in verdict.text
    assert 'image_transport' in verdict.text


def test_incompatible_qos_says_which_policy(world):
    deaf = Publisher('/camera', IMAGE, 'reliability: best effort publisher, reliable subscription')
    verdict = world.seconds(5, publishers=(deaf,))
    assert verdict.cause == Cause.INCOMPATIBLE_QOS
    assert '(reliability: best effort publisher' in verdict.text
    assert 'qos_overrides./camera/image_raw.subscription' in verdict.text


def test_one_publisher_that_can_be_heard_is_enough(world):
    deaf = Publisher('/other', IMAGE, 'reliability: ...')
    assert world.seconds(9, publishers=(deaf, CAMERA)).cause == Cause.NO_DATA
    assert world.seconds(9, publishers=(deaf, CAMERA), **GOOD).cause == Cause.NONE


def test_a_publisher_without_data_points_at_the_transport(world):
    assert world.seconds(3).cause == Cause.NONE
    verdict = world.seconds(4)
    assert verdict.cause == Cause.NO_DATA
    assert 'fastdds_shm.xml' in verdict.text
    assert '/camera is there' in verdict.text


def test_a_camera_that_has_stopped_is_told_from_one_that_never_began(world):
    world.seconds(5, **GOOD)
    verdict = world.seconds(6)
    assert verdict.cause == Cause.NO_DATA
    assert 'has stopped' in verdict.text
    assert 'fastdds' not in verdict.text


def test_no_command(world):
    verdict = world.seconds(5, images=30, has_command=False, command_topic='/arm/task_command')
    assert verdict.cause == Cause.NO_COMMAND
    assert 'publish one on /arm/task_command' in verdict.text


def test_images_that_can_not_be_used(world):
    verdict = world.seconds(7, unusable={'step': 1, 'encoding': 29})
    assert verdict.cause == Cause.UNUSABLE_IMAGES
    assert '(encoding: 203, step: 7)' in verdict.text


def test_some_bad_images_among_good_ones_are_no_silence(world):
    assert world.seconds(20, unusable={'data': 5}, **GOOD) == Verdict()


def test_a_model_that_hangs(world):
    world.seconds(5, **GOOD)
    assert world.seconds(8, images=30).cause == Cause.NONE
    verdict = world.seconds(5, images=30)
    assert verdict.cause == Cause.NO_ANSWER
    assert 'answered for 13 s' in verdict.text


def test_a_late_command_or_camera_does_not_count_as_a_hang(world):
    world.seconds(60, images=30, has_command=False)
    assert {world.second(images=30).cause for _ in range(9)} == {Cause.NO_COMMAND, Cause.NONE}
    world.seconds(5, **GOOD)
    world.seconds(60)
    assert {world.second(images=30).cause for _ in range(9)} == {Cause.NO_DATA, Cause.NONE}


def test_a_rate_limit_is_no_hang(world):
    causes = set()
    for second in range(200):
        answers = int(second % 20 == 0)
        flow = {'images': 30, 'answers': answers, 'unusable': {'data': 1}}
        causes.add(world.second(max_rate_hz=0.05, **flow).cause)
    assert causes == {Cause.NONE}


def test_camera_info_missing_while_depth_comes(world):
    verdict = world.seconds(5, depth=30, **GOOD)
    assert verdict.cause == Cause.NO_CAMERA_INFO
    assert 'remap camera_info' in verdict.text


def test_depth_stamps_that_never_match(world):
    assert world.seconds(9, depth=30, infos=30, matched=9, **GOOD) == Verdict()
    verdict = world.seconds(6, depth=30, infos=30, **GOOD)
    assert verdict.cause == Cause.DEPTH_UNMATCHED
    assert 'none within' in verdict.text


def test_sim_time_without_a_clock(world):
    verdict = world.seconds(5, sim_time=True, clock_started=False, publishers=())
    assert verdict.cause == Cause.NO_CLOCK
    assert '/clock' in verdict.text
    assert world.seconds(5, sim_time=True, **GOOD) == Verdict()


def test_the_most_fundamental_cause_comes_first_and_cures_uncover_the_next(world):
    wrong = {
        'sim_time': True, 'clock_started': False, 'publishers': (), 'has_command': False,
        'depth': 30,
    }  # fmt: skip
    heard = Publisher('/camera', IMAGE)
    seen = [world.seconds(8, **wrong).cause]
    cures = [
        {'clock_started': True},
        {'publishers': (Publisher('/camera', 'std_msgs/msg/String'),)},
        {'publishers': (Publisher('/camera', IMAGE, 'durability: ...'),)},
        {'publishers': (heard,)},
        {'images': 30},
        {'has_command': True},
        {'answers': 10},
        {'infos': 30},
        {'matched': 10},
    ]
    for cure in cures:
        wrong.update(cure)
        seen.append(world.seconds(14, **wrong).cause)
    assert seen == [
        Cause.NO_CLOCK,
        Cause.NO_PUBLISHER,
        Cause.WRONG_TYPE,
        Cause.INCOMPATIBLE_QOS,
        Cause.NO_DATA,
        Cause.NO_COMMAND,
        Cause.NO_ANSWER,
        Cause.NO_CAMERA_INFO,
        Cause.DEPTH_UNMATCHED,
        Cause.NONE,
    ]


def test_a_stutter_makes_no_noise(world):
    """A publisher that comes and goes every second never changes the verdict, good or bad."""
    assert {
        world.second(publishers=(CAMERA,) if second % 2 else (), images=30 * (second % 2)).cause
        for second in range(10)
    } == {Cause.NONE}
    world.seconds(5, publishers=())
    causes = [world.second(publishers=(CAMERA,) * (n % 2)).cause for n in range(6)]
    assert set(causes) == {Cause.NO_PUBLISHER}


def test_trouble_that_changes_its_face_is_still_named(world):
    """Two causes that take turns must not pass for health."""
    world.seconds(5, **GOOD)
    deaf = Publisher('/camera', IMAGE, 'deadline: ...')
    causes = [world.second(publishers=(deaf,) * (n % 2)).cause for n in range(12)]
    assert Cause.NONE not in causes[6:]


def test_a_verdict_ends_soon_after_the_cure(world):
    world.seconds(5, publishers=())
    causes = [world.second(**GOOD).cause for _ in range(4)]
    assert causes[0] == Cause.NO_PUBLISHER
    assert causes[-1] == Cause.NONE


def test_reset_forgets(world):
    world.seconds(5, publishers=())
    world.watchdog.reset()
    assert world.second(publishers=()).cause == Cause.NONE


def test_where_requests_alone_are_wanted_nothing_is_missing(world):
    answered = RequestCounters(answered=1, newest_answered=True)
    in_vain = RequestCounters(1, {'deadline': 1}, newest_answered=False)
    alone = {'has_command': False, 'publishers': ()}
    assert world.seconds(9, **alone).cause == Cause.NO_PUBLISHER
    assert world.seconds(9, **alone, requests=answered) == Verdict()
    assert world.seconds(9, images=30, has_command=False, requests=answered) == Verdict()
    assert world.seconds(9, **alone, requests=in_vain).cause == Cause.NO_PUBLISHER
    assert world.seconds(9, publishers=(), requests=answered).cause == Cause.NO_PUBLISHER


def test_depth_that_is_wanted_and_does_not_come_is_named(world):
    assert world.seconds(9, **GOOD).cause == Cause.NONE, 'a camera without depth is not a fault'
    verdict = world.seconds(5, **GOOD, wanted=True)
    assert verdict.cause == Cause.NO_DEPTH
    assert 'no depth image comes on depth: remap depth' in verdict.text


def test_lost_frames_are_named_with_the_cure_and_after_all_else(world):
    lossy = {'loss': FrameLoss(0.58, 30.0)}
    verdict = world.seconds(5, **GOOD, **lossy)
    assert verdict.cause == Cause.FRAMES_LOST
    assert '58 % of the images on /camera/image_raw' in verdict.text
    assert 'fastdds_shm.xml' in verdict.text
    assert world.seconds(5, images=30, has_command=False, **lossy).cause == Cause.NO_COMMAND
    assert world.seconds(5, **GOOD, loss=FrameLoss(0.05, 30.0)).cause == Cause.NONE
