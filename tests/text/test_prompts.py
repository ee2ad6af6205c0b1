# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import pytest

from affordance_ros.text.prompts import PromptSetError
from affordance_ros.text.prompts import load_prompt_set
from affordance_ros.text.prompts import shipped_prompt_sets


def test_the_papers_set_is_the_bare_command():
    assert load_prompt_set('verb').expand('hold the mug') == ['hold the mug']
    assert load_prompt_set('verb').label == 'verb@1'


def test_every_shipped_set_loads_and_says_the_command():
    assert set(shipped_prompt_sets()) == {'verb', 'ensemble', 'parts'}
    for name in ('verb', 'ensemble'):
        prompts = load_prompt_set(name).expand('cut')
        assert prompts
        assert all('cut' in prompt for prompt in prompts)


def test_braces_in_a_command_are_text(tmp_path):
    assert load_prompt_set('verb').expand('cut {0} {}') == ['cut {0} {}']


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('[', 'is not YAML'),
        ('- a', 'must have exactly the keys'),
        ('{name: a, version: 1}', 'must have exactly the keys'),
        ('{name: a, version: 1, templates: ["{}"], extra: 1}', "'extra'"),
        ('{name: a, version: 1, templates: []}', 'at least one'),
        ('{name: a, version: 1, templates: ["cut"]}', 'text with one'),
        ('{name: a, version: 1, templates: ["{} {}"]}', 'text with one'),
        ('{name: a, version: x, templates: ["{}"]}', 'whole number'),
    ],
)
def test_malformed_files_are_refused(tmp_path, content, message):
    path = tmp_path / 'set.yaml'
    path.write_text(content)
    with pytest.raises(PromptSetError, match=message):
        load_prompt_set(str(path))


def test_an_unknown_set_is_refused_with_the_known_ones():
    with pytest.raises(
        PromptSetError, match=r"'verbs' is neither a file nor .*'ensemble', 'parts', 'verb'"
    ):
        load_prompt_set('verbs')
