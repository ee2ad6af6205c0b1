# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A fixture that needs neither torch nor ROS."""

import numpy as np
import pytest


@pytest.fixture
def rng():
    """Return a seeded numpy generator."""
    return np.random.default_rng(0)
