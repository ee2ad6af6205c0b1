# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import struct

import numpy as np
import pytest

from affordance_ros.spatial.depth import DepthError
from affordance_ros.spatial.depth import DepthImage
from tests.support.image_messages import message

MM = np.array([[0, 1, 700], [65535, 1234, 2]], np.uint16)
METRES = np.array([[0.0, 0.001, np.nan], [np.inf, 1.234, -np.inf], [-0.5, 1e30, 2.0]], np.float32)


def reference(raw):
    """Read a depth message pixel by pixel with struct."""
    code, size, unit = ('f', 4, 1.0) if raw.encoding == '32FC1' else ('H', 2, 0.001)
    order = '>' if raw.is_bigendian else '<'
    got = np.full((raw.height, raw.width), np.nan)
    for row in range(raw.height):
        for column in range(raw.width):
            (value,) = struct.unpack_from(order + code, raw.data, row * raw.step + column * size)
            saturated = code == 'H' and value == 65535
            if 0 < value < float('inf') and not saturated:
                got[row, column] = value * unit
    return got


@pytest.mark.parametrize('padding', [0, 3, 8])
@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize(
    ('values', 'encoding'), [(MM, '16UC1'), (MM, 'mono16'), (METRES, '32FC1')]
)
def test_depth_is_read_in_metres_with_nan_for_unknown(values, encoding, big_endian, padding):
    order = '>' if big_endian else '<'
    raw = message(values.astype(values.dtype.newbyteorder(order)), encoding, padding, big_endian)
    depth = DepthImage.view(raw)
    metres = depth.metres()
    assert metres.dtype == np.float32
    assert depth.size == values.shape
    np.testing.assert_allclose(metres, reference(raw), rtol=1e-6)
    assert np.isnan(metres).sum() == (2 if values is MM else 5)


def test_a_window_reads_only_itself(rng):
    values = rng.integers(0, 5000, (40, 60), np.uint16)
    raw = message(values, '16UC1')
    buffer = bytearray(raw.data)
    raw.data = memoryview(buffer)
    depth = DepthImage.view(raw)
    window = depth.metres(slice(10, 14), slice(20, 27))
    np.testing.assert_array_equal(window, depth.metres()[10:14, 20:27])
    assert window.base is None or window.base.nbytes < 1000
    buffer[:] = bytes(len(buffer))  # a view: nothing was copied when it was made
    assert np.isnan(depth.metres()).all()


def test_reading_leaves_the_message_as_it_is():
    raw = message(METRES, '32FC1')
    before = bytes(raw.data)
    DepthImage.view(raw).metres()[:] = 7.0
    assert raw.data == before


@pytest.mark.parametrize(
    ('change', 'cause', 'text'),
    [
        ({'encoding': 'rgb8'}, 'encoding', "'rgb8' is not understood; use one of 16UC1, mono16"),
        ({'encoding': '64FC1'}, 'encoding', "'64FC1' is not understood"),
        ({'encoding': ''}, 'encoding', 'not understood'),
        ({'height': 0}, 'size', 'depth: the image is 3x0 pixels: empty'),
        ({'step': 5}, 'step', '3 pixels of 16UC1 take 6 bytes'),
        ({'data': bytes(11)}, 'data', '11 bytes, and 2 rows of step 6 take 12'),
        ({'encoding': '32FC1'}, 'step', '3 pixels of 32FC1 take 12 bytes'),
    ],
)
def test_unusable_depth_is_named(change, cause, text):
    raw = message(MM, '16UC1')
    vars(raw).update(change)
    with pytest.raises(DepthError, match=text) as error:
        DepthImage.view(raw)
    assert error.value.cause == cause
