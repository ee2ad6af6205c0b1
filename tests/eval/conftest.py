# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A small model of the embedded family, for the command line."""

import pytest

from tests.support.agd20k_fixture import write_split
from tests.support.agd20k_runs import PAIRS
from tests.support.household_folder import NAME
from tests.support.household_folder import write_model


@pytest.fixture(scope='module')
def small_model(tmp_path_factory):
    """Return the command line's options of a small model."""
    folder = tmp_path_factory.mktemp('model')
    checkpoint = write_model(folder)
    return ['--model', NAME, '--weights', str(folder), '--checkpoint', str(checkpoint),
            '--device', 'cpu', '--input-size', '96']  # fmt: skip


@pytest.fixture
def root(tmp_path):
    """Return a folder with AGD20K's Seen, of a few images."""
    write_split(tmp_path / 'data', 'Seen', PAIRS)
    return tmp_path / 'data'
