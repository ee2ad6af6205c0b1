# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""No file of the package calls what can run code, or fill the memory, that comes with data."""

import ast

import pytest

from tests.conftest import ROOT

FOLDERS = (
    'affordance_ros', 'benchmarks', 'eval', 'launch', 'scripts', 'tabletop', 'tools', 'training',
)  # fmt: skip
# By the end of the dotted name; `eval` and `exec` as bare names, so that model.eval() may stay.
FORBIDDEN = {
    'pickle.load', 'pickle.loads', 'pickle.Unpickler', 'yaml.unsafe_load',
    'yaml.full_load', 'os.system', 'os.popen', 'marshal.loads', 'shelve.open', 'cv2.imread',
    'shutil.unpack_archive', 'eval', 'exec', 'load_model_from_url', 'joblib.load',
}  # fmt: skip
# Textures of a wheel that is pinned by its hash.
ALLOWED = {('tabletop/assets.py', 'cv2.imread')}
FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob('*.py'))]


def calls(text):
    """Yield the dotted name and the keywords of every call."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}


def dangers(text):
    """Yield what a file must not call."""
    for name, keywords in calls(text):
        if name in FORBIDDEN or name.endswith(('.extractall', '.extract')):
            yield name
        elif name == 'torch.load' and keywords.get('weights_only') != 'True':
            yield f'{name} without weights_only=True'
        elif name in ('np.load', 'numpy.load') and keywords.get('allow_pickle') != 'False':
            yield f'{name} without allow_pickle=False'
        elif name == 'yaml.load' and '_Loader' not in text:
            yield name
        elif keywords.get('shell') == 'True':
            yield f'{name} with a shell'


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_runs_what_data_brings(path):
    found = {(str(path.relative_to(ROOT)), name) for name in dangers(path.read_text())}
    assert found <= ALLOWED


@pytest.mark.parametrize(
    'code',
    [
        'pickle.loads(data)', 'eval(text)', 'torch.load(path)', 'yaml.load(x)',
        'np.load(path)', 'np.load(path, allow_pickle=True)', 'archive.extractall(folder)',
        'subprocess.run(line, shell=True)', 'cv2.imread(path)',
    ],
)  # fmt: skip
def test_such_calls_are_seen(code):
    assert list(dangers(code))


@pytest.mark.parametrize(
    'code',
    [
        'model.eval()',
        'np.load(p, allow_pickle=False)',
        'json.load(f)',
        'torch.load(p, weights_only=True)',
    ],
)  # fmt: skip
def test_harmless_calls_are_not(code):
    assert not list(dangers(code))
