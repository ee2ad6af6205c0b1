# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Commands: text, prompts, tokens."""

from pathlib import Path
from random import Random

from affordance_ros.model.families import load_trunk
from affordance_ros.text.commands import MAX_COMMAND_CHARS
from affordance_ros.text.commands import CommandError
from affordance_ros.text.commands import command_warning
from affordance_ros.text.commands import parse_command
from affordance_ros.text.prompts import load_prompt_set
from affordance_ros.text.prompts import shipped_prompt_sets
from tests.fuzz.mutate import draw_text
from tests.fuzz.target import Feed
from tests.fuzz.target import Target


def _prepare(folder: Path) -> Feed:
    encoder = load_trunk('compact', 'random').text
    sets = [load_prompt_set(name) for name in shipped_prompt_sets()]
    width = encoder.context_length
    start, end = encoder._tokenizer.all_special_ids

    def feed(rng: Random) -> None:
        command = parse_command(draw_text(rng))
        assert command == parse_command(command) and len(command) <= 4 * MAX_COMMAND_CHARS
        command_warning(command).encode()
        for prompt in rng.choice(sets).expand(command):
            encoder.check_length(prompt)
            tokens = encoder._tokenizer([prompt])
            assert tokens.shape == (1, width)
            assert (tokens == start).sum() == (tokens == end).sum() == 1, prompt

    return feed


TARGET = Target('commands: text, prompts, tokens', (CommandError,), _prepare)
