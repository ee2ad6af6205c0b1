# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What can be held of a page without running anything: links, images, and what blocks say."""

import ast
import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import yaml

from tools.docs_check.pages import Block
from tools.docs_check.pages import Page

# Why a block may stay unrun, word for word; whatever does not fit one of these must run.
REASONS = {
    'ROS from apt': 'needs ros2 commands, RViz or apt, which no package registry has',
    'GPU': 'needs a GPU, or several',
    'RefCOCO': "needs RefCOCO's annotations and COCO's images",
    'AGD20K': 'needs AGD20K',
    'OpenAI weights': 'downloads RN101 from a model hub',
    'hours': 'runs for an hour or more',
    'root': 'installs system packages',
    'screen': 'opens a window',
    'docker': 'needs a container engine',
    'a fragment': 'shows lines out of a larger program',
}
_RUNNABLE = ('bash', 'python')
_DATA = ('yaml', 'json', 'text', 'cmake', 'dockerfile', 'diff')
_NEVER_FETCHED = ('http://', 'https://', 'mailto:')


def check_page(page: Page, root: Path) -> Iterator[str]:
    """Yield what is wrong with a page, one sentence each.

    Links to other hosts are not followed: a page that is true must not fail by their outage.
    """
    name = page.path.relative_to(root)
    for block in page.blocks:
        for problem in _check_block(block):
            yield f'{name}:{block.line}: {problem}'
    for line, target in page.links:
        if problem := _check_link(target, page, root):
            yield f'{name}:{line}: {problem}'
    previous = ''
    for line, text in page.prose:
        if text.startswith('    ') and not previous.strip():
            yield f'{name}:{line}: an indented block; fence it and name its language'
        previous = text


def _check_block(block: Block) -> Iterator[str]:
    if block.language.startswith('{'):  # a directive of MyST; Sphinx checks it
        return
    if block.language not in _RUNNABLE + _DATA:
        known = ', '.join(_RUNNABLE + _DATA)
        yield f'the block is marked {block.language!r}; known languages are {known}'
        return
    if block.verb == 'not run' and block.marker not in REASONS:
        yield f'the reason {block.marker!r} is unknown; known are {", ".join(REASONS)}'
    if block.verb and block.language not in _RUNNABLE:
        yield f'a block of {block.language} is never run, so it takes no marker'
    try:
        if block.language == 'python':
            yield from _missing_imports(ast.parse(block.text))
        elif block.language == 'yaml':
            yaml.safe_load(block.text)
        elif block.language == 'json':
            for line in block.text.splitlines():
                json.loads(line)
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        yield f'the {block.language} in the block is wrong: {error}'


def _missing_imports(tree: ast.Module) -> Iterator[str]:
    """Yield a sentence for every import that would fail, also where the block is not run."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            module, wanted = node.module, [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            module, wanted = node.names[0].name, []
        else:
            continue
        origin = _find_origin(module)
        if origin is None:
            yield f'there is no module {module}'
            continue
        if module.split('.')[0] in sys.stdlib_module_names:
            defined = set(dir(importlib.import_module(module)))
        else:
            defined = _defined_names(origin)
        for name in wanted:
            if name not in defined and _find_origin(f'{module}.{name}') is None:
                yield f'{module} has no {name}'


def _find_origin(module: str) -> Path | None:
    """Return the file of a module, without importing it."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _defined_names(path: Path) -> set[str]:
    """Return the names that a module binds, without running it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _check_link(target: str, page: Page, root: Path) -> str:
    if target.startswith(_NEVER_FETCHED):
        return ''
    file, _, anchor = unquote(target).partition('#')
    path = (page.path.parent / file).resolve() if file else page.path
    if not path.exists():
        return f'the link {target} leads nowhere'
    if not path.is_relative_to(root):
        return f'the link {target} leads out of the repository'
    if anchor and path.suffix == '.md' and anchor not in Page(path).anchors:
        return f'{file or "the page"} has no heading #{anchor}'
    return ''
