# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""See that a JPEG is whole without decoding it: segments, scans, restart markers, holes of zeros.

libjpeg fills what is missing with grey and says so on stderr alone, and OpenCV hands that out as
an image. A cut file has no end marker. A hole, as a broken download or a sparse copy leaves it, is
a run of zero bytes: in entropy-coded data a run is natural only where the tables in force give the
shortest code to "nothing changes", so that is looked up (ITU-T T.81, annexes B, C, F and G), and
no longer than a scan of nothing else. Left is a hole in an area that such tables leave flat, off
the blocks of a disk.
"""

import math
import re
import struct
from dataclasses import dataclass
from dataclasses import field

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
_ARITHMETIC = frozenset(range(0xC9, 0xD0))
_BARE = frozenset(range(0xD0, 0xD8)) | {0x01}
# A marker within a scan's data: 0xFF that is neither a stuffed byte, fill, nor a restart.
_MARKER = re.compile(rb'\xff[^\x00\xff\xd0-\xd7]')
_RESTART = re.compile(rb'\xff[\xd0-\xd7]')
# Zero bytes in a row that no scan has whose tables don't make a zero bit "nothing changes": one
# block of -1 in all places takes 24.
_HOLE = 64
# Where zero bits are natural, a hole is still known by starting and ending on a disk's blocks.
_BLOCK = 512
_ZEROS = re.compile(rb'\0{%d,}' % _HOLE)


@dataclass
class _State:
    """What the segments so far say."""

    frame: int = 0
    height: int = 0
    width: int = 0
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    # For each table (class, id) the symbol of its code of zeros and that code's length; where none
    # came, T.81's K.3 to K.6.
    zeros: dict[tuple[int, int], tuple[int, int]] = field(
        default_factory=lambda: {
            (0, 0): (0, 2), (0, 1): (0, 2), (1, 0): (0x01, 2), (1, 1): (0x00, 2)
        }
    )  # fmt: skip
    restart: int = 0
    scans: int = 0
    # For each component the coefficients whose last bit came, of a progressive JPEG.
    finished: dict[int, set[int]] = field(default_factory=dict)


def damage_of(data: bytes) -> str:
    """Return what is missing in a JPEG's bytes; '' where nothing is known to be.

    Args:
        data: The bytes, from the start-of-image marker on. What follows the end marker is ignored.
    """
    try:
        return _walk(data)
    except (struct.error, IndexError, StopIteration, ValueError, ZeroDivisionError):
        return 'the file ends within a segment: it is cut off'


def _walk(data: bytes) -> str:
    state, at = _State(), 2
    while True:
        begin = data.find(b'\xff', at)
        if begin < 0:
            return 'it has no end marker: it is cut off'
        if begin - at >= _HOLE and not any(data[at:begin]):
            return f'bytes {at} to {begin} between its segments are zero: it has a hole'
        marker = data[begin + 1]
        at = begin + 2
        if marker == 0xFF:  # fill
            at = begin + 1
        elif marker == _EOI:
            return _unfinished(state)
        elif marker != 0 and marker not in _BARE and marker != _SOI:
            (length,) = struct.unpack_from('>H', data, at)
            end = at + length
            if end > len(data):
                return 'the file ends within a segment: it is cut off'
            problem = _segment(state, marker, data[at + 2 : end])
            if marker == _SOS and not problem:
                problem, end = _scan(state, data[at + 2 : end], data, end)
            if problem:
                return problem
            at = end


def _segment(state: _State, marker: int, body: bytes) -> str:
    """Take over a segment; return what is wrong with it."""
    if marker in _FRAMES:
        state.frame = marker
        state.height, state.width, count = struct.unpack_from('>HHB', body, 1)
        parts = (body[6 + 3 * i : 9 + 3 * i] for i in range(count))
        state.sampling = {part[0]: (part[1] >> 4, part[1] & 15) for part in parts}
    elif marker == _DQT:
        at = 0
        while at < len(body):
            size = 128 if body[at] >> 4 else 64
            values = body[at + 1 : at + 1 + size]
            if len(values) < size or not any(values):
                return 'a quantisation table is zero: it has a hole'
            at += 1 + size
    elif marker == _DHT:
        at = 0
        while at + 17 <= len(body):
            counts = body[at + 1 : at + 17]
            if not any(counts):
                return 'a Huffman table is empty: it has a hole'
            shortest = next(n for n, count in enumerate(counts, start=1) if count)
            state.zeros[body[at] >> 4, body[at] & 15] = body[at + 17], shortest
            at += 17 + sum(counts)
    elif marker == _DRI:
        (state.restart,) = struct.unpack_from('>H', body)
    return ''


def _scan(state: _State, head: bytes, data: bytes, begin: int) -> tuple[str, int]:
    """Check a scan's data; return what is wrong with it and where it ends."""
    found = _MARKER.search(data, begin)
    if found is None:
        return 'it has no end marker: it is cut off', len(data)
    end = found.start()
    state.scans += 1
    longest = _longest_zeros(state, head)
    # The search for bytes is many times faster than the expression.
    zeros = _ZEROS.finditer(data, begin, end) if bytes(_HOLE) in data[begin:end] else ()
    for run in zeros:
        size = run.end() - run.start()
        # The byte before or after may have been a zero too.
        edges = {run.start() % _BLOCK, run.end() % _BLOCK}
        if size > longest or (size >= _BLOCK - 2 and edges & {0, 1, _BLOCK - 1}):
            return f'bytes {run.start()} to {run.end()} are zero: it has a hole', end
    expected = _restarts(state, head)
    if expected:
        seen = [data[m.start() + 1] & 7 for m in _RESTART.finditer(data, begin, end)]
        if len(seen) < expected or seen != [n % 8 for n in range(len(seen))]:
            return (
                f'a scan has {len(seen)} restart markers of {expected}, or not in turn: a part is '
                f'missing'
            ), end
    return '', end


