# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Malformed images: kinds with a name, the cause under which the node counts each, and a maker."""

import numpy as np

from affordance_ros.nodes.messages import to_image

HUGE = 2**32 - 1
HEIGHT, WIDTH = 24, 32
ROW = 3 * WIDTH


def _resized(**changes):
    def spoil(message, rng):
        for name, value in changes.items():
            setattr(message, name, value)

    return spoil


def _cut(low, high):
    def spoil(message, rng):
        message.data = message.data[: int(rng.integers(low, high))]

    return spoil


def _random_encoding(message, rng):
    message.encoding = ''.join(chr(c) for c in rng.integers(33, 127, int(rng.integers(1, 1000))))


def _nothing(message, rng):
    message.encoding = ''
    message.height = message.width = message.step = 0
    message.data = message.data[:0]


KINDS = {
    'nothing at all': ('encoding', _nothing),
    'no encoding': ('encoding', _resized(encoding='')),
    'random encoding': ('encoding', _random_encoding),
    'wrong case of the encoding': ('encoding', _resized(encoding='BGR8')),
    'encoding that is not ASCII': ('encoding', _resized(encoding='bgr\uff18')),
    'depth in metres as colour': ('encoding', _resized(encoding='32FC1')),
    'depth in millimetres as colour': ('encoding', _resized(encoding='16UC1')),
    'no height': ('size', _resized(height=0)),
    'no width': ('size', _resized(width=0)),
    'no step': ('step', _resized(step=0)),
    'step a byte short': ('step', _resized(step=ROW - 1)),
    'step of a grey image': ('step', _resized(step=WIDTH)),
    'twice the width': ('step', _resized(width=2 * WIDTH)),
    'huge width': ('step', _resized(width=HUGE)),
    'no data': ('data', _cut(0, 1)),
    'data a byte short': ('data', _cut(HEIGHT * ROW - 1, HEIGHT * ROW)),
    'data cut off': ('data', _cut(1, HEIGHT * ROW - 1)),
    'twice the height': ('data', _resized(height=2 * HEIGHT)),
    'huge height': ('data', _resized(height=HUGE)),
    'huge step': ('data', _resized(step=HUGE)),
}


def malformed(kind, rng, *, header):
    """Return a message of a kind and the cause under which it is to be counted."""
    cause, spoil = KINDS[kind]
    pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    message = to_image(pixels, 'bgr8', header=header)
    spoil(message, rng)
    return message, cause
