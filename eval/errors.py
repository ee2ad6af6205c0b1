# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What can go wrong with an evaluation as a whole, and with one image of it."""

from dataclasses import dataclass


class EvaluationError(RuntimeError):
    """An evaluation can't be run: its data, predictions or settings are wrong."""


@dataclass(frozen=True)
class Problem:
    """An image that can't be scored, while the others can.

    Attributes:
        key: Which image, as `<affordance>/<object>/<name>`.
        kind: A short name, by which equal problems are counted together.
        text: What came, what was expected, what to do.
    """

    key: str
    kind: str
    text: str


class ImageProblemError(RuntimeError):
    """One image can't be scored.

    Args:
        kind: As in `Problem`.
        text: As in `Problem`.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind

    def for_image(self, key: str) -> Problem:
        """Return the problem as one of an image's."""
        return Problem(key, self.kind, str(self))
