# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which command is in force at which time of a recording."""

import bisect
import math
from collections.abc import Sequence

from affordance_ros.text.commands import BoundCommand
from affordance_ros.text.commands import CommandError


class Schedule:
    """Commands with the times from which they hold, numbered from 1 as the node numbers them.

    Args:
        commands: Cleaned commands.
        at_s: For each the seconds since the recording's start; empty for one command from the
            start.

    Raises:
        CommandError: If there is no command, or the times don't fit or don't rise.
    """

    def __init__(self, commands: Sequence[str], at_s: Sequence[float] = ()) -> None:
        if not commands:
            raise CommandError('no command is given: add --command "hold the mug"')
        times = list(at_s) or [-math.inf]
        if len(times) != len(commands):
            raise CommandError(
                f'{len(commands)} commands come with {len(at_s)} times: give each its --at, in '
                f'seconds since the start, such as --command cut --at 0 --command hold --at 5'
            )
        if sorted(set(times)) != times:
            raise CommandError(f'the times {times} must rise: each command ends the one before')
        self._times_s = times
        self._commands = [BoundCommand(text, n) for n, text in enumerate(commands, start=1)]

    @property
    def commands(self) -> tuple[BoundCommand, ...]:
        """All commands in order."""
        return tuple(self._commands)

    def at(self, elapsed_s: float) -> BoundCommand | None:
        """Return the command in force at a time since the start; None before the first."""
        place = bisect.bisect_right(self._times_s, elapsed_s)
        return self._commands[place - 1] if place else None
