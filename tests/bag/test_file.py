# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Bags as files: what is damaged is named, and nothing half-written is left."""

import numpy as np
import pytest

from affordance_ros.bag.file import create_bag
from affordance_ros.bag.file import open_bag
from affordance_ros.image.source_frame import SourceError
from tests.support.bag_fixture import record


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_damaged_file_is_named_whatever_is_damaged(tmp_path, storage, rng):
    """Cut off anywhere, and with bytes changed anywhere: read, or refused by name."""
    images = rng.integers(0, 256, (4, 24, 32, 3), np.uint8)
    bag = record(tmp_path / 'in', images, storage=storage)
    whole = next(path for path in bag.iterdir() if path.suffix in ('.mcap', '.db3'))
    data, path = whole.read_bytes(), tmp_path / f'damaged{whole.suffix}'
    refused = 0
    for number in range(120):
        damaged = bytearray(data)
        if number % 2:
            damaged = damaged[: rng.integers(len(data))]
        else:
            for place in rng.integers(0, len(data), 20):
                damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            with open_bag(path) as source:
                for message in source.messages(everything=True):
                    source.read(message)
        except SourceError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > 60


def test_what_a_killed_run_left_is_cleared_away(tmp_path):
    (tmp_path / '.out.mcap.part' / 'out').mkdir(parents=True)
    with create_bag(tmp_path / 'out.mcap'):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ['out.mcap']
    text = 'has no topic of colour images; its topics are: none'
    with pytest.raises(SourceError, match=text), open_bag(tmp_path / 'out.mcap'):
        pass
