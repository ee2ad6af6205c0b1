# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Pickles of plain data are read as pickle reads them; everything else is refused, at no cost."""

import pickle
from collections import OrderedDict
from decimal import Decimal

import psutil
import pytest

from affordance_ros.safe_io.plain_pickle import PickleRefusedError
from affordance_ros.safe_io.plain_pickle import parse_pickle

PLAIN = {
    'ids': [1, -1, 255, 65535, 1 << 31, -(1 << 70)],
    'shares': [0.0, -1.5, float('inf')],
    'texts': ['', 'a' * 300, 'caf\u00e9 \u5207\u308b'],
    'others': [True, False, None, b'', b'\x00' * 300, {}, [], {7: {b'k': []}}],
}


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_comes_back(protocol):
    # Protocols 0 to 2 write bytes by a call.
    others = [x for x in PLAIN['others'] if protocol > 2 or 'b' not in repr(x)]
    content = {**PLAIN, 'others': others}
    content['again'] = content['texts']  # by the memo
    assert parse_pickle(pickle.dumps(content, protocol)) == content


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('value', [len, Decimal(3), OrderedDict(a=1), {3}, frozenset({3}), 1j])
def test_what_is_not_plain_is_refused(protocol, value):
    with pytest.raises(PickleRefusedError, match=r'names (the|a) global|has the opcode'):
        parse_pickle(pickle.dumps([value], protocol))


@pytest.mark.parametrize(
    ('code', 'message'),
    [
        (b'Nr\xff\xff\xff\xff.', 'a memo index of 4294967295'),  # makes room for 32 GB
        (b'Np4294967295\n.', 'a memo index of 4294967295'),
        (b'N' + b'\x85' * 200_000 + b'N}.', 'the opcode TUPLE1'),
        # Hashing it overflows the stack.
        (b'}' + b'N' + b'\x85' * 1_000_000 + b'Ns.', 'the opcode TUPLE1'),
        (b'B\xff\xff\xff\x7fabc.', 'cut off'),
        (b'I' + b'9' * 1_000_000 + b'\n.', 'not a whole pickle'),
        (b'\x80\x04]\x94(', 'cut off'),
        (b'', 'cut off'),
        (b'U\x01\xff.', 'UTF-8'),
    ],
)
def test_pickles_that_overwhelm_pythons_own_machine_cost_nothing(code, message):
    before = psutil.Process().memory_info().rss
    with pytest.raises(PickleRefusedError, match=message):
        parse_pickle(code)
    assert psutil.Process().memory_info().rss - before < 100e6
