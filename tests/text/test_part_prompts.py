# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Actions become part phrases, by a table that a robot's owner edits."""

import pytest

from affordance_ros.text.prompts import PromptSetError
from affordance_ros.text.prompts import load_prompt_set

TABLE = """
name: mine
version: 3
phrase: "{part} of the {object}"
actions:
  - say: [open]
    alone: handle
    objects: {bottle: cap, wine bottle: cork, light switch: , tin: [lid, ring]}
    other: handle
  - say: [cut, cut with]
    alone: blade
    objects: {knife: blade}
  - say: [turn on]
    objects: {lamp: switch}
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text(TABLE)
    return load_prompt_set(str(path))


@pytest.mark.parametrize(
    ('command', 'prompt'),
    [
        ('open', 'handle'),
        ('open the bottle', 'cap of the bottle'),
        ('Open a green bottle', 'cap of the green bottle'),
        ('open the wine bottle on the left', 'cork of the wine bottle on the left'),
        ('open the light switch', 'light switch'),
        ('open the cabinet', 'handle of the cabinet'),
        ('cut', 'blade'),
        ('cut with the knife', 'blade of the knife'),
        ('cut with a sharp knife', 'blade of the sharp knife'),
        ('cut the bread with the knife', 'blade of the knife'),
        ('cut something with the knife', 'blade of the knife'),
        # Neither action nor object in the table: the command stays as it is.
        ('cut the bread', 'cut the bread'),
        ('turn on', 'turn on'),
        ('turn on the radio', 'turn on the radio'),
        ('dance with the knife', 'dance with the knife'),
        ('opening of the cup', 'opening of the cup'),
        ('handle of the knife', 'handle of the knife'),
        ('bottlecap', 'bottlecap'),
        ('open the bottles', 'handle of the bottles'),
    ],
)
def test_commands_become_part_phrases(mine, command, prompt):
    assert mine.expand(command) == [prompt]
    assert mine.label == 'mine@3'


@pytest.mark.parametrize(
    ('command', 'prompt'),
    [
        ('pick up the knife', 'handle of the knife'),
        ('sit down on the bench', 'seat of the bench'),
        ('open the bottle', 'cap of the bottle'),
        ('open the refrigerator', 'handle of the refrigerator'),
        ('hold the wine glass', 'stem of the wine glass'),
        ('hold the glass', 'body of the glass'),
        ('pick up the book', 'book'),
        ('levitate the cup', 'levitate the cup'),
        ('blade of the knife', 'blade of the knife'),
    ],
)
def test_the_shipped_table_knows_everyday_actions(command, prompt):
    assert load_prompt_set('parts').expand(command) == [prompt]


def test_several_parts_are_answers_each_of_its_own(mine):
    assert mine.alternatives('open the tin') == [['lid of the tin'], ['ring of the tin']]
    assert mine.alternatives('open the door') == [['handle of the door']]
    assert load_prompt_set('ensemble').alternatives('cut') == [
        load_prompt_set('ensemble').expand('cut')
    ]


@pytest.mark.parametrize('action', ['cut', 'sit on', 'open', 'hold'])
def test_an_action_alone_is_asked_for_on_several_things(action):
    alternatives = load_prompt_set('parts').alternatives(action)
    assert len(alternatives) > 2
    assert all(len(group) == 1 for group in alternatives)


def test_auto_suits_the_model():
    assert load_prompt_set('auto', family='household').label == load_prompt_set('parts').label
    assert load_prompt_set('auto', family='clip').label == load_prompt_set('verb').label


def test_several_objects_of_one_name_are_told_apart_by_length():
    assert load_prompt_set('parts').expand('grasp the pot lid') == ['knob of the pot lid']


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        (
            '"{part} of the {object}"',
            '"{part}"',
            'it must hold {part} and {object}',
        ),
        ('- say: [open]', '- say: []', 'action 1: say must list'),
        ('- say: [open]', '- say: [cut]', "'cut' is said for several actions"),
        ('alone: blade', 'alnoe: blade', 'action 2 has the unknown key alnoe; known are alone'),
        ('alone: blade', 'alone: on', 'action 2 holds True, not a text: put words such as on'),
        (
            'objects: {lamp: switch}',
            'objects: [lamp]',
            'action 3: objects must be',
        ),
        ('say: [turn on]', 'say: [" "]', 'action 3: a way to say it is blank'),
        ('version: 3', 'version: new', 'version must be a whole number'),
        ('name: mine', 'title: mine', 'must have exactly the keys'),
    ],
)
def test_malformed_tables_are_refused(tmp_path, old, new, message):
    path = tmp_path / 'table.yaml'
    assert old in TABLE
    path.write_text(TABLE.replace(old, new))
    with pytest.raises(PromptSetError, match=message):
        load_prompt_set(str(path))
