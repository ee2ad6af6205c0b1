# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pytest

from affordance_ros.text.commands import CommandError
from affordance_ros.text.commands import command_warning
from affordance_ros.text.commands import parse_command


@pytest.mark.parametrize(
    ('text', 'command'),
    [
        ('cut', 'cut'),
        ('hold the mug', 'hold the mug'),
        ('drink_with', 'drink with'),
        ('  hold \t the\nmug \r\n', 'hold the mug'),
        ('Hold', 'Hold'),
        ('cafe\u0301', 'caf\u00e9'),
        ('切る', '切る'),
        ('press 3', 'press 3'),
    ],
)
def test_commands_are_cleaned(text, command):
    assert parse_command(text) == command


@pytest.mark.parametrize('text', ['', '   ', '\n\t', '___', '...', '🍌'])
def test_blank_commands_are_refused(text):
    with pytest.raises(CommandError, match='blank'):
        parse_command(text)


@pytest.mark.parametrize('character', ['\x00', '\x07', '\x1b', '\x7f', '\x9b', '\ud800'])
def test_control_characters_are_refused_by_number(character):
    with pytest.raises(CommandError, match=f'U\\+{ord(character):04X}'):
        parse_command(f'cu{character}t')


def test_over_long_commands_are_refused():
    parse_command('x' * 200)
    with pytest.raises(CommandError, match='201 characters, and at most 200'):
        parse_command('x' * 201)


def test_scripts_other_than_latin_are_warned_of():
    assert command_warning('hold the mug 3') == ''
    assert command_warning('prendre le café') == ''
    for command in ('切る', 'держать', 'halt Ω'):
        assert 'trained on English' in command_warning(command)
