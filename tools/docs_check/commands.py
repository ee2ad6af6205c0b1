# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Commands in the documentation, run or not: they must name what exists.

A block that needs ROS from apt can't be run here, but its topics' types, its fields, its launch
arguments and its parameters are this repository's own and can be looked up.
"""

import argparse
import ast
import functools
import importlib
import re
import shlex
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from affordance_ros_training.yaml_config import load_config
from tools.docs_check.pages import Block

# How each program of the package describes its options.
_PARSERS = {
    'affordance-ground': 'affordance_ros.cli.ground',
    'affordance-bag': 'affordance_ros.cli.bag',
    'affordance-eval': 'affordance_ros_eval.cli',
    'affordance-train': 'affordance_ros_training.train',
    'affordance-ablate': 'affordance_ros_training.ablate',
    'affordance-tabletop': 'affordance_ros_tabletop.cli',
}
# Where the keys of their YAML files, and of --set, are declared.
_CONFIGS = {
    'affordance-train': ('affordance_ros_training.config', 'TrainConfig'),
    'affordance-ablate': ('affordance_ros_training.config', 'TrainConfig'),
}
_PROGRAM_OF_MODULE = {module: program for program, module in _PARSERS.items()}
_FOLDERS = 'benchmarks|config|docker|examples|launch|scripts|tests|tools|training/configs'
_OPERATORS = {'&&', '||', ';', '&', '|', '(', ')'}


class _Parsed(Exception):  # noqa: N818  (no error: it ends a program once its arguments are read)
    """The arguments were read; args[0] holds them."""


class _RefusedError(Exception):
    """The arguments are wrong."""


def check_block(block: Block, root: Path) -> Iterator[str]:
    """Yield what is wrong with the commands of a bash block, one sentence each."""
    for words in split_commands(block.text):
        yield from _check_command(words, root)


def split_commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command of a script; comments and redirections are left out."""
    for line in text.replace('\\\n', ' ').splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        command: list[str] = []
        for word in lexer:
            if word in _OPERATORS:
                yield from filter(None, [command])
                command = []
            else:
                command.append(word)
        yield from filter(None, [command])


def _check_command(words: list[str], root: Path) -> Iterator[str]:
    words = [w for i, w in enumerate(words) if not (i == 0 and re.match(r'[A-Z_]+=', w))]
    program, arguments = (words[0], words[1:]) if words else ('', [])
    if program == 'make':
        targets = re.findall(r'^([a-z-]+):', (root / 'Makefile').read_text(), re.MULTILINE)
        unknown = [w for w in arguments if re.fullmatch('[a-z-]+', w) and w not in targets]
        yield from (f'the Makefile has no target {name}' for name in unknown)
    elif program in ('python', 'torchrun') and '-m' in arguments:
        module = arguments[arguments.index('-m') + 1]
        rest = arguments[arguments.index('-m') + 2 :]
        if module in _PROGRAM_OF_MODULE:
            yield from _check_options(_PROGRAM_OF_MODULE[module], rest)
    elif program in _PARSERS:
        yield from _check_options(program, arguments)
    elif program == 'ros2':
        yield from _check_ros2(arguments, root)
    for word in words:
        if re.match(rf'({_FOLDERS})/[\w./-]+$', word):
            path = root / word
            yield from [] if path.exists() else [f'there is no file {word}']


def _check_options(program: str, arguments: list[str]) -> Iterator[str]:
    """Let the program's own parser read the arguments, and stop there."""
    parse = argparse.ArgumentParser.parse_args

    def parse_only(self: argparse.ArgumentParser, *given: Any, **options: Any) -> None:
        raise _Parsed(parse(self, *given, **options))

    def refuse(self: argparse.ArgumentParser, message: str) -> None:
        raise _RefusedError(message)

    main = importlib.import_module(_PARSERS[program]).main
    changed = {'parse_args': parse_only, 'error': refuse}
    kept = {name: getattr(argparse.ArgumentParser, name) for name in changed}
    try:
        for name, function in changed.items():
            setattr(argparse.ArgumentParser, name, function)
        main([word for word in arguments if word not in ('>', '<')])
    except _Parsed as parsed:
        yield from _check_config(program, parsed.args[0])
    except (_RefusedError, SystemExit) as error:
        yield f'{program} does not take {shlex.join(arguments)}: {error}'
    finally:
        for name, function in kept.items():
            setattr(argparse.ArgumentParser, name, function)


def _check_config(program: str, options: argparse.Namespace) -> Iterator[str]:
    """Hold the keys of --set against the program's configuration."""
    # A missing file is said elsewhere.
    if program not in _CONFIGS or not (options.config and options.config.is_file()):
        return
    module, name = _CONFIGS[program]
    kind = getattr(importlib.import_module(module), name)
    try:
        load_config(kind, options.config, overrides=options.set)
    except ValueError as error:
        yield f'{program}: {error}'


def _check_ros2(arguments: list[str], root: Path) -> Iterator[str]:
    words = [word for word in arguments if not word.startswith('--')]
    match words:
        case ['launch', 'affordance_ros', file, *given]:
            known = _launch_arguments(root / 'launch' / file)
            if file in ('rgbd.launch.py', 'webcam.launch.py'):  # which include it
                known = known | _launch_arguments(root / 'launch' / 'grounding.launch.py')
            names = [w.split(':=')[0] for w in given if ':=' in w]
            yield from (f'{file} has no argument {n}' for n in names if n not in known)
        case ['run', 'affordance_ros', name, *_] if not (root / 'scripts' / name).is_file():
            yield f'the package has no executable {name}'
        case ['param', 'set' | 'get', '/grounding', name, *_] if name not in _parameters():
            yield f'the node has no parameter {name}'
        case ['topic', 'pub', _, type_name, content] | ['service', 'call', _, type_name, content]:
            yield from _check_message(type_name, content)


@functools.cache
def _launch_arguments(file: Path) -> set[str]:
    calls = [n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if getattr(call.func, 'id', '') == 'DeclareLaunchArgument'
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def _parameters() -> set[str]:
    return set(
        importlib.import_module('affordance_ros.nodes.grounding.parameter_table').PARAMETERS
    )


def _check_message(type_name: str, content: str) -> Iterator[str]:
    package, kind, name = type_name.split('/')
    try:
        message_type = getattr(importlib.import_module(f'{package}.{kind}'), name)
    except (ModuleNotFoundError, AttributeError):
        yield f'there is no type {type_name}'
        return
    message = message_type.Request() if kind == 'srv' else message_type()
    try:
        _fill(message, yaml.safe_load(content))
    except (AssertionError, AttributeError, TypeError, ValueError, yaml.YAMLError) as error:
        yield f'{content} does not fit {type_name}: {error}'


def _fill(message: Any, values: dict[str, Any]) -> None:
    """Set fields of a message, as `ros2 topic pub` does; the message checks names and types."""
    for name, value in values.items():
        if isinstance(value, dict):
            _fill(getattr(message, name), value)
        else:
            as_declared: Callable[[Any], Any] = type(getattr(message, name))
            setattr(message, name, value if isinstance(value, str) else as_declared(value))
