# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Maps and ground truths as people save them: right numbers, or a refusal by name."""

import json

import cv2
import numpy as np
import pytest

from affordance_ros_eval.agd20k import read_truth
from affordance_ros_eval.cli import main
from affordance_ros_eval.errors import ImageProblemError
from tests.support.agd20k_fixture import write_split

PAIRS = [('hold', 'cup'), ('drink_with', 'cup'), ('cut', 'apple')]


@pytest.fixture
def root(tmp_path):
    write_split(tmp_path, 'Seen', PAIRS)
    return tmp_path


def truths(root):
    return root / 'Seen' / 'testset' / 'GT'


def score(root, maps, *more):
    out = root / 'out'
    call = ['score', '--predictions', str(maps), '--gt', str(truths(root)), '--out', str(out)]
    code = main([*call, '--no-html', *more])
    (path,) = out.glob('*/results.json') if out.exists() else (None,)
    return code, json.loads(path.read_text()) if path else {}


def save_maps(root, name=lambda path: '/'.join(path.with_suffix('').parts[-3:])):
    """Save each truth as its own map, under a name made of its path."""
    for path in sorted(truths(root).rglob('*.png')):
        out = root / 'maps' / f'{name(path)}.npy'
        out.parent.mkdir(parents=True, exist_ok=True)
        np.save(out, cv2.imread(str(path), 0).astype(np.float32) / 255)
    return root / 'maps'


def test_one_map_does_not_serve_several_actions(root, caplog):
    """A cup is held and drunk from: by its bare name one map would be scored twice."""
    code, _ = score(root, save_maps(root, name=lambda path: path.stem))
    assert code == 2
    assert 'is the only prediction found for drink_with/cup/cup_000000 and for hold/cup' in (
        caplog.text
    )
    assert 'name each map by its own action' in caplog.text


@pytest.mark.parametrize('separator', ['/', '_'])
def test_agd20k_itself_is_recognised(root, capsys, separator):
    maps = save_maps(root, name=lambda p: separator.join(p.with_suffix('').parts[-3:]))
    code, results = score(root, maps)
    assert code == 0
    assert results['data']['real'] is True
    assert results['data']['title'] == 'AGD20K Seen'
    assert 'were published' in ' '.join(results['data']['warnings'])
    assert 'The data are not AGD20K' not in capsys.readouterr().out
    assert results['summary']['kld']['mean'] < 0.01  # each map is its truth


def test_data_of_other_actions_are_not_taken_for_agd20k(tmp_path):
    write_split(tmp_path, 'Seen', [('hold', 'spaceship')])
    _, results = score(tmp_path, save_maps(tmp_path))
    assert results['data']['real'] is False


def alpha(grey):
    return np.dstack([np.full((*grey.shape, 3), 255, np.uint8), grey])


BAD = {
    '16 bits up to 255': (lambda g: g.astype(np.uint16), '16 bits and values up to 2'),
    '16-bit mask': (lambda g: (g > 60).astype(np.uint16), '16 bits and values up to 1'),
    '8-bit mask': (lambda g: (g > 60).astype(np.uint8), 'values of 0 and 1: multiply it by 255'),
    'colour map': (lambda g: cv2.applyColorMap(g, cv2.COLORMAP_JET), 'is coloured'),
    'alpha': (alpha, 'in the alpha channel'),
}  # fmt: skip


@pytest.mark.parametrize('kind', BAD)
def test_truths_that_would_be_read_wrong_are_refused(root, kind, caplog):
    change, text = BAD[kind]
    maps = save_maps(root)
    for path in truths(root).rglob('*.png'):
        cv2.imwrite(str(path), change(cv2.imread(str(path), 0)))
        with pytest.raises(ImageProblemError, match=text):
            read_truth(path)
    assert score(root, maps)[0] == 2
    assert 'not one of 6 ground truths could be scored' in caplog.text
    assert text in caplog.text


GOOD = {
    'grey': lambda g: g,
    'zero': lambda g: g * 0,
    '16 bits': lambda g: g.astype(np.uint16) * 257,
    'three equal channels': lambda g: cv2.cvtColor(g, cv2.COLOR_GRAY2BGR),
    'four': lambda g: cv2.cvtColor(g, cv2.COLOR_GRAY2BGRA),
    'mask of 255': lambda g: (g > 60).astype(np.uint8) * 255,
}


@pytest.mark.parametrize('kind', GOOD)
def test_truths_are_read_as_published_methods_do(tmp_path, kind):
    rows, columns = np.mgrid[:40, :50]
    grey = np.rint(255 * np.exp(-((rows - 20) ** 2 + (columns - 30) ** 2) / 90)).astype(np.uint8)
    path = tmp_path / 'truth.png'
    cv2.imwrite(str(path), GOOD[kind](grey))
    np.testing.assert_array_equal(read_truth(path), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))


def test_a_transposed_map_is_named(root, caplog):
    maps = save_maps(root)
    for path in maps.rglob('*.npy'):
        np.save(path, np.load(path).T.copy())
    assert score(root, maps)[0] == 2
    assert 'has its rows and columns swapped' in caplog.text
