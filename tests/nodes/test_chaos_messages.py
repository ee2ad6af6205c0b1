# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Chaos: bad messages are counted under their cause, odd ones answered, whatever their number."""

import itertools
from collections import Counter

import cv2
import numpy as np
import pytest

from tests.support.chaos import QUICK
from tests.support.chaos import WITHIN_S
from tests.support.chaos import assert_answers_at_once
from tests.support.chaos import assert_nothing_is_unusable
from tests.support.chaos import every
from tests.support.chaos import unusable_counts

pytestmark = [
    pytest.mark.ros,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures('ros'),
]

MALFORMED = 10_000
BATCH = 500


@pytest.fixture(scope='module')
def image(photos):
    return cv2.resize(next(iter(photos.values())), (320, 240))


def test_ten_thousand_malformed_messages_of_twenty_kinds(log, image):
    from tests.support.malformed import KINDS
    from tests.support.malformed import malformed
    from tests.support.ros_harness import grounding_node

    assert len(KINDS) == 20
    rng = np.random.default_rng(0)
    kinds = np.repeat(list(KINDS), MALFORMED // len(KINDS))
    rng.shuffle(kinds)
    expected = Counter()
    with grounding_node(log, lossless=True, **QUICK) as (process, probe):
        targets = assert_answers_at_once(probe, image).targets
        assert targets
        good = 1
        for batch in np.split(kinds, MALFORMED // BATCH):
            for kind in batch:
                message, cause = malformed(str(kind), rng, header=probe.header())
                expected[cause] += 1
                probe.images.publish(message)
            assert assert_answers_at_once(probe, image).targets == targets
            good += 1
            sent = expected.total() + good
            probe.spin_until(
                lambda sent=sent: probe.status[-1].frames_received == sent, f'{sent} frames'
            )
        probe.spin_until(lambda: unusable_counts(probe) == expected, f'counts of {expected}')
        assert expected.total() == MALFORMED
        status = probe.counted()
        assert status.frames_unusable == MALFORMED
        assert status.frames_processed == good == len(probe.targets)
        assert status.frames_dropped == 0
        assert process.output.count('frames are skipped') == len(expected)  # each is said once


def test_malformed_compressed_images(log, image):
    from affordance_ros.nodes.messages import to_jpeg
    from tests.support.ros_harness import grounding_node

    rng = np.random.default_rng(0)
    with grounding_node(log, **QUICK, image_transport='compressed') as (_, probe):
        whole = bytes(to_jpeg(image, header=probe.header()).data)
        png = cv2.imencode('.png', image)[1].tobytes()
        kinds = {
            'nothing': b'',
            'text': b'no signal',
            'noise': rng.bytes(5000),
            'cut header': whole[:20],
            'JPEG marker and noise': whole[:2] + rng.bytes(5000),
            # Width and height of the PNG are its bytes 16 to 24: 100,000 x 100,000 pixels.
            'PNG bomb': png[:16] + (100_000).to_bytes(4, 'big') * 2 + png[24:],
        }

        def answers_at_once():
            message = to_jpeg(image, header=probe.header())
            probe.jpegs.publish(message)
            probe.spin_until(
                lambda: probe.targets and probe.targets[-1].header == message.header,
                'an answer to a good JPEG',
                timeout_s=WITHIN_S,
            )

        answers_at_once()
        for count, (kind, data) in enumerate(kinds.items(), start=1):
            message = to_jpeg(image, header=probe.header())
            message.data = data
            probe.jpegs.publish(message)
            probe.spin_until(
                lambda count=count: unusable_counts(probe) == {'compressed': count},
                f'{kind} to be counted',
            )
            answers_at_once()
        # In a flood most give way to newer ones unread, and are counted as dropped.
        flood = 1000
        for data, _ in zip(itertools.cycle(kinds.values()), range(flood), strict=False):
            message.header = probe.header()
            message.data = data
            probe.jpegs.publish(message)
        answers_at_once()

        unusable = probe.counted().frames_unusable
        probe.spin_until(
            lambda: unusable_counts(probe) == {'compressed': unusable}, 'the unusable frames'
        )
        assert len(probe.targets) == len(kinds) + 2


def test_resolution_and_encoding_change_mid_stream(log, image):
    from tests.support.ros_harness import grounding_node

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    alpha = np.dstack([image, grey])
    looks = {
        'bgr8': image,
        'rgb8': image,
        'bgra8': alpha,
        'rgba8': alpha,
        'mono8': grey,
        'bgr16': image.astype(np.uint16) * 257,
        'mono16': grey.astype(np.uint16) * 257,
        'bayer_rggb8': grey,
    }
    sizes = [(320, 240), (640, 480), (64, 48), (1280, 720), (33, 201), (1, 1), (2, 700), (700, 2)]
    with grounding_node(log, **QUICK) as (_, probe):
        stream = every(1 / 30, lambda: probe.send(image))
        for number, (encoding, pixels) in enumerate(looks.items()):
            for width, height in sizes[number % 2 :: 2] if encoding != 'bgr8' else sizes:
                if 'bayer' in encoding and min(width, height) < 3:
                    continue  # a mosaic has no colour at that size
                resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_NEAREST)
                count = len(probe.targets)
                probe.spin_until(
                    lambda count=count: stream() or len(probe.targets) > count + 3, 'the stream'
                )
                assert_answers_at_once(probe, resized, encoding)
        assert_nothing_is_unusable(probe)
