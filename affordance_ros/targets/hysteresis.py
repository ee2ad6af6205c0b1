# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The best target stays the best while it is seen, so that an arm is not sent about.

Targets are only put in another order: places and scores are always those of the image itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from affordance_ros.targets.target import Target


@dataclass(frozen=True)
class HysteresisConfig:
    """How the best target is held.

    Attributes:
        frames: The held target gives way once another has beaten it in so many images in a row;
            0 holds none.
        margin: By how much the other's score must be higher.
    """

    frames: int = 0
    margin: float = 0.1

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.frames < 0:
            raise ValueError(f'frames {self.frames} must not be negative')
        if self.margin < 0:
            raise ValueError(f'margin {self.margin} must not be negative')


class HysteresisFilter:
    """Hysteresis on the best of numbered targets. Off by default.

    Latency: none on places and scores. A switch to a better target comes `frames` - 1 images after
    the first one in which it was better by the margin (at 10 Hz with `frames` = 5, 0.4 s), and
    never while it is better by less. It is immediate where the held target's number is gone, as it
    is after another command or scene.

    Args:
        config: How the best target is held.
    """

    def __init__(self, config: HysteresisConfig | None = None) -> None:
        self._config = config or HysteresisConfig()
        self._held = 0  # its number
        self._beaten = 0

    @property
    def config(self) -> HysteresisConfig:
        """How the best target is held."""
        return self._config

    def order(self, targets: Sequence[Target]) -> list[int]:
        """Put the held target first.

        Args:
            targets: An image's, best first, with their numbers (`Tracker.update`).

        Returns:
            The places of the targets in the given order: the held one's, then the others'.
        """
        order = list(range(len(targets)))
        if not self._config.frames or not targets:
            self._held = 0
            return order
        held = next((k for k in order if targets[k].track_id == self._held), None)
        if held is None:
            held, self._beaten = 0, 0
        elif targets[0].score > targets[held].score + self._config.margin:
            self._beaten += 1
            if self._beaten >= self._config.frames:
                held, self._beaten = 0, 0
        else:
            self._beaten = 0
        self._held = targets[held].track_id
        return [held, *(k for k in order if k != held)]