def _longest_zeros(state: _State, head: bytes) -> float:
    """Return the bytes of the longest run of zeros that a scan of flat areas has."""
    count = head[0]
    parts = [(head[1 + 2 * i], head[2 + 2 * i]) for i in range(count)]
    first, last, approximation = head[1 + 2 * count : 4 + 2 * count]
    if state.frame in _PROGRESSIVE and not approximation & 15:
        for component, _ in parts:
            state.finished.setdefault(component, set()).update(range(first, last + 1))
    if state.frame in _ARITHMETIC:
        return _HOLE
    bits = 0
    for component, table in parts:
        blocks = _blocks(state, component)
        if state.frame in _PROGRESSIVE and first == 0 and approximation >> 4:
            bits += blocks  # one bit of each DC value
            continue
        if first == 0:
            symbol, length = state.zeros.get((0, table >> 4), (0, 1))
            bits += blocks * length if symbol == 0 else 0
            if symbol:
                return _HOLE
        if first or state.frame not in _PROGRESSIVE:
            symbol, length = state.zeros.get((1, table & 15), (0, 1))
            # Size 0 and no run of 16 zeros: the block, or a run of blocks, ends.
            if symbol & 15 or symbol >> 4 == 15:
                return _HOLE
            bits += blocks * (length + (symbol >> 4))
    return max(_HOLE, bits / 8)


def _unfinished(state: _State) -> str:
    """Return what has not come by the end marker."""
    if not state.scans:
        return 'it ends before its first scan'
    if state.frame in _PROGRESSIVE:
        for component in state.sampling:
            if len(state.finished.get(component, ())) < 64:
                return f'the last bits of component {component} are missing: it has a hole'
    return ''


def _sides(state: _State, component: int) -> tuple[int, int]:
    """Return how many blocks of 8 x 8 a component has across and down."""
    h, v = state.sampling.get(component, (1, 1))
    across = max((h for h, _ in state.sampling.values()), default=1) or 1
    down = max((v for _, v in state.sampling.values()), default=1) or 1
    return math.ceil(state.width * h / across / 8), math.ceil(state.height * v / down / 8)


def _blocks(state: _State, component: int) -> int:
    """Return a component's blocks, those included that fill up the last minimum coded units."""
    h, v = state.sampling.get(component, (1, 1))
    columns, rows = _sides(state, component)
    return (columns + h) * (rows + v)


def _restarts(state: _State, head: bytes) -> int:
    """Return how many restart markers a scan has at least."""
    if not state.restart or not state.sampling:
        return 0
    if head[0] == 1:
        columns, rows = _sides(state, head[1])
    else:
        columns = math.ceil(state.width / (8 * max(h for h, _ in state.sampling.values())))
        rows = math.ceil(state.height / (8 * max(v for _, v in state.sampling.values())))
    return max(0, math.ceil(columns * rows / state.restart) - 1)
