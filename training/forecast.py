# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How long a run will take and how much memory, told after its first steps."""

_FIRST = 2  # steps that are left out: caches and kernels are being filled
_AFTER = 6  # steps after which it is told


class Forecast:
    """Estimates a run from its first steps.

    Args:
        steps: How many are left to take.
    """

    def __init__(self, steps: int) -> None:
        self._left = steps
        self._taken = 0
        self._seconds = 0.0

    def step(self, seconds: float) -> str:
        """Count a step, data loading included; once return what is to be told, else ''."""
        self._taken += 1
        self._left -= 1
        if self._taken > _FIRST:
            self._seconds += seconds
        if self._taken != _AFTER:
            return ''
        hours = self._left * self._seconds / (_AFTER - _FIRST) / 3600
        return f'about {hours:.2g} hours to go without validation, by the first steps'
