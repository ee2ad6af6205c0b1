# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pytest

from affordance_ros.bag.schedule import Schedule
from affordance_ros.text.commands import BoundCommand
from affordance_ros.text.commands import CommandError


def test_one_command_holds_from_the_start():
    assert Schedule(['cut']).at(-1.0) == BoundCommand('cut', 1)
    assert Schedule(['cut']).at(1e6) == BoundCommand('cut', 1)


def test_each_command_holds_from_its_time_until_the_next():
    schedule = Schedule(['cut', 'hold'], [0.5, 2])
    assert schedule.at(0.499) is None
    assert schedule.at(0.5) == schedule.at(1.999) == BoundCommand('cut', 1)
    assert schedule.at(2.0) == schedule.at(100.0) == BoundCommand('hold', 2)


@pytest.mark.parametrize(
    ('commands', 'times', 'message'),
    [
        ([], [], 'no command is given'),
        (['cut', 'hold'], [], '2 commands come with 0 times: give each its --at'),
        (['cut'], [1, 2], '1 commands come with 2 times'),
        (['cut', 'hold'], [2, 1], r'the times \[2, 1\] must rise'),
        (['cut', 'hold'], [1, 1], 'must rise'),
    ],
)
def test_times_that_do_not_fit_are_refused(commands, times, message):
    with pytest.raises(CommandError, match=message):
        Schedule(commands, times)
