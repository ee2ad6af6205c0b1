# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What a fuzz target is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

# Takes the generator that makes the input and feeds it; returns if the input is accepted.
Feed = Callable[[Random], None]


@dataclass(frozen=True)
class Target:
    """A reader of untrusted input.

    Attributes:
        reads: What it reads, for people.
        declared: The error classes by which it may refuse an input; anything else is a failure.
        prepare: Makes the feeding function once; takes a scratch folder.
    """

    reads: str
    declared: tuple[type[Exception], ...]
    prepare: Callable[[Path], Feed]
