# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the chaos tests share: how the node is run, and what it must do whatever happens."""

import time

WITHIN_S = 1.0
# What is tried is the node and not the model, so the model gets little to do.
QUICK = {'task_command': 'cut', 'input_size': 96}


def assert_answers_at_once(probe, pixels, encoding='bgr8', header=None):
    """Send one good frame and hold that its answer comes within the time; return the answer."""
    begin = time.monotonic()
    header = probe.send(pixels, encoding, header)
    probe.spin_until(
        lambda: any(answer.header == header for answer in probe.targets[-20:]),
        'an answer to a good frame',
        timeout_s=WITHIN_S,
    )
    assert time.monotonic() - begin < WITHIN_S + 0.05  # a spin of the probe's may end late
    answer = next(a for a in reversed(probe.targets) if a.header == header)
    assert (answer.image_height, answer.image_width) == pixels.shape[:2]
    return answer


def unusable_counts(probe):
    """Return what the diagnostics count as unusable, by cause."""
    prefix = 'frames unusable: '
    status = probe.diagnostics.get('processing')
    values = status.values if status else ()
    return {v.key.removeprefix(prefix): int(v.value) for v in values if v.key.startswith(prefix)}


def assert_nothing_is_unusable(probe):
    """Wait for fresh diagnostics and hold that they count no unusable frame."""
    probe.diagnostics.clear()
    probe.spin_until(lambda: 'processing' in probe.diagnostics, 'diagnostics')
    assert unusable_counts(probe) == {}


def every(period_s, action):
    """Return a function that acts at most once a period, and says nothing."""
    due = time.monotonic()

    def act():
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + period_s
            action()

    return act


def stamp_of(message):
    """Return a message's stamp in nanoseconds."""
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
